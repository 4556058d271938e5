# SPDX-License-Identifier: Apache-2.0
"""Reports of delivery are asked for where the settings say so and the hop offers it."""

import pytest

from tests.send.sending import DRAFT, SENT, TOKENS, sent
from tests.store.campaigns import sending
from undisclosed.core.returns import ReturnKind
from undisclosed.send.draft import to_json
from undisclosed.send.return_reading import read_return
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns, ledger
from undisclosed.transport.smtp.testing import EVERYTHING

DOMAIN = {"return_domain": "bounces.c.test"}
WITHOUT = tuple(one for one in EVERYTHING if one != "DSN")


def envid_of(taken):
    words = taken.mail.decode().split()
    return next(one[6:] for one in words if one.startswith("ENVID="))


def test_reports_are_asked_for_with_opaque_names_only(database):
    campaign = sending(3, to_json(DRAFT))

    hop, _ = sent(asks_delivered=True, **DOMAIN)

    serial = campaigns.get(campaign).serial
    opened = {TOKENS.open(Purpose.ENVELOPE, envid_of(one)) for one in hop.taken}
    assert opened == {(serial, number) for number in (1, 2, 3)}
    for one in hop.taken:
        (rcpt,) = one.rcpts
        path = one.mail.partition(b"<")[2].partition(b">")[0]
        _to, *words = rcpt.split()[1:]
        assert words == [b"NOTIFY=SUCCESS,FAILURE,DELAY", b"ORCPT=rfc822;" + path]
        assert b"RET=HDRS" in one.mail
        assert b"a.example" not in one.mail
        assert rcpt.count(b"a.example") == 1
    assert ledger.counted(campaign) == {SENT: 3}
    assert hop.violations == []


def test_without_a_domain_for_what_comes_back_there_is_no_name_for_the_person(database):
    sending(1, to_json(DRAFT))

    hop, _ = sent(asks_delivered=True)

    assert b"ORCPT" not in hop.taken[0].rcpts[0]
    assert b"NOTIFY=SUCCESS" in hop.taken[0].rcpts[0]


@pytest.mark.parametrize(
    ("offers", "asks"), [(WITHOUT, True), (EVERYTHING, False)], ids=["hop", "settings"]
)
def test_nothing_is_asked_for_where_the_hop_or_the_settings_do_not_have_it(
    database, offers, asks
):
    sending(1, to_json(DRAFT))

    hop, _ = sent(asks_delivered=asks, offers=offers, **DOMAIN)

    (one,) = hop.taken
    for word in (b"NOTIFY", b"ORCPT", b"RET=", b"ENVID"):
        assert word not in one.mail + one.rcpts[0]


def test_a_report_that_names_the_envelope_alone_is_known():
    token = TOKENS.make(Purpose.ENVELOPE, 7, 3)
    content = (
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;mx.test\r\n"
        f"Original-Envelope-Id: {token}\r\n\r\nFinal-Recipient: rfc822;x@y.test\r\n"
        "Action: delivered\r\nStatus: 2.0.0\r\n"
    )

    found = read_return(content.encode())

    assert found.kind is ReturnKind.DELIVERED
    assert found.tokens == ((Purpose.ENVELOPE, token),)
