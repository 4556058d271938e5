# SPDX-License-Identifier: Apache-2.0
"""The listener for what comes back, as the settings have it: no open door, and TLS."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

import pytest

from tests.acceptance.certificates import write_certificate
from tests.acceptance.installation import free_port
from tests.send.test_returns import dsn, row_of, sent_to
from tests.transport.smtp.talking import run
from undisclosed.cli import wiring_returns
from undisclosed.console.wiring import send_tokens
from undisclosed.core.campaign import DeliveryState
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns
from undisclosed.store.models import OutgoingMail, ReturnedMail
from undisclosed.store.settings import load
from undisclosed.transport.smtp.server_tls import CertificateUnreadable

pytestmark = pytest.mark.usefixtures("database")

DOMAIN = "bounces.c.test"
STRANGERS = (
    "p1@a.example",
    "p1%a.example@bounces.c.test",
    "@bounces.c.test:p1@a.example",
    '"p1@a.example"@bounces.c.test',
    "postmaster@bounces.c.test",
    f"b-{26 * 'a'}@bounces.c.test",
    "complaints@elsewhere.test",
)


@pytest.fixture
def listening(tmp_path):
    """Talks to the listener of these settings; what the talk returns."""

    def served(talk, **chosen):
        port = free_port()
        lines = [f'{name} = "{value}"' for name, value in chosen.items()]
        lines = [line.replace('"[', "[").replace(']"', "]") for line in lines]
        file = tmp_path / "undisclosed.toml"
        file.write_text(
            f'[send]\nreturn_domain = "{DOMAIN}"\n[send.returns]\n'
            f'listen = "127.0.0.1:{port}"\ncomplaints = ["complaints@c.test"]\n'
            + "\n".join(lines),
            encoding="utf-8",
        )
        settings = load(file, {})

        async def scenario():
            async with wiring_returns.listening(settings):
                return await asyncio.to_thread(talk, port)

        return run(scenario())

    return served


def path_of(campaign, number):
    serial = campaigns.get(campaign).serial
    return f"b-{send_tokens().make(Purpose.RETURN_PATH, serial, number)}@{DOMAIN}"


def connected(port):
    return smtplib.SMTP("127.0.0.1", port, timeout=30)


def test_it_is_no_open_relay(listening):
    def talk(port):
        codes = []
        for one in STRANGERS:
            with connected(port) as client:
                client.ehlo()
                client.docmd("MAIL FROM:<stranger@elsewhere.test>")
                codes.append(client.docmd(f"RCPT TO:<{one}>")[0])
                codes.append(client.docmd("DATA")[0])
        return codes

    codes = listening(talk)

    assert all(500 <= code < 600 for code in codes), codes
    assert not OutgoingMail.objects.exists()
    assert not ReturnedMail.objects.exists()


def test_what_is_handed_in_leaves_for_nobody_even_with_a_recipient_of_ours(listening):
    campaign = sent_to(1)
    message = EmailMessage()
    message["To"] = "victim@elsewhere.test"
    message["Subject"] = "Buy this"
    message.set_content("Buy this.")

    def talk(port):
        with connected(port) as client:
            return client.send_message(
                message,
                "spam@elsewhere.test",
                ["victim@elsewhere.test", "complaints@c.test"],
            )

    with pytest.raises(smtplib.SMTPDataError):
        listening(talk)

    assert not OutgoingMail.objects.exists()
    assert row_of(campaign, 1).state is DeliveryState.SENT


def test_who_tries_many_addresses_is_shown_out(listening):
    def talk(port):
        with connected(port) as client:
            client.ehlo()
            codes = []
            for _ in range(40):
                try:
                    codes.append(client.docmd("NONSENSE")[0])
                except smtplib.SMTPServerDisconnected:
                    break
            return codes

    codes = listening(talk)

    assert len(codes) < 15
    assert codes[-1] == 421


def test_a_host_that_is_not_listed_is_turned_away(listening):
    def talk(port):
        try:
            with connected(port) as client:
                return client.ehlo()[0]
        except smtplib.SMTPConnectError as refused:
            return refused.smtp_code

    code = listening(talk, clients='["192.0.2.0/24"]')

    assert code >= 500


def test_a_message_of_more_bytes_than_a_report_has_is_refused(listening):
    def talk(port):
        with connected(port) as client:
            client.ehlo()
            size = wiring_returns.MOST_BYTES + 1
            return client.docmd(f"MAIL FROM:<> SIZE={size}")[0]

    assert listening(talk) == 552


def test_tls_is_offered_with_a_certificate_and_a_report_is_taken_inside(
    listening, tmp_path
):
    certificate, key = write_certificate(tmp_path)
    campaign = sent_to(1)
    path = path_of(campaign, 1)
    context = ssl.create_default_context(cafile=str(certificate))

    def talk(port):
        with connected(port) as client:
            client.ehlo()
            assert client.has_extn("starttls")
            client.starttls(context=context)
            client.ehlo()
            assert not client.has_extn("starttls")
            client.mail("")
            assert client.rcpt("p1@a.example")[0] == 550
            assert client.rcpt(path)[0] == 250
            return client.sock.version(), client.data(dsn(1))[0]

    version, code = listening(talk, tls_certificate=certificate.name, tls_key=key.name)

    assert version == "TLSv1.3"
    assert code == 250
    assert row_of(campaign, 1).state is DeliveryState.FAILED


def test_a_client_without_tls_is_served_where_a_certificate_is_there(
    listening, tmp_path
):
    certificate, key = write_certificate(tmp_path)
    campaign = sent_to(1)

    def talk(port):
        with connected(port) as client:
            client.ehlo()
            client.mail("")
            return client.rcpt(path_of(campaign, 1))[0]

    answer = listening(talk, tls_certificate=certificate.name, tls_key=key.name)

    assert answer == 250


def test_a_certificate_that_is_no_use_is_said_at_the_start(listening):
    with pytest.raises(CertificateUnreadable):
        listening(lambda port: None, tls_certificate="none.pem", tls_key="none.key")
