# SPDX-License-Identifier: Apache-2.0
"""What a check of the doctor found: one sentence, and what to do about it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Health(Enum):
    """How one check ended."""

    GOOD = "ok"
    UNSURE = "--"
    BAD = "!!"


MEANINGS = {
    Health.UNSURE: "not tested, or still for you to choose: the guard works",
    Health.BAD: "the guard does not do its work here: mend it first",
}
"""What the marks mean that somebody has to do something about."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one check found, in a sentence; what to do, where it did not end well."""

    health: Health
    text: str
    to_do: str = ""


def good(text: str) -> Answer:
    """All is well with that."""
    return Answer(Health.GOOD, text)


def unsure(text: str, *, to_do: str) -> Answer:
    """It could not be looked at, or is a choice."""
    return Answer(Health.UNSURE, text, to_do)


def bad(text: str, *, to_do: str) -> Answer:
    """Something is not guarded, or not well."""
    return Answer(Health.BAD, text, to_do)


def lines_of(answer: Answer) -> Iterator[str]:
    """The answer on a terminal: its mark and sentence, below it what to do."""
    yield f"[{answer.health.value}] {answer.text}"
    if answer.to_do:
        yield f"     To do: {answer.to_do}"


def legend(seen: Iterable[Health]) -> Iterator[str]:
    """What the marks mean, of those that were printed."""
    healths = set(seen)
    for health, meaning in MEANINGS.items():
        if health in healths:
            yield f"[{health.value}] {meaning}"
