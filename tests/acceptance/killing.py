# SPDX-License-Identifier: Apache-2.0
"""Random kills in the middle of a replay, and the account of what became of the mail.

By id: acknowledged = delivered or held or queued or failed with a report. Used by the
tests with a dozen kills and by ``bench.killing`` with hundreds.
"""

import random
import smtplib
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.installation import Installation, until
from tests.acceptance.letters import SENDER

PARTS = ("guard", "worker", "database", "hop")
GONE = "gone-"
"""How people begin whom the next hop refuses when their own copy comes."""


class MailProgram(threading.Thread):
    """Hands in mail after mail and tries each again until it is taken, as MTAs do."""

    def __init__(self, port: int, seed: int, breath: float) -> None:
        super().__init__(daemon=True)  # a replay that fails must not wait for it
        self.port = port
        self.breath = breath
        self.random = random.Random(seed)
        self.name = f"m{seed}"
        self.enough = threading.Event()
        self.held: dict[str, tuple[str, ...]] = {}
        self.accepted: dict[str, tuple[str, ...]] = {}

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            test_id = f"{self.name}-{number}"
            size = self.random.choice((1, 1, 1, 2, 8, 20))
            people = tuple(_person(test_id, n) for n in range(size))
            reply = self._until_taken(people, _content(test_id, people))
            (self.held if "Held" in reply else self.accepted)[test_id] = people
            number += 1
            time.sleep(self.breath)

    def _until_taken(self, people: tuple[str, ...], content: bytes) -> str:
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
                    client.ehlo()
                    client.mail(SENDER)
                    answers = [client.rcpt(person)[0] for person in people]
                    if answers == [250] * len(people):
                        code, text = client.data(content)
                        if code == 250:
                            return text.decode()
            except (OSError, smtplib.SMTPException):
                pass
            time.sleep(0.05)


def _person(test_id: str, number: int) -> str:
    # The eighth of each list has left, which is known when a copy is sent there.
    name = f"{GONE if number == 7 else ''}{test_id}-p{number}"
    return f"{name}@{test_id}-{number}.example"


def _content(test_id: str, people: tuple[str, ...]) -> bytes:
    words = " ".join(f"{test_id}-word{n}" for n in range(60))
    return (
        f"From: {SENDER}\r\nTo: {', '.join(people)}\r\nSubject: {test_id}\r\n"
        f"X-Test-Id: {test_id}\r\nMessage-ID: <{test_id}@authority.example>\r\n"
        f"\r\n{words}\r\n"
    ).encode()


@dataclass(frozen=True, slots=True)
class Account:
    """What became of every acknowledged mail for each of its people.

    ``copies`` are the people of acknowledged mail; ``lost`` names those of whom
    nothing is known; ``doubled`` counts deliveries beyond the first; ``shown`` names
    what reached somebody and showed more people than the policy allows.
    """

    kills: Counter[str]
    acknowledged: int
    copies: int
    delivered: int
    held: int
    queued: int
    failed: int
    doubled: int
    splits: int
    lost: tuple[str, ...] = field(repr=False)
    shown: tuple[str, ...] = field(repr=False)

    def __str__(self) -> str:
        """The counts in one line."""
        kills = ", ".join(f"{n} {part}" for part, n in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills ({kills}); {self.acknowledged:,} mails for "
            f"{self.copies:,} people acknowledged = {self.delivered:,} delivered, "
            f"{self.held:,} held, {self.queued:,} queued, {self.failed:,} failed with "
            f"a report; {len(self.lost)} lost, {self.doubled:,} delivered twice"
        )


def start_hop(installation: Installation) -> None:
    """Have the next hop refuse the copies of those who are gone."""
    installation.hop_refuses = (f".{GONE}",)


