# SPDX-License-Identifier: Apache-2.0
"""The endpoint as a smarthost: mail of our tenant, and never an open relay."""

import ipaddress
import smtplib
from dataclasses import replace

import pytest

from tests.guard.endpoints.deciding import BEGIN, guarded, run
from tests.guard.endpoints.smarthost import (
    ANN,
    CLOUD,
    FOREIGN,
    LOOPBACK,
    SAM,
    SECRET,
    TEXT,
    OneLogin,
    proved,
    with_client,
)
from undisclosed.guard.endpoints.access import Access
from undisclosed.guard.endpoints.settings import (
    SmtpSettings,
)


def test_mail_of_our_tenant_passes_without_the_secret() -> None:
    def act(client: smtplib.SMTP) -> None:
        client.sendmail(SAM, [ANN], proved())

    there = with_client(act, SmtpSettings(access=CLOUD))

    (taken,) = there.hop.taken
    assert SECRET.encode() not in taken.content
    assert b"X-Proof" not in taken.content
    assert there.checkpoint.origins[0].tenant == "office"


def test_the_secret_is_cut_out_of_what_is_judged_and_held() -> None:
    def act(client: smtplib.SMTP) -> None:
        client.sendmail(SAM, [ANN], proved(TEXT.replace("accept", "hold")))

    there = with_client(act, SmtpSettings(access=CLOUD))

    for mail in (*there.checkpoint.judged, *there.checkpoint.held):
        assert SECRET.encode() not in mail.content
    assert len(there.checkpoint.held) == 1


def test_the_secret_is_cut_out_of_mail_from_our_own_machines_too() -> None:
    def act(client: smtplib.SMTP) -> None:
        client.sendmail(SAM, [ANN], proved())

    own = replace(CLOUD, clients=LOOPBACK, tenant_clients=())
    (taken,) = with_client(act, SmtpSettings(access=own)).hop.taken

    assert SECRET.encode() not in taken.content


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        (SAM, TEXT),
        (SAM, proved(secret="a-guess-of-another-customer")),
        (SAM, TEXT + "X-Proof: " + SECRET + "\r\n"),
        ("eve@other.example", proved()),
        ("", proved("From: eve@other.example\r\n" + TEXT)),
    ],
    ids=[
        "the provider's address alone",
        "a forged proof",
        "a proof in the body",
        "a foreign sender",
        "a foreign author under the null sender",
    ],
)
def test_other_customers_of_the_provider_hand_in_nothing(
    sender: str, text: str
) -> None:
    def act(client: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPException) as refused:
            client.sendmail(sender, [ANN], text)
        assert getattr(refused.value, "smtp_code", 0) == 550

    there = with_client(act, SmtpSettings(access=CLOUD))

    assert there.hop.taken == []
    assert there.checkpoint.judged == []


@pytest.mark.parametrize(
    ("access", "code"),
    [
        (FOREIGN, 530),
        (replace(CLOUD, tenant_clients=(ipaddress.ip_network("192.0.2.0/24"),)), 554),
        (Access(clients=(), certificates=frozenset({"*"})), 554),
    ],
    ids=["AUTH without a login", "not the provider", "certificates without TLS"],
)
@pytest.mark.parametrize("text", [TEXT, proved()], ids=["plain", "with the secret"])
def test_a_stranger_hands_in_nothing_whatever_it_says(
    access: Access, code: int, text: str
) -> None:
    def act(client: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail(SAM, [ANN], text)
        assert refused.value.smtp_code == code
        client.rset()
        assert client.rcpt(ANN)[0] == 503
        assert client.docmd("DATA")[0] == 503

    there = with_client(act, SmtpSettings(access=access), OneLogin())

    assert there.hop.taken == []
    assert [verb for verb in there.hop.verbs() if verb != "EHLO"] == []


def test_a_pipelining_stranger_is_refused_at_every_step() -> None:
    async def scenario() -> list[str]:
        settings = SmtpSettings(access=Access(clients=(), certificates=frozenset("*")))
        async with guarded(settings=settings) as there:
            return await there.talk(BEGIN + b"DATA\r\n")

    heard = run(scenario())

    assert [reply[:3] for reply in heard] == ["250", "554", "503", "503"]
