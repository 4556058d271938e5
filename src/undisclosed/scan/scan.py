# SPDX-License-Identifier: Apache-2.0
"""The scan of an archive: messages in, the mailings that disclosed out.

The work is done in batches by ``workers``; the grouping here, at the end, since a
mailing is known only when all its messages are. Stopped by Ctrl-C, a scan gives
what it has by then.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.documents import Reader
from undisclosed.core.policy import Policy
from undisclosed.scan.mailings import Mailing, mailings_of
from undisclosed.scan.message import Glance, Looked
from undisclosed.scan.workers import Workers
from undisclosed.transport.mailbox import Item, Message, PassedOver, Unreadable

BATCH_BYTES = 256 * 1024
BATCH_MESSAGES = 200
_NAMED = 1000
"""The messages with something unread that are named; the others are counted."""


@dataclass(slots=True)
class Progress:
    """How far a scan is: messages judged, objections, bytes of the archive read."""

    messages: int = 0
    found: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What a scan found.

    ``mailings`` are those in which a rule objected to at least one message, oldest
    first. ``uncertain`` are messages of which something could not be read (the first
    thousand, with one sentence), ``uncertain_count`` all of them. ``problems`` could
    not be read at all. ``passed_over`` counts files of folders that are no mail.
    """

    messages: int
    mailings: tuple[Mailing, ...]
    problems: tuple[Unreadable, ...]
    uncertain: tuple[tuple[str, str], ...]
    uncertain_count: int
    passed_over: int
    is_complete: bool

    @property
    def found(self) -> tuple[Glance, ...]:
        """Every message that a rule objected to."""
        every = (glance for mailing in self.mailings for glance in mailing.messages)
        return tuple(glance for glance in every if glance.is_found)

    @property
    def people(self) -> frozenset[Address]:
        """The distinct outsiders whom any of the mailings newly showed."""
        return frozenset[Address]().union(*(one.people for one in self.mailings))

    @property
    def disclosures(self) -> int:
        """The sum over the mailings."""
        return sum(mailing.disclosures for mailing in self.mailings)


@dataclass(slots=True)
class _Tally:
    """What a scan has by now."""

    progress: Progress = field(default_factory=Progress)
    glances: list[Glance] = field(default_factory=list)
    problems: list[Unreadable] = field(default_factory=list)
    uncertain: list[tuple[str, str]] = field(default_factory=list)
    uncertain_count: int = 0
    passed_over: int = 0

    def add(self, looked: Looked) -> None:
        self.progress.messages += looked.messages
        self.progress.found += sum(glance.is_found for glance in looked.glances)
        self.glances += looked.glances
        self.problems += looked.problems
        self.uncertain_count += len(looked.uncertain)
        self.uncertain += looked.uncertain[: max(0, _NAMED - len(self.uncertain))]


def scan(
    items: Iterable[Item],
    policy: Policy,
    *,
    jobs: int = 1,
    reader: Reader | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Result:
    """Judge every message as the guard would have, and group what was found.

    ``reader`` reads the documents in them; it has to travel to other processes.
    ``on_progress`` is called after each batch, in the asking thread.
    """
    tally, is_complete = _Tally(), True
    workers = Workers(policy, jobs, reader)
    try:
        for looked in workers.look_at(_batches(items, tally)):
            tally.add(looked)
            on_progress(tally.progress)
    except KeyboardInterrupt:
        is_complete = False
        for looked in workers.stop():
            tally.add(looked)
    finally:
        workers.close()
    return Result(
        messages=tally.progress.messages,
        mailings=mailings_of(tally.glances, policy),
        problems=tuple(tally.problems),
        uncertain=tuple(tally.uncertain),
        uncertain_count=tally.uncertain_count,
        passed_over=tally.passed_over,
        is_complete=is_complete,
    )


def _batches(items: Iterable[Item], tally: _Tally) -> Iterator[list[Message]]:
    """The messages in batches; what is none is told to the tally."""
    batch: list[Message] = []
    size = 0
    for item in items:
        match item:
            case Message():
                batch.append(item)
                size += len(item.content)
                tally.progress.stored += item.stored
            case Unreadable():
                tally.problems.append(item)
            case PassedOver():
                tally.passed_over += 1
                tally.progress.stored += item.stored
        if size >= BATCH_BYTES or len(batch) >= BATCH_MESSAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