def replay(
    installation: Installation,
    *,
    kills: int,
    seed: int,
    pause: tuple[float, float],
    breath: float = 0.1,
) -> Account:
    """Hand in mail while parts are killed at random; then let everything settle.

    ``pause`` are the seconds between two kills, ``breath`` those between two mails of
    one program, so that delivery can keep up.
    """
    programs = [
        MailProgram(installation.guard_port, number, breath) for number in range(3)
    ]
    chance, killed = random.Random(seed), Counter[str]()
    for program in programs:
        program.start()
    for number in range(kills):
        time.sleep(chance.uniform(*pause))
        part = PARTS[number % 4] if kills < 40 else chance.choice(PARTS)
        installation.kill(part)
        killed[part] += 1
        if number % 4 == 1:
            installation.until_decided()
    for program in programs:
        program.enough.set()
    for program in programs:
        program.join(120)
        assert not program.is_alive()
    installation.until_decided()
    return _account(installation, programs, killed)


def _account(
    installation: Installation, programs: list[MailProgram], kills: Counter[str]
) -> Account:
    held = installation.until_nothing_waits()
    by_test_id = {mail["test_id"]: mail for mail in held.values()}
    failures = sum(_failed(mail) for mail in held.values())
    until(
        lambda: len(_reported(installation)) >= failures, "failures are reported", 150
    )
    reported, times = _reported(installation), _times(installation)
    fates, splits = Counter[str](), 0
    lost: list[str] = []
    everything = [(t, p) for one in programs for t, p in _acknowledged(one).items()]
    for test_id, people in everything:
        mail = by_test_id.get(test_id)
        splits += mail is not None and mail["state"] != "held"
        for person in people:
            fate = _fate(mail, times[test_id, person], person in reported)
            fates[fate] += 1
            if fate == "lost":
                lost.append(test_id)
    return Account(
        kills=kills,
        acknowledged=len(everything),
        copies=sum(len(people) for _, people in everything),
        delivered=fates["delivered"],
        held=fates["held"],
        queued=fates["queued"],
        failed=fates["failed"],
        doubled=sum(count - 1 for count in times.values() if count > 1),
        splits=splits,
        lost=tuple(lost),
        shown=tuple(_showing_too_many(installation)),
    )


def _acknowledged(program: MailProgram) -> dict[str, tuple[str, ...]]:
    return program.held | program.accepted


def _failed(mail: dict[str, Any]) -> int:
    return sum(state == "failed" for _, state in mail["copies"])


def _fate(mail: dict[str, Any] | None, times: int, is_reported: bool) -> str:
    """What is known of one person's share of one mail."""
    if times:
        return "delivered"
    if mail is None:
        return "lost"
    if mail["state"] == "held":
        return "held"
    return "failed" if is_reported else "lost"


def _times(installation: Installation) -> Counter[tuple[str, str]]:
    """How often each person got each mail."""
    return Counter(
        (test_id_of(record["content"]), person)
        for record in installation.taken()
        for person in record["rcpts"]
        if test_id_of(record["content"])  # our own mail has none
    )


def _reported(installation: Installation) -> set[str]:
    """Who is named in a report to the sender as somebody that a copy did not reach."""
    found: set[str] = set()
    for record in installation.taken():
        if record["rcpts"] != [SENDER] or "delivery-status" not in record["content"]:
            continue
        for line in record["content"].splitlines():
            if line.lower().startswith("final-recipient:"):
                found.add(line.rpartition(";")[2].strip())
    return found


def test_id_of(content: str) -> str:
    """The id that a mail program gave a mail; empty for our own mail."""
    return content.partition("X-Test-Id: ")[2].partition("\r\n")[0].strip()


def _showing_too_many(installation: Installation) -> list[str]:
    """Mail to more than five people may reach the hop only as private copies."""
    found = []
    for record in installation.taken():
        test_id = test_id_of(record["content"])
        shown = record["content"].partition("\nTo: ")[2].partition("\nSubject")[0]
        is_of_many = "-p7@" in shown or "-p19@" in shown
        if not test_id or record["rcpts"] == [SENDER]:
            continue
        if shown.count("@") > 2 or (is_of_many and record["rcpts"] != [shown.strip()]):
            found.append(test_id)
    return found
