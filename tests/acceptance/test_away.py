# SPDX-License-Identifier: Apache-2.0
"""The store or the next hop is away: 451, nothing lost, nothing passed, and it heals.

And what time does to mail that nobody touches, in seconds instead of days.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import Installation, free_port, toml, until
from tests.acceptance.letters import SENDER, hand_in, letter, people

APPROVER, DESK = "approver@authority.example", "desk@authority.example"
HOLDS = {
    "expiry": 0.0003,  # days: 26 seconds
    "escalate_after": 0.0001,  # hours: at the first look
    "escalations": 2,
    "approvers": [APPROVER],
    "desk": DESK,
    "notice_from": "guard@authority.example",
}

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("away")
    installation = Installation(
        folder, holds=HOLDS, delivery={"retry": [0.01], "dsn_interval": 60}
    )
    installation.prepare()
    with installation:
        yield installation


@pytest.fixture(scope="module")
def untouched(installation: Installation) -> tuple[str, str]:
    """A held mail that nobody decides about, and one of the null sender."""
    for name, sender in (("untouched", SENDER), ("ownerless", "")):
        content = letter(people(9, name), name)
        answers = hand_in(
            installation.guard_port, people(9, name), content, sender=sender
        )
        assert answers.is_held, answers
    return "untouched", "ownerless"


@pytest.fixture
def observer(installation: Installation) -> Iterator[int]:
    """The port of a second guard over the same tables, in observe mode."""
    port, file = free_port(), installation.folder / "observe.toml"
    guard = {
        "listen": f"127.0.0.1:{port}",
        "next_hop": f"127.0.0.1:{installation.hop_port}",
        "mode": "observe",
    }
    policy = {"own_domains": ["authority.example"]}
    store = {"data": "."}
    file.write_text(toml({"guard": guard, "policy": policy, "store": store}))
    installation.start("observer", "guard", "--settings", str(file))
    installation.wait_for(port)
    yield port
    assert installation.stop("observer") == 0


def _taken(installation: Installation, test_id: str) -> list[dict[str, Any]]:
    mark = f"X-Test-Id: {test_id}\r\n"
    return [taken for taken in installation.taken() if mark in taken["content"]]


def _to(installation: Installation, recipient: str, words: str) -> list[dict[str, Any]]:
    """Our own mail to somebody, by a phrase of it."""
    return [
        taken
        for taken in installation.taken()
        if taken["rcpts"] == [recipient] and words in taken["content"]
    ]


def test_while_the_store_is_away_mail_to_one_passes_and_everything_else_is_451(
    installation: Installation, untouched: tuple[str, str]
) -> None:
    port = installation.guard_port
    installation.database.stop()
    try:
        alone = hand_in(port, people(1), letter(people(1), "alone"))
        pair = hand_in(port, people(2), letter(people(2), "pair"))
        many = hand_in(port, people(9), letter(people(9), "many"))
        recall = hand_in(port, people(1), letter(people(1), "Recall: alone"))
        installation.kill("guard")
        installation.wait_for(port)
        after_restart = hand_in(port, people(1), letter(people(1), "restarted"))
    finally:
        installation.database.start()

    assert alone.is_passed
    assert after_restart.is_passed
    assert (pair.code, many.code) == (451, 451)
    assert not recall.is_passed
    assert len(_taken(installation, "alone")) == 1
    for name in ("pair", "many"):
        assert _taken(installation, name) == []


def test_when_the_store_is_back_guard_and_worker_go_on_without_a_restart(
    installation: Installation,
) -> None:
    port = installation.guard_port
    assert hand_in(port, people(9), letter(people(9), "before")).is_held
    installation.database.stop()
    assert hand_in(port, people(9), letter(people(9), "healing")).code == 451
    installation.database.start()

    answers = hand_in(port, people(9), letter(people(9), "healing"))

    assert answers.is_held
    until(
        lambda: _to(installation, SENDER, "Subject: Held: healing"),
        "the sender's notice leaves",
    )


def test_observe_mode_passes_everything_and_records_what_it_would_have_done(
    installation: Installation, observer: int
) -> None:
    many = hand_in(observer, people(9), letter(people(9), "observed"))
    recall = hand_in(observer, people(9), letter(people(9), "Recall: observed"))

    assert (many.is_passed, recall.is_passed) == (True, True)
    assert len(_taken(installation, "observed")) == 1
    journal = installation.rows(
        "SELECT facts->>'action', facts->>'people' FROM store_journalentry"
        " WHERE event = 'observed' ORDER BY at"
    )
    assert [action for action, _ in journal] == ["hold", "reject"]
    assert journal[0][1] == "9"


def test_observe_mode_passes_everything_while_the_store_is_away_with_an_alarm(
    installation: Installation, observer: int
) -> None:
    before = installation.log.read_text().count("Memory is away.")
    installation.database.stop()
    try:
        many = hand_in(observer, people(9), letter(people(9), "observed-away"))
    finally:
        installation.database.start()

    assert many.is_passed
    assert len(_taken(installation, "observed-away")) == 1
    assert installation.log.read_text().count("Memory is away.") > before


def test_while_the_next_hop_is_away_mail_is_451_and_copies_wait_for_it(
    installation: Installation,
) -> None:
    port = installation.guard_port
    assert hand_in(port, people(9), letter(people(9), "waiting")).is_held
    assert installation.stop("hop") is not None
    installation.clerk("singly", "waiting")

    refused = hand_in(port, people(1), letter(people(1), "hopless"))

    assert refused.mail == 451
    until(
        lambda: ("delayed", 9) in _copies_of(installation, 9),
        "the copies are delayed",
    )
    installation.start("hop")
    installation.wait_for(installation.hop_port)
    until(
        lambda: len(_taken(installation, "waiting")) == 9, "every copy leaves, singly"
    )
    recipients = [taken["rcpts"] for taken in _taken(installation, "waiting")]
    assert sorted(recipients) == sorted([person] for person in people(9))
    passed = hand_in(port, people(1), letter(people(1), "hopful"))
    assert passed.is_passed


def _copies_of(installation: Installation, people: int) -> list[tuple[str, int]]:
    return installation.rows(
        "SELECT o.state, count(*)::int FROM store_outgoingmail o"
        " JOIN store_heldmail h ON h.id = o.hold_id WHERE h.people = %s"
        " GROUP BY 1",
        (people,),
    )


def test_failed_copies_come_back_as_one_report_that_names_nobody_else(
    installation: Installation,
) -> None:
    there, gone = people(8, "there"), people(3, "gone")
    shown = (*there, *gone)
    assert hand_in(installation.guard_port, shown, letter(shown, "failing")).is_held
    installation.stop("hop")
    installation.clerk("singly", "failing")

    installation.start("hop", "gone")
    installation.wait_for(installation.hop_port)

    until(lambda: _reports(installation), "the report leaves")
    installation.stop("hop")
    installation.start("hop")
    (report,) = _reports(installation)
    assert sorted(taken["rcpts"] for taken in _taken(installation, "failing")) == [
        [person] for person in sorted(there)
    ]
    assert report["rcpts"] == [SENDER]
    for person in gone:
        assert f"Final-Recipient: rfc822; {person}" in report["content"]
    assert "there" not in report["content"].replace("there again", "")
    assert "failing-word7" not in report["content"]


def _reports(installation: Installation) -> list[dict[str, Any]]:
    mark = "Content-Type: message/delivery-status"
    return [
        t for t in installation.taken() if t["sender"] == "" and mark in t["content"]
    ]


def test_untouched_mail_escalates_and_goes_back_to_its_sender_but_not_to_nobody(
    installation: Installation, untouched: tuple[str, str]
) -> None:
    waits, has_no_sender = "A held mail has waited", "It has no sender"

    until(lambda: _to(installation, APPROVER, waits), "the approver is told")
    until(lambda: _to(installation, DESK, waits), "the desk is told")
    until(
        lambda: _to(installation, SENDER, "untouched-word7"),
        "the mail goes back to its sender",
    )

    (way_back,) = _to(installation, SENDER, "untouched-word7")
    assert way_back["sender"] == ""
    assert _to(installation, DESK, has_no_sender)
    assert not _to(installation, APPROVER, has_no_sender)
    for name in untouched:
        seen = [t for t in installation.taken() if f"{name}0@" in t["rcpts"]]
        assert seen == []
    ((state, age),) = installation.rows(
        "SELECT state, now() > expires_at FROM store_heldmail WHERE sender_hash IS NULL"
    )
    assert (state, age) == ("held", True)
