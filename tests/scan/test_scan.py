# SPDX-License-Identifier: Apache-2.0
"""Scans: what is found, what is one mailing, what a broken message may break."""

import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scan.archive import people, scanned, written
from undisclosed.core.documents import Reader
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action
from undisclosed.scan import workers
from undisclosed.scan.message import Judged, Looked, judge_alone, look
from undisclosed.scan.scan import Progress, Result, scan
from undisclosed.transport.mailbox import (
    Item,
    Message,
    PassedOver,
    Unreadable,
    read_path,
)

REALMAIL = Path(__file__).parents[3] / "shared/corpora/realmail"
LIMITS = ((5, 3), (10, 5), (20, 5), (30, 10))


@settings(max_examples=40)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.randoms())
def test_the_order_of_an_archive_changes_nothing(
    sizes: list[int], chance: random.Random
) -> None:
    contents = [written(people(100 * n, size), days=n) for n, size in enumerate(sizes)]
    shuffled = chance.sample(contents, len(contents))

    one, other = scanned(contents), scanned(shuffled)

    assert one.people == other.people
    assert one.disclosures == other.disclosures
    assert len(one.mailings) == len(other.mailings)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_message_that_shows_more_than_the_limit_is_found(jobs: int) -> None:
    result = scanned([written(people(0, 6)), written(people(10, 1), days=1)], jobs=jobs)

    assert [glance.name for glance in result.found] == ["1"]
    assert result.messages == 2
    assert len(result.people) == 6
    assert result.disclosures == 30
    assert result.mailings[0].action is Action.HOLD


def test_two_processes_find_what_one_finds() -> None:
    contents = [written(people(n, n % 9 + 1), days=n / 7) for n in range(900)]

    alone, together = scanned(contents), scanned(contents, jobs=2)

    assert alone.mailings == together.mailings


def test_small_batches_of_one_sender_are_one_mailing() -> None:
    result = scanned([written(people(10 * n, 4), days=n) for n in range(5)])

    assert len(result.mailings) == 1
    mailing = result.mailings[0]
    assert len(mailing.messages) == 5
    assert len(mailing.people) == 20
    assert mailing.disclosures == 5 * 4 * 3
    assert [glance.is_found for glance in mailing.messages] == [False] + 4 * [True]


def test_batches_of_one_day_with_other_words_are_two_mailings() -> None:
    other = "The car park is closed on Monday because of the works at the entrance."

    result = scanned(
        [written(people(0, 9)), written(people(20, 9), subject="Parking", text=other)]
    )

    assert len(result.mailings) == 2


def test_batches_further_apart_than_the_window_do_not_add_up() -> None:
    assert (
        scanned([written(people(10 * n, 4), days=20 * n) for n in range(5)]).found == ()
    )


def test_batches_of_two_senders_do_not_add_up() -> None:
    contents = [
        written(people(10 * n, 4), sender=f"clerk{n}@council.example") for n in range(5)
    ]

    assert scanned(contents).found == ()


def test_copies_of_one_message_in_two_mailboxes_count_once() -> None:
    once = written(people(0, 8), identity="one")

    result = scanned([once, b"Received: from a.example\n" + once])

    assert result.disclosures == 8 * 7
    assert len(result.found) == 2


def test_a_bcc_that_stands_in_the_message_counts_as_a_viewer() -> None:
    content = written(people(0, 3)).replace(
        b"Subject:", b"Bcc: more@other.example\nSubject:"
    )

    judged = judge_alone(Message("", content), Policy())

    assert isinstance(judged, Judged)
    assert len(judged.reading.viewers) == 4


def test_own_domains_of_the_policy_replace_the_senders() -> None:
    contents = [
        written([f"a{n}@own.example" for n in range(9)], sender="me@other.test")
    ]

    own = frozenset({"own.example", "other.test"})
    assert scanned(contents, own_domains=own).found == ()


