# SPDX-License-Identifier: Apache-2.0
"""Submission: who hands in mail from anywhere, by a login or a certificate."""

import logging
import smtplib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guard.endpoints.smarthost import (
    FOREIGN,
    Certified,
    OneLogin,
    certify,
    hands_in,
    is_refused,
    secured,
    with_client,
)
from tests.transport.smtp.authorities import Authority
from undisclosed.guard.endpoints.access import Access, Auth
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.transport.smtp.server_tls import (
    AuthoritiesUnreadable,
    CertificateUnreadable,
)


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return certify(tmp_path)


def test_a_login_hands_in_mail_from_anywhere() -> None:
    def act(client: smtplib.SMTP) -> None:
        client.login("scanner", "secret")
        hands_in(client)

    there = with_client(act, SmtpSettings(access=FOREIGN), OneLogin())

    (taken,) = there.hop.taken
    assert b" with ESMTPA id " in taken.content  # RFC 3848 §2
    (origin,) = there.checkpoint.origins
    assert (origin.endpoint, origin.login, origin.client) == (
        "SMTP",
        "scanner",
        "127.0.0.1",
    )


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_both_mechanisms_of_a_foreign_client_log_in(mechanism: str) -> None:
    def act(client: smtplib.SMTP) -> None:
        client.user, client.password = "scanner", "secret"
        method = getattr(client, f"auth_{mechanism.lower()}")
        assert client.auth(mechanism, method)[0] == 235
        hands_in(client)

    assert (
        len(with_client(act, SmtpSettings(access=FOREIGN), OneLogin()).hop.taken) == 1
    )


def test_without_a_login_a_foreign_client_hands_in_nothing() -> None:
    there = with_client(is_refused(530), SmtpSettings(access=FOREIGN), OneLogin())

    assert there.hop.commands[1:] == []
    assert there.checkpoint.judged == []


def test_a_wrong_password_leads_nowhere_and_stands_in_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    def act(client: smtplib.SMTP) -> None:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("scanner", "a-wrong-password")

    there = with_client(act, SmtpSettings(access=FOREIGN), OneLogin())

    assert there.hop.taken == []
    assert "a-wrong-password" not in caplog.text


def test_where_logins_cannot_be_checked_the_client_tries_again_later() -> None:
    away = OneLogin()
    away.is_away = True

    def act(client: smtplib.SMTP) -> None:
        assert client.docmd("AUTH PLAIN", "AHNjYW5uZXIAc2VjcmV0")[0] == 454

    with_client(act, SmtpSettings(access=FOREIGN), away)


def test_auth_is_offered_once_and_only_where_it_is_set() -> None:
    def act(client: smtplib.SMTP) -> None:
        assert client.has_extn("auth")
        client.login("scanner", "secret")
        client.ehlo()
        assert not client.has_extn("auth")

    def not_offered(client: smtplib.SMTP) -> None:
        assert not client.has_extn("auth")

    with_client(act, SmtpSettings(access=FOREIGN), OneLogin())
    with_client(not_offered, SmtpSettings(), OneLogin())


def test_where_nobody_knows_logins_every_password_is_refused() -> None:
    def act(client: smtplib.SMTP) -> None:
        assert client.docmd("AUTH PLAIN", "AHNjYW5uZXIAc2VjcmV0")[0] == 535

    with_client(act, SmtpSettings(access=FOREIGN))


@pytest.mark.parametrize("listed_by", ["name", "fingerprint", "any"])
def test_a_listed_certificate_hands_in_mail(
    certified: Certified, listed_by: str
) -> None:
    *files, fingerprint = certified.authority.client("relay.council.example")
    listed = {"name": "relay.council.example", "fingerprint": fingerprint, "any": "*"}
    access = Access(clients=(), certificates=frozenset({listed[listed_by]}))
    shown = certified.context((files[0], files[1]))

    there = with_client(secured(shown, hands_in), certified.accessed(access))

    assert len(there.hop.taken) == 1
    assert there.checkpoint.origins[0].certificate == fingerprint


def test_another_certificate_of_the_same_authority_hands_in_nothing(
    certified: Certified,
) -> None:
    *files, _ = certified.authority.client("other.example")
    access = Access(clients=(), certificates=frozenset({"relay.council.example"}))
    shown = certified.context((files[0], files[1]))

    there = with_client(secured(shown, is_refused(554)), certified.accessed(access))

    assert there.hop.taken == []


def test_no_certificate_hands_in_nothing(certified: Certified) -> None:
    access = Access(clients=(), certificates=frozenset({"*"}))

    def act(client: smtplib.SMTP) -> None:
        is_refused(530)(client)  # say STARTTLS first
        client.rset()
        secured(certified.context(None), is_refused(554))(client)

    assert with_client(act, certified.accessed(access)).hop.taken == []


def test_a_certificate_of_a_foreign_authority_ends_the_session(
    certified: Certified,
) -> None:
    foreign = Authority(certified.folder, "foreign")
    *files, _ = foreign.client("relay.council.example")
    access = Access(clients=(), certificates=frozenset({"*"}))

    def act(client: smtplib.SMTP) -> None:
        shown = certified.context((files[0], files[1]))
        with pytest.raises((OSError, smtplib.SMTPException)):
            secured(shown, hands_in)(client)
        client.close()

    assert with_client(act, certified.accessed(access)).hop.taken == []


def test_a_clients_own_certificate_may_stand_where_authorities_do(
    certified: Certified,
) -> None:
    *files, fingerprint = certified.authority.client("relay.council.example")
    access = Access(clients=(), certificates=frozenset({fingerprint}))
    settings = replace(certified.accessed(access), client_ca=files[0])
    shown = certified.context((files[0], files[1]))

    assert len(with_client(secured(shown, hands_in), settings).hop.taken) == 1


def test_a_password_is_not_taken_in_the_clear(certified: Certified) -> None:
    access = Access(clients=(), auth=Auth.INSIDE_TLS)

    def act(client: smtplib.SMTP) -> None:
        assert not client.has_extn("auth")
        assert client.docmd("AUTH PLAIN", "AHNjYW5uZXIAc2VjcmV0")[0] == 538
        is_refused(530)(client)
        client.rset()
        client.starttls(context=certified.context(None))
        client.login("scanner", "secret")
        hands_in(client)

    settings = replace(certified.accessed(access), client_ca=None)

    assert len(with_client(act, settings, OneLogin()).hop.taken) == 1


def test_who_logged_in_before_tls_logs_in_again_inside(certified: Certified) -> None:
    def act(client: smtplib.SMTP) -> None:
        client.login("scanner", "secret")
        secured(certified.context(None), is_refused(530))(client)

    settings = replace(certified.accessed(FOREIGN), client_ca=None)

    assert with_client(act, settings, OneLogin()).hop.taken == []


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ({"client_ca": Path("/nowhere.pem")}, AuthoritiesUnreadable),
        ({"tls_certificate": Path("/nowhere.pem")}, CertificateUnreadable),
    ],
    ids=["authorities", "certificate"],
)
def test_files_that_are_no_use_are_said_at_the_start(
    certified: Certified, broken: dict[str, Path], error: type[Exception]
) -> None:
    with pytest.raises(error):
        replace(certified.settings, **broken).server()  # type: ignore[arg-type]


def test_authorities_that_are_no_certificates_are_said_at_the_start(
    certified: Certified, tmp_path: Path
) -> None:
    (tmp_path / "notes.pem").write_text("This is no certificate.")

    with pytest.raises(AuthoritiesUnreadable):
        replace(certified.settings, client_ca=tmp_path / "notes.pem").server()
