# SPDX-License-Identifier: Apache-2.0
"""kill -9, and a lost connection, at every answer of the database: nothing is lost.

A mail is handed in again and again, each time with one more answer passed on before
the guard is killed, until one of them comes through without a kill: then every state
that the journal of such a mail can be in was one in which a guard died.
"""

import contextlib
import json
import smtplib
import tempfile
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.acceptance import tap
from tests.acceptance.installation import Installation, until
from tests.acceptance.letters import SENDER, Answers, hand_in, letter, people
from tests.acceptance.tap import Tap

MOST_ANSWERS = 40
"""Far more than the guard asks its database for one mail."""
KILLS_OF_A_WORKER = (1, 2, 3, 5, 8, 13)
"""At which answer since its start a worker is killed, one after the other."""

pytestmark = pytest.mark.timeout(300)


class Tapped:
    """An installation whose guards and worker reach the database through a tap."""

    def __init__(self, installation: Installation, the_tap: Tap) -> None:
        self.installation = installation
        self.tap = the_tap

    def arm(self, number: int, deed: tap.Deed, name: str = "guard") -> None:
        """Do the deed at the n-th answer to a part."""
        self.tap.arm(number, deed, self.installation.processes[name].pid)

    def was_reached(self, name: str = "guard") -> bool:
        """Whether the deed was done; a part that it killed runs again."""
        self.tap.disarm()
        process = self.installation.processes[name]
        if process.pid not in self.tap.victims:
            return False
        self.tap.victims.clear()
        if self.tap.deed is tap.kill:
            process.wait(30)
            self.installation.start(name)
        return True

    def hand_in(self, to: tuple[str, ...], content: bytes) -> Answers | None:
        """Hand in once; None where the connection was lost: nothing acknowledged."""
        try:
            return hand_in(self.installation.guard_port, to, content)
        except (OSError, smtplib.SMTPException):
            return None

    def until_taken(self, to: tuple[str, ...], content: bytes) -> Answers:
        """Try again until it is acknowledged, as mail servers do."""

        def taken() -> Answers | None:
            answers = self.hand_in(to, content)
            return answers if answers is not None and answers.code == 250 else None

        found: Answers = until(taken, "the mail is taken in the end")
        return found

    def taken(self) -> Counter[tuple[str, str]]:
        """How often the next hop got each mail for each person."""
        return Counter(
            (_test_id(record["content"]), person)
            for record in self.installation.taken()
            for person in record["rcpts"]
        )

    def held(self) -> Counter[str]:
        """How often each mail is held, by its test's id."""
        state = json.loads(self.installation.clerk("state"))
        return Counter(mail["test_id"] for mail in state["held"].values())


def _letter(to: tuple[str, ...], name: str) -> bytes:
    """A mail that shares no words with any other: each is a mailing of its own."""
    words = " ".join(sha256(f"{name}{n}".encode()).hexdigest() for n in range(40))
    return letter(
        to, name, text=words.translate(str.maketrans("0123456789", "ghijklmnop"))
    )


def _test_id(content: str) -> str:
    return content.partition("X-Test-Id: ")[2].partition("\r\n")[0]


@pytest.fixture(scope="module")
def tapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tapped]:
    folder = tmp_path_factory.mktemp("states")
    installation = Installation(folder)
    installation.prepare()
    installation.database.start()
    # The path of a socket is short (unix(7)); a test's own folder may be deep.
    with tempfile.TemporaryDirectory(prefix="tap-") as short:
        the_tap = Tap(installation.database.url, Path(short))
        installation.own_environment = {"DATABASE_URL": the_tap.url}
        with installation:
            yield Tapped(installation, the_tap)
            the_tap.disarm()
        the_tap.close()


@pytest.mark.parametrize("deed", [tap.kill, tap.cut], ids=["kill -9", "cut off"])
@pytest.mark.parametrize(
    ("count", "is_held"), [(9, True), (3, False)], ids=["held", "passed on"]
)
def test_a_guard_that_ends_at_any_answer_loses_and_doubles_nothing(
    tapped: Tapped, count: int, is_held: bool, deed: tap.Deed
) -> None:
    kind = f"{deed.__name__}-{count}"
    tapped.until_taken(people(1), _letter(people(1), f"{kind}-warm"))
    sent: list[str] = []
    for number in range(1, MOST_ANSWERS):
        name = f"{kind}-{number}"
        to, content = people(count, name), _letter(people(count, name), name)
        tapped.arm(number, deed)
        answers = tapped.hand_in(to, content)
        was_reached = tapped.was_reached()
        if answers is None or answers.code != 250:
            answers = tapped.until_taken(to, content)
        assert answers.is_held is is_held
        sent.append(name)
        if not was_reached:
            break
    assert len(sent) > 2, "no answer was kept back"
    assert len(sent) < MOST_ANSWERS - 1, "the guard asks without end"

    taken, held = tapped.taken(), tapped.held()
    for name in sent:
        assert held[name] == (1 if is_held else 0), name
        times = [taken[name, person] for person in people(count, name)]
        assert max(times) == 0 if is_held else min(times) >= 1, name


def test_whoever_holds_a_mail_is_told_of_it_once_however_often_the_guard_died(
    tapped: Tapped,
) -> None:
    name, installation = "told", tapped.installation
    to, content = people(9, name), _letter(people(9, name), name)
    for number in (2, 3, 4):
        tapped.arm(number, tap.kill)
        tapped.hand_in(to, content)
        if tapped.was_reached():
            installation.wait_for(installation.guard_port)

    tapped.until_taken(to, content)

    until(lambda: _notices(tapped, name), "its sender is told")
    assert len(_notices(tapped, name)) == 1
    assert tapped.held()[name] == 1


def _notices(tapped: Tapped, name: str) -> list[dict]:
    return [
        record
        for record in tapped.installation.taken()
        if record["rcpts"] == [SENDER] and f"Held: {name}\r\n" in record["content"]
    ]


def test_a_worker_that_is_killed_at_any_answer_sends_every_copy(tapped: Tapped) -> None:
    name, installation = "copies", tapped.installation
    to = people(8, name)
    tapped.until_taken(to, _letter(to, name))
    kills = 0

    installation.clerk("singly", name)
    for number in KILLS_OF_A_WORKER:
        tapped.arm(number, tap.kill, "worker")
        with contextlib.suppress(AssertionError):
            until(lambda: tapped.tap.victims, "it is killed", 10)
        if not tapped.was_reached("worker"):
            break
        kills += 1
    state = installation.until_nothing_waits()

    taken = tapped.taken()
    times = [taken[name, person] for person in to]
    (mail,) = [mail for mail in state.values() if mail["test_id"] == name]
    assert kills > 2
    assert min(times) >= 1
    assert sum(times) - len(to) <= kills * len(to)
    assert [state for _, state in mail["copies"]] == ["sent"] * len(to)
