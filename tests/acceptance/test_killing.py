# SPDX-License-Identifier: Apache-2.0
"""kill -9 of guard, worker, database and next hop in the middle of a replay.

The promise: nothing acknowledged is lost, each copy leaves at least once, nobody is
shown to anybody. By id: acknowledged = delivered or held or queued or failed.
"""

import random
import smtplib
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import Installation

SENDER = "survey@authority.example"
KILLS = 12
PARTS = ("guard", "worker", "database", "hop")


class MailProgram(threading.Thread):
    """Hands in mail after mail and tries each again until it is taken, as MTAs do."""

    def __init__(self, port: int, seed: int) -> None:
        super().__init__()
        self.port = port
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
            people = tuple(f"{test_id}-p{n}@{test_id}-{n}.example" for n in range(size))
            reply = self._until_taken(people, _content(test_id, people))
            (self.held if "Held" in reply else self.accepted)[test_id] = people
            number += 1

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


def _content(test_id: str, people: tuple[str, ...]) -> bytes:
    words = " ".join(f"{test_id}-word{n}" for n in range(60))
    return (
        f"From: {SENDER}\r\nTo: {', '.join(people)}\r\nSubject: {test_id}\r\n"
        f"X-Test-Id: {test_id}\r\nMessage-ID: <{test_id}@authority.example>\r\n"
        f"\r\n{words}\r\n"
    ).encode()


@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_there_after_random_kills(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.database.start()
    installation.clerk("prepare")
    with installation:
        programs = [MailProgram(installation.guard_port, seed) for seed in range(3)]

        _hand_in_while_killing(installation, programs)
        held = installation.until_nothing_waits()

        delivered = _delivered(installation)
        assert any(program.accepted for program in programs)
        assert any(mail["state"] == "split" for mail in held.values())
        for program in programs:
            _accepted_is_delivered(program, delivered)
            _held_is_held_or_split(program, held, delivered)
        for record in installation.taken():
            _shows_at_most_its_own(record)


def _hand_in_while_killing(
    installation: Installation, programs: list[MailProgram]
) -> None:
    chance = random.Random(20261121)
    for program in programs:
        program.start()
    for number in range(KILLS):
        time.sleep(chance.uniform(0.3, 1.2))
        installation.kill(PARTS[number % len(PARTS)])
        if number % 4 == 1:
            installation.until_decided()
    for program in programs:
        program.enough.set()
    for program in programs:
        program.join(120)
        assert not program.is_alive()
    installation.until_decided()


def _delivered(installation: Installation) -> Counter[tuple[str, str]]:
    """How often each person got each mail."""
    return Counter(
        (_test_id(record["content"]), person)
        for record in installation.taken()
        for person in record["rcpts"]
    )


def _accepted_is_delivered(
    program: MailProgram, delivered: Counter[tuple[str, str]]
) -> None:
    for test_id, people in program.accepted.items():
        for person in people:
            assert delivered[test_id, person] >= 1, test_id


def _held_is_held_or_split(
    program: MailProgram,
    held: dict[str, Any],
    delivered: Counter[tuple[str, str]],
) -> None:
    by_test_id = {mail["test_id"]: mail for mail in held.values()}
    assert program.held
    for test_id, people in program.held.items():
        mail = by_test_id[test_id]
        times = [delivered[test_id, person] for person in people]
        if mail["state"] == "held":
            assert not any(times), test_id
        else:
            assert mail["state"] == "split"
            assert len(mail["copies"]) == len(people)
            assert min(times) >= 1, test_id


def _test_id(content: str) -> str:
    return content.partition("X-Test-Id: ")[2].partition("\r\n")[0].strip()


def _shows_at_most_its_own(record: dict) -> None:
    """A mail of more than five people reached the hop only as private copies."""
    shown = record["content"].partition("\nTo: ")[2].partition("\nSubject")[0]
    people = shown.count("@")
    assert people <= 2, shown
    if "-p7@" in shown or "-p19@" in shown:
        assert record["rcpts"] == [shown.strip()]
