# SPDX-License-Identifier: Apache-2.0
"""What a mail costs the database: nothing where it is ordinary, else a few questions.

The client library writes down what it sends; its notes are counted here.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as django_connection

from tests.guard.memory_contract import NOW, WINDOW, asking, people, wave
from tests.guard.worlds import World, mail, person
from tests.postgres import MASTER_KEY
from undisclosed.core.address import Address
from undisclosed.core.held import WaveState
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory

SENT = re.compile(r"\tF\t\d+\t(?:Parse|Query)\t(.*?)(?=\n\d{4}-|\Z)", re.DOTALL)


class Sent:
    """What went to the server: statements by their text, and how many were run."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def questions(self) -> list[str]:
        """The statements but for the ends of transactions."""
        ends = ("BEGIN", "COMMIT", "ROLLBACK")
        return [text for text in self.texts if not text.lstrip(' "').startswith(ends)]


@contextmanager
def sent() -> Iterator[Sent]:
    """Everything that this thread's connection is sent meanwhile."""
    django_connection.ensure_connection()
    raw = django_connection.connection
    usual, raw.prepare_threshold = raw.prepare_threshold, None  # texts, not names
    noted = Sent()
    with tempfile.TemporaryFile("w+") as file:
        raw.pgconn.trace(os.dup(file.fileno()))
        try:
            yield noted
        finally:
            raw.pgconn.untrace()
            raw.prepare_threshold = usual
        file.seek(0)
        noted.texts += SENT.findall(file.read())


def memory():
    return PostgresMemory(Keys(MASTER_KEY))


def cost(of):
    """The statements of one reservation in a Memory that knows its people."""
    kept = memory()
    with sent() as noted:
        kept.reserve(of, window=WINDOW, now=NOW)
    return noted.questions


def test_ordinary_mail_asks_nothing(database):
    world = World(memory=memory())
    colleagues = [Address(name, "firm.example") for name in ("ann", "bob", "eve")]

    with sent() as noted:
        decided = [
            world.checkpoint.at_once(mail([person(1)])),
            world.checkpoint.at_once(mail(colleagues)),
        ]

    assert None not in decided
    assert noted.texts == []


def test_a_risky_mail_asks_as_often_whatever_the_number_of_its_people(database):
    memory().learn(people(range(500)), now=NOW)
    memory().hide(people(range(500)), is_sensitive=False, now=NOW)

    few, many = cost(asking("few", range(3))), cost(asking("many", range(500)))

    assert few == many
    assert len(few) == 2


def test_who_knows_whom_is_one_question(database):
    found = cost(asking("one", range(9)))

    assert sum("store_look" in question for question in found) == 1


def test_what_became_of_a_mail_is_one_statement(database):
    kept = memory()
    place = kept.reserve(wave("one"), window=WINDOW, now=NOW)

    with sent() as noted:
        kept.settle(place.id, WaveState.SHOWN)

    assert len(noted.questions) == 1
