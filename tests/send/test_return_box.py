# SPDX-License-Identifier: Apache-2.0
"""Returned mail in a mailbox: reports are taken, letters stay unread for a person."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.send.test_return_listener import LETTER
from tests.send.test_returns import (
    DOMAIN,
    NOW,
    TOKENS,
    dsn,
    return_path,
    returns_of,
    row_of,
    sent_to,
    token,
)
from tests.transport.dovecot import dovecot, needs_dovecot
from undisclosed.core.address import Address
from undisclosed.core.campaign import DeliveryState
from undisclosed.guard.testing import FixedClock
from undisclosed.send.return_box import Fetched, Fetching, fetch
from undisclosed.send.returns import Returns
from undisclosed.send.tokens import Purpose
from undisclosed.store import returns
from undisclosed.transport.imap import ImapBox, MailboxAway, MailboxRefused

pytestmark = needs_dovecot


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with dovecot() as running:
        yield running


@pytest.fixture
def box(server):
    """The server with an empty inbox."""
    with ImapBox(server.settings()) as opened:
        for uid in opened._found("ALL"):
            opened.delete(uid)
    return server


def delivered_to(path: Address, content: bytes) -> bytes:
    """A report as the mail server of the mailbox stored it."""
    return f"Delivered-To: {path.spelled_out()}\r\n".encode() + content


def test_a_report_is_taken_and_a_letter_left_unread(database, box):
    campaign = sent_to(2)
    report = delivered_to(return_path(campaign, 2), dsn(2))
    box.deliver(LETTER, report)

    fetched = fetch(box.settings(), "", returns_of())

    assert fetched == Fetched(taken=1, left=1)
    assert row_of(campaign, 2).state is DeliveryState.FAILED
    letter, taken = box.flags()
    assert "\\Seen" not in letter
    assert "\\Seen" in taken


def test_what_was_left_is_not_looked_at_again(database, box):
    box.deliver(LETTER)

    first = fetch(box.settings(), "", returns_of())
    second = fetch(box.settings(), "", returns_of())

    assert (first.left, second.left) == (1, 0)


def test_a_report_about_other_mail_is_left(database, box):
    box.deliver(dsn(1))

    assert fetch(box.settings(), "", returns_of()) == Fetched(left=1)


def test_what_was_taken_is_moved_where_the_settings_say(database, box):
    campaign = sent_to(1)
    made = token(campaign, 1, Purpose.MESSAGE_ID)
    box.deliver(dsn(1, returned=f"Message-ID: <{made}@c.test>\r\n".encode()))

    fetch(box.settings(), "Done and gone", returns_of())

    assert box.flags() == []
    assert "\\Seen" in box.flags('"Done and gone"')[-1]
    assert row_of(campaign, 1).state is DeliveryState.FAILED


def test_one_worker_reads_at_a_time(database, box):
    campaign = sent_to(1)
    box.deliver(delivered_to(return_path(campaign, 1), dsn(1)))

    with returns.alone(), ThreadPoolExecutor(1) as another:
        looked = another.submit(fetch, box.settings(), "", returns_of())
        assert looked.result(60) == Fetched()

    assert fetch(box.settings(), "", returns_of()).taken == 1


def test_it_looks_as_often_as_it_is_told(database, box):
    campaign = sent_to(2)
    clock = FixedClock(NOW)
    takes = Returns(TOKENS, clock, domain=DOMAIN)
    every = timedelta(minutes=5)
    fetching = Fetching(box.settings(), "", takes, every=every, clock=clock)
    box.deliver(delivered_to(return_path(campaign, 1), dsn(1)))

    first = fetching.fetch_due()
    box.deliver(delivered_to(return_path(campaign, 2), dsn(2)))
    at_once = fetching.fetch_due()
    clock.advance(every)
    later = fetching.fetch_due()

    assert [one.taken for one in (first, at_once, later)] == [1, 0, 1]


def test_a_mailbox_that_is_away_or_refuses_says_so_without_its_login(box):
    away = box.settings(wait=timedelta(seconds=5))
    refused = box.settings(folder="No such folder")

    with pytest.raises(MailboxRefused) as wrong, ImapBox(refused):
        pass

    assert "No such folder" not in str(wrong.value)
    object.__setattr__(away, "port", 1)
    with pytest.raises(MailboxAway) as gone, ImapBox(away):
        pass
    assert "returns" not in str(gone.value)
