# SPDX-License-Identifier: Apache-2.0
"""Seeds: what arrives is what left, or the difference is told without an address."""

import asyncio
from datetime import timedelta

import pytest

from tests.send.test_returns import TOKENS
from tests.store.campaigns import COLUMNS, NOW, row, sending
from tests.transport.dovecot import dovecot, needs_dovecot
from tests.transport.smtp.talking import run
from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, MailKind
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.send.batch import Maker
from undisclosed.send.merge import compile_draft
from undisclosed.send.seeds import SEED_ROWS, Seen, differences, prove, seeds_of
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns, returns
from undisclosed.transport.smtp.client import HopReply

BOX = Address("seed", "elsewhere.test")
DRAFT = Draft(
    "Bins, {{ name }}",
    "Dear {{ name }},\n\nwe write to {{ email }} about Monday.",
    Address("team", "c.test"),
    reply_to=Address("answers", "c.test"),
    kind=MailKind.MARKETING,
)
SETTINGS = SendSettings(
    hostname="c.test",
    return_domain="bounces.c.test",
    unsubscribe_page="https://c.test/unsubscribe/{token}/",
)
TRACE = (
    b"Return-Path: <b-%s@bounces.c.test>\r\n"
    b"Delivered-To: seed@elsewhere.test\r\n"
    b"Received: from mx.c.test by mx.elsewhere.test for <seed@elsewhere.test>;\r\n"
    b" Sat, 21 Nov 2026 09:00:00 +0000\r\n"
    b"Authentication-Results: mx.elsewhere.test; spf=pass smtp.mailfrom=c.test;\r\n"
    b" dkim=pass header.d=c.test; dmarc=pass header.from=c.test\r\n"
) % (26 * b"a")


def made(campaign, people=(1,)):
    """The seeds of so many rows."""
    template = compile_draft(DRAFT, COLUMNS, hostname="c.test")
    maker = Maker(campaigns.get(campaign), template, TOKENS, SETTINGS)
    return seeds_of(maker, [row(n) for n in people], [BOX], NOW)


@pytest.fixture
def left(database):
    """A message as it left."""
    (seed,) = made(sending(1))
    return seed.content


def changed(content, before, after):
    assert before in content
    return content.replace(before, after, 1)


def test_a_seed_is_a_rows_message_to_a_box_and_names_nobody_else(database):
    campaign = sending(2)

    first, second = made(campaign, (1, 2))

    for seed in (first, second):
        assert read_content(seed.content, Policy()).destinations == (BOX,)
        assert b"a.example" not in seed.content
        assert seed.envelope.rcpt_tos == (BOX,)
    assert b"Bins, P2" in second.content
    assert first.message_id != second.message_id


def test_a_seeds_tokens_belong_to_nobody(database):
    campaign = sending(1)
    (seed,) = made(campaign)

    opened = TOKENS.open(Purpose.MESSAGE_ID, seed.message_id.partition("@")[0])

    assert opened == (campaigns.get(campaign).serial, SEED_ROWS)
    assert returns.whose(*opened) is None


def test_what_servers_note_on_the_way_is_no_difference(left):
    assert differences(left, TRACE + left, BOX) == []
    assert differences(left, (TRACE + left).replace(b"\r\n", b"\n"), BOX) == []


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        (
            b"\nTo: seed@elsewhere.test",
            b"\nTo: seed@elsewhere.test, p7@a.example",
            "It is addressed to 2 people.",
        ),
        (b"Subject:", b"Cc: p7@a.example\r\nSubject:", "It is addressed to 2 people."),
        (
            b"Subject:",
            b"X-Recipients: p7@a.example, p8@a.example\r\nSubject:",
            "2 addresses stand in it that did not leave",
        ),
        (b"Subject: Bins", b"Subject: [SPAM] Bins", "The field subject arrived"),
        (b"Reply-To: ", b"X-Was: ", "The field reply-to did not arrive."),
        (
            b"List-Unsubscribe-Post: ",
            b"X-Was: ",
            "The field list-unsubscribe-post did not arrive.",
        ),
        (b"Monday", b"Tuesday", "A part arrived changed (text/plain)."),
        (
            b"Monday",
            b"Monday. Sent on by p7@a.example",
            "1 addresses stand in it that did not leave",
        ),
        (b"From: ", b"From: x@y.test\r\nFrom: ", "The field from was added."),
        (b"spf=pass", b"spf=fail", "The mailbox's server says spf=fail."),
    ],
)
def test_what_is_otherwise_is_told_without_an_address(left, before, after, difference):
    arrived = changed(TRACE + left, before, after)

    found = differences(left, arrived, BOX)

    assert [one for one in found if one.startswith(difference)]
    assert "@" not in "".join(found)


def test_a_footer_is_a_difference(left):
    arrived = left.replace(b"--=_text--", b"--=_text\r\n\r\nAn advert\r\n--=_text--")

    assert differences(left, arrived, BOX)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with dovecot() as running:
        yield running


@needs_dovecot
def test_seeds_travel_and_are_fetched_raw(database, server):
    seeds = made(sending(3), (1, 2, 3))

    async def send(envelope, content):
        number = [one.content for one in seeds].index(content)
        if number == 2:
            return HopReply(550, "no")
        if number == 1:
            content = changed(content, b"Monday", b"Tuesday")
        await asyncio.to_thread(server.deliver, TRACE + content)
        return HopReply(250, "yes")

    seen = run(prove(seeds, send, server.settings(), wait=timedelta(seconds=30)))

    assert seen[0] == Seen(1, 250, has_arrived=True)
    assert seen[0].is_same
    assert seen[1].differences[0] == "A part arrived changed (text/plain)."
    assert seen[2] == Seen(3, 550, has_arrived=False)
    assert server.flags() == []


@needs_dovecot
def test_what_does_not_arrive_is_told_after_the_wait(database, server):
    async def send(envelope, content):
        return HopReply(250, "yes")

    (seen,) = run(prove(made(sending(1)), send, server.settings(), wait=timedelta(0)))

    assert seen == Seen(1, 250, has_arrived=False)
    assert not seen.is_same