def test_what_is_no_message_is_told_and_counted() -> None:
    items: list[Item] = [
        Unreadable("a", "is empty"),
        PassedOver("b"),
        Message("c", written(people(0, 6))),
    ]

    result = scan(items, Policy())

    assert result.problems == (Unreadable("a", "is empty"),)
    assert result.passed_over == 1
    assert len(result.found) == 1


def _dies_of_some(
    messages: Sequence[Message], policy: Policy, reader: Reader | None
) -> Looked:
    if any(b"poison" in message.content for message in messages):
        os._exit(9)
    return look(messages, policy, reader)


def test_a_message_that_kills_its_process_is_named_and_the_others_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "look", _dies_of_some)
    monkeypatch.setattr("undisclosed.scan.scan.BATCH_MESSAGES", 2)
    contents = [written(people(10 * n, 6), days=30 * n) for n in range(7)]
    contents[3] = written(people(0, 6), text="poison")

    result = scanned(contents, jobs=2)

    assert [problem.name for problem in result.problems] == ["4"]
    assert result.messages == 7
    assert len(result.found) == 6


def test_ctrl_c_ends_a_scan_with_what_it_has() -> None:
    def interrupted() -> Iterator[Item]:
        for n in range(500):
            yield Message(str(n), written(people(0, 6)))
        raise KeyboardInterrupt

    seen: list[int] = []

    def remember(progress: Progress) -> None:
        seen.append(progress.messages)

    result = scan(interrupted(), Policy(), on_progress=remember)

    assert not result.is_complete
    assert result.messages == seen[-1] == 400
    assert len(result.found) == 400


@pytest.fixture(scope="module")
def realmail() -> Result:
    if not REALMAIL.is_dir():
        pytest.skip("the corpus realmail is not there")
    items = (item for path in _sets() for item in read_path(path))
    return scan(items, Policy(), jobs=2)


def test_a_real_archive_is_read_whole(realmail: Result) -> None:
    assert realmail.messages > 15_000
    assert realmail.problems == ()


@pytest.mark.parametrize(("least", "domains"), LIMITS)
def test_a_real_archive_gives_at_least_the_candidates_of_its_statistics(
    realmail: Result, least: int, domains: int
) -> None:
    for path in _sets():
        expected = _expected(path, least, domains)
        names = {one.name for one in realmail.found if one.name.startswith(str(path))}
        candidates = _candidates(path, least, domains)

        assert len(candidates) >= expected
        assert len(names) >= expected
        missing = [name for name in candidates if name not in names]
        if least > Policy().max_shown_outsiders and domains > 4:
            assert missing == []


def _sets() -> list[Path]:
    return sorted(REALMAIL.glob("*.mbox.gz"))


def _expected(path: Path, least: int, domains: int) -> int:
    """What the statistics count in a set; 0 where they count nothing."""
    counted = json.loads((REALMAIL / "stats.json").read_text())["disclosure_candidates"]
    name = path.name.removesuffix(".mbox.gz") + "/open"
    key = f"external recipients>={least} in >={domains} domains"
    return int(counted.get(name, {}).get(key, 0))


_COUNTED: dict[Path, list[tuple[str, int, int]]] = {}


def _candidates(path: Path, least: int, domains: int) -> list[str]:
    """Messages with so many recipients outside the From domain, by our reading."""
    if path not in _COUNTED:
        _COUNTED[path] = [_external(one) for one in read_path(path)]
    return [
        name
        for name, people_outside, domains_outside in _COUNTED[path]
        if people_outside >= least and domains_outside >= domains
    ]


def _external(message: Item) -> tuple[str, int, int]:
    assert isinstance(message, Message)
    judged = judge_alone(message, Policy())
    assert isinstance(judged, Judged)
    content = judged.reading.content
    own = content.author.domain.lower() if content.author else ""
    outside = {one for one in content.destinations if one.domain.lower() != own}
    return message.name, len(outside), len({one.domain.lower() for one in outside})
