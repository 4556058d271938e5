# SPDX-License-Identifier: Apache-2.0
"""The undo window on the pages: time left, send now, withdraw, what had left."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import override_settings

from tests.console.world import SAM, World, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.core.held import CopyEvent, CopyState, HoldState
from undisclosed.store import desk
from undisclosed.store.models import Role

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def undo_of(seconds):
    """The settings with this undo window."""
    given = wiring.settings()
    holds = replace(given.holds, undo_split=timedelta(seconds=seconds))
    with override_settings(UNDISCLOSED=replace(given, holds=holds)):
        yield


@pytest.fixture
def world(database):
    return World(database)


def sent_singly(world, people=9):
    """A mailing that its sender sent singly, in its undo window, and their browser."""
    mailing = world.hold(message(outsiders(people)))
    client = world.client(Role.SENDER, login=SAM.spelled_out())
    with undo_of(120):
        client.post(f"/mailings/{mailing}/send-singly/")
    return mailing, client


def test_the_page_says_how_long_it_can_still_be_taken_back(world):
    mailing, client = sent_singly(world)

    page = client.get(f"/mailings/{mailing}/").content.decode()

    assert "Leaves in " in page
    assert "Nothing of it has left yet." in page
    assert "Send now" in page
    assert "Withdraw" in page


def test_the_fragment_counts_down(world):
    mailing, client = sent_singly(world)

    fragment = client.get(
        f"/mailings/{mailing}/progress/", headers={"HX-Request": "true"}
    ).content.decode()

    assert "Leaves in 1" in fragment
    assert "every 2s" in fragment


def test_what_is_withdrawn_in_its_window_never_leaves(world):
    mailing, client = sent_singly(world)

    answer = client.post(f"/mailings/{mailing}/withdraw/", follow=True)

    page = answer.content.decode()
    assert "Withdrawn by Olive" in page
    assert "Nobody received it." in page
    assert "Taken back" in page
    assert desk.caught_count() == 0
    world.deliver()
    assert not [c for c in desk.caught().items if c.mail_from]


def test_send_now_lets_it_leave(world):
    mailing, client = sent_singly(world)

    client.post(f"/mailings/{mailing}/send-now/")
    world.deliver()

    assert desk.copies_by_state(mailing)[CopyState.SENT] == 9
    assert "Send now" not in client.get(f"/mailings/{mailing}/").content.decode()
    assert client.post(f"/mailings/{mailing}/send-now/").status_code in (403, 409)


def test_withdrawn_midway_the_page_says_exactly_what_had_left(world):
    mailing = world.hold(message(outsiders(9)))
    client = world.client(Role.SENDER, login=SAM.spelled_out())
    client.post(f"/mailings/{mailing}/send-singly/")
    spool = wiring.spool()
    taken = [
        copy
        for copy in spool.claim(by="w", limit=20, lease=timedelta(minutes=5), now=now())
        if copy.hold_id
    ]
    for copy in taken[:4]:
        spool.mark(copy.id, CopyEvent.REPLY_2XX, "250 OK", now=now())
    spool.mark(taken[4].id, CopyEvent.REPLY_4XX, "451 Later", now=now())
    spool.give_back(by="w")

    page = client.post(f"/mailings/{mailing}/withdraw/", follow=True).content.decode()

    assert "while it was being sent" in page
    assert "4 copies had left; 1 copy was taken back and never leaves." in page
    assert "4 copies may have left" in page
    assert desk.mailing(mailing).state is HoldState.WITHDRAWN
    listed = client.get(f"/mailings/{mailing}/copies/").content.decode()
    assert listed.count("Withdrawn, may have left") == 4
    assert listed.count("Withdrawn before it left") == 1


def test_the_link_of_a_notice_takes_it_back_and_hurries_it(world):
    mailing, _ = sent_singly(world)
    token = world.link(mailing)
    browser = world.client()

    page = browser.get(f"/links/{token}/").content.decode()
    answer = browser.post(f"/links/{token}/withdraw/", follow=True).content.decode()

    assert "Send now" in page
    assert "Withdrawn by you" in answer
    assert browser.post(f"/links/{token}/send-now/").status_code == 409


def test_others_cannot_take_it_back(world):
    mailing, _ = sent_singly(world)
    approver = world.client(Role.SUPERVISOR, login="ann@council.example", name="Ann")

    page = approver.get(f"/mailings/{mailing}/").content.decode()

    assert "Take it back" not in page
    assert approver.post(f"/mailings/{mailing}/withdraw/").status_code == 403
    assert desk.mailing(mailing).state is HoldState.SPLIT


def test_a_get_takes_nothing_back(world):
    mailing, client = sent_singly(world)

    for act in ("withdraw", "send-now"):
        assert client.get(f"/mailings/{mailing}/{act}/").status_code == 405
    assert desk.copies_by_state(mailing)[CopyState.QUEUED] == 9
