# SPDX-License-Identifier: Apache-2.0
"""``undisclosed held``, ``trace`` and ``bypass``: deciding and asking by terminal."""

import pytest

from tests.cli.parts import Parts
from tests.console.world import SAM, World, message, outsiders
from undisclosed.cli import main, wiring
from undisclosed.core.held import CopyState, HoldState
from undisclosed.store import bypass, desk
from undisclosed.store.accepted import PostgresTrace
from undisclosed.store.models import JournalEntry, Role

pytestmark = pytest.mark.usefixtures("database")

LOGIN = SAM.spelled_out()


@pytest.fixture
def world(database, monkeypatch):
    monkeypatch.setattr(wiring, "configure", lambda settings: None)
    monkeypatch.setenv("UNDISCLOSED_SETTINGS", str(database.settings.file))
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", database.settings.master_key.hex())
    return World(database)


def said(capsys, *command):
    """The exit code, and what was printed to both streams."""
    code = main(command)
    out, err = capsys.readouterr()
    return code, out + err


def held(world, people=9):
    mailing = world.hold(message(outsiders(people)))
    return mailing, desk.mailing(mailing).batches[0].hold_id


def test_the_list_says_whether_mail_waits(world, capsys):
    empty = said(capsys, "held", "list")
    mailing, _ = held(world)

    code, text = said(capsys, "held", "list")

    assert empty == (0, "No mail waits for a decision.\n")
    assert code == 3
    assert mailing in text
    assert "9 people, 1 held" in text
    assert LOGIN not in text


def test_one_mailing_is_shown_by_either_id(world, capsys):
    mailing, hold_id = held(world)

    shown = said(capsys, "held", "show", mailing)

    assert shown == said(capsys, "held", "show", hold_id)
    assert shown[0] == 0
    assert "shown-outsiders: 9 people would see" in shown[1]
    assert said(capsys, "held", "show", "no-such-id")[0] == 78


def test_its_sender_sends_it_singly(world, capsys):
    mailing, _ = held(world)
    world.account(Role.SENDER, login=LOGIN, name="Sam")

    code, text = said(capsys, "held", "send-singly", mailing, "--as", LOGIN)

    assert code == 0, text
    assert "copies queued: 9" in text
    assert desk.mailing(mailing).state is HoldState.SPLIT


def test_what_is_sent_can_be_withdrawn_until_it_left(world, capsys):
    mailing, _ = held(world)
    world.account(Role.SENDER, login=LOGIN, name="Sam")
    said(capsys, "held", "send-singly", mailing, "--as", LOGIN)

    code, text = said(capsys, "held", "withdraw", mailing, "--as", LOGIN)
    again, why = said(capsys, "held", "withdraw", mailing, "--as", LOGIN)

    assert (code, again) == (0, 77)
    assert "copies withdrawn: 9" in text
    assert "Nothing of it waits any more." in why


def test_an_approver_releases_with_a_reason_and_nobody_their_own(world, capsys):
    mailing, _ = held(world)
    world.account(Role.SENDER, Role.SUPERVISOR, login=LOGIN, name="Sam")
    world.account(Role.MANAGER, login="max@council.example", name="Max")
    why = ("--reason", "They know one another.")

    own = said(capsys, "held", "release", mailing, "--as", LOGIN, *why)
    empty = said(
        capsys,
        "held",
        "release",
        mailing,
        "--as",
        "max@council.example",
        "--reason",
        " ",
    )
    done = said(capsys, "held", "release", mailing, "--as", "max@council.example", *why)

    assert (own[0], empty[0], done[0]) == (77, 77, 0)
    assert "Nobody releases their own mail" in own[1]
    assert desk.mailing(mailing).state is HoldState.RELEASED


def test_an_address_without_an_account_decides_nothing(world, capsys):
    mailing, _ = held(world)

    code, text = said(capsys, "held", "withdraw", mailing, "--as", LOGIN)

    assert (code, "no account" in text) == (78, True)
    assert desk.mailing(mailing).state is HoldState.HELD


def test_a_trace_tells_of_held_and_of_accepted_mail(world, capsys):
    mailing, hold_id = held(world)
    to = outsiders(9)[0]
    nothing = said(capsys, "trace", "--from", "eve@council.example", "--to", to)
    trace = PostgresTrace()
    trace.accepted(message([to]), wiring.utc_now())
    trace.close()

    code, text = said(capsys, "trace", "--from", LOGIN, "--to", to)

    assert nothing[0] == 0
    assert "guard.trace" in nothing[1]
    assert code == 3
    assert f"held as {hold_id}: held" in text
    assert "accepted (" in text
    assert "mail traced" in world.events()
    assert to not in str(list(JournalEntry.objects.values_list("facts", flat=True)))
    assert mailing


def test_a_trace_says_where_the_copy_is(world, capsys):
    mailing, _ = held(world)
    world.client(Role.SENDER, login=LOGIN).post(f"/mailings/{mailing}/send-singly/")
    world.deliver()

    _, text = said(capsys, "trace", "--from", LOGIN, "--to", outsiders(9)[3])

    assert "the copy (private copy) was taken by the next hop" in text
    assert desk.copies_by_state(mailing)[CopyState.SENT] == 9


def test_a_trace_wants_whole_addresses(world, capsys):
    assert said(capsys, "trace", "--from", "sam", "--to", "ann")[0] == 78


def test_a_bypass_is_started_told_and_ended(world, capsys):
    off = said(capsys, "bypass", "status")
    start = said(
        capsys, "bypass", "start", "--for", "2h", "--reason", "The database moves."
    )
    on = said(capsys, "bypass", "status")
    end = said(capsys, "bypass", "end")

    assert off == (0, "No bypass is on.\n")
    assert start[0] == 0
    assert "postconf -e 'content_filter ='" in start[1]
    assert "NOTHING IS GUARDED" in start[1]
    assert (on[0], "mail goes around the guard" in on[1]) == (3, True)
    assert "The database moves." in on[1]
    assert end[0] == 0
    assert "content_filter = smtp:[127.0.0.1]:10025" in end[1]
    assert world.events() == ["bypass started", "bypass ended"]
    assert bypass.active() is None


@pytest.mark.parametrize(
    ("options", "said_so"),
    [
        (("--for", "4d", "--reason", "x"), "at most 3 days"),
        (("--for", "soon", "--reason", "x"), "as in 30m"),
        (("--for", "0h", "--reason", "x"), "as in 30m"),
        (("--for", "2h", "--reason", " "), "needs a reason"),
    ],
)
def test_a_bypass_needs_a_time_and_a_reason(world, capsys, options, said_so):
    code, text = said(capsys, "bypass", "start", *options)

    assert code == 78
    assert said_so in text
    assert bypass.active() is None


def test_nothing_is_ended_where_nothing_is_on(world, capsys):
    assert said(capsys, "bypass", "end")[0] == 78


def test_the_way_around_is_told_while_the_database_is_away(tmp_path):
    parts = Parts(tmp_path)
    parts.write(store={"data": "data"})

    done = parts.ended("bypass", "start", "--for", "1h", "--reason", "Outage.")

    assert done.returncode == 75
    assert "postconf -e 'content_filter ='" in done.stdout
    assert "IS NOT JOURNALLED" in done.stderr
