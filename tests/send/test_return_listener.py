# SPDX-License-Identifier: Apache-2.0
"""Returned mail by SMTP: our return paths only, taken once it is recorded."""

import asyncio
import smtplib

import pytest

from tests.send.test_returns import (
    COMPLAINTS,
    DOMAIN,
    arf,
    dsn,
    return_path,
    returns_of,
    row_of,
    sent_to,
)
from tests.transport.smtp.talking import run
from undisclosed.core.campaign import DeliveryState
from undisclosed.send.return_listener import ReturnListener
from undisclosed.store.database import database as connected
from undisclosed.store.models import ReturnedMail
from undisclosed.transport.smtp.settings import ServerSettings

LETTER = b"From: p1@a.example\r\nSubject: Re: Bins\r\n\r\nWhich Monday?\r\n"


def handed_in(recipient, content, mail_from=""):
    """Hand in one mail; the replies to RCPT and to the final dot."""

    def hand_in(port):
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            client.mail(mail_from)
            code, _ = client.rcpt(recipient)
            return (code, client.data(content)[0] if code == 250 else None)

    async def served():
        listener = ReturnListener(returns_of(), ServerSettings())
        await listener.start("127.0.0.1", 0)
        try:
            return await asyncio.to_thread(hand_in, listener.port)
        finally:
            await listener.close()

    return run(served())


def test_a_report_that_was_taken_is_recorded(database):
    campaign = sent_to(1)

    replies = handed_in(return_path(campaign, 1).spelled_out(), dsn(1))

    assert replies == (250, 250)
    assert row_of(campaign, 1).state is DeliveryState.FAILED


def test_a_complaint_is_taken_at_its_own_address(database):
    campaign = sent_to(1)

    replies = handed_in(COMPLAINTS.spelled_out(), arf(campaign, 1), "f@provider.test")

    assert replies == (250, 250)
    assert ReturnedMail.objects.get().kind == "complaint"


@pytest.mark.parametrize(
    "recipient",
    [
        f"postmaster@{DOMAIN}",
        f"b-{26 * 'a'}@{DOMAIN}",
        "p1@a.example",
        "complaints@elsewhere.test",
    ],
)
def test_there_is_no_other_mailbox(database, recipient):
    assert handed_in(recipient, dsn(1)) == (550, None)


def test_a_persons_letter_is_refused_with_a_way_on(database):
    campaign = sent_to(1)
    path = return_path(campaign, 1).spelled_out()

    assert handed_in(path, LETTER, "p1@a.example") == (250, 550)
    assert handed_in(path, LETTER) == (250, 250)
    assert not ReturnedMail.objects.exists()


def test_while_the_store_is_away_the_mail_server_keeps_the_report(database):
    campaign = sent_to(1)
    path = return_path(campaign, 1).spelled_out()

    with connected() as connection:
        connection.run("ALTER TABLE store_returnedmail RENAME TO away")
    try:
        replies = handed_in(path, dsn(1))
    finally:
        with connected() as connection:
            connection.run("ALTER TABLE away RENAME TO store_returnedmail")

    assert replies == (250, 451)
    assert row_of(campaign, 1).state is DeliveryState.SENT
    assert handed_in(path, dsn(1)) == (250, 250)
