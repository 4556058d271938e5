# SPDX-License-Identifier: Apache-2.0
"""One message of an archive: judged as the guard would have judged it.

There is no envelope any more, so the viewers are the people of the destination
fields (Bcc among them), unless somebody knows better. Values in, values out: this
is the work that goes to the processes of a pool.
"""

import copyreg
import dataclasses
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.documents import Reader
from undisclosed.core.header import Field, HeaderBlock
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.mailing import adds_up, sketch, wave_of
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.reading import read_content
from undisclosed.core.verdict import Verdict
from undisclosed.scan.dates import sent_at
from undisclosed.transport.mailbox import Message, Unreadable

CUT = "The message is larger than the limit: only its first part was read."


def _read_only(values: dict[object, object]) -> MappingProxyType[object, object]:
    return MappingProxyType(values)


# An address keeps the hash of its own process and a policy keeps read-only maps:
# neither may travel to another process as it is.
copyreg.pickle(Address, lambda one: (Address, (one.local_part, one.domain)))
copyreg.pickle(MappingProxyType, lambda one: (_read_only, (dict(one),)))


@dataclass(frozen=True, slots=True)
class Judged:
    """What was read in a message, and the verdict over it alone."""

    mail: Mail
    reading: Reading
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Trace:
    """What a message adds to a mailing: whose it is and what it says, as a sketch."""

    sender: str = field(repr=False)
    sketch: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Glance:
    """What is kept of a message that was found, or may add up to a mailing.

    ``people`` are the outsiders newly shown by any channel. ``shown`` is everybody
    who is shown, with the channels; empty where nothing was found. ``same_as`` is
    equal in copies of one message in several mailboxes. ``trace`` is None where
    the message cannot join a mailing; ``reading`` is there to judge it again.
    """

    name: str
    sent_at: datetime | None
    author: Address | None
    subject: str = field(repr=False)
    verdict: Verdict
    viewers: int
    disclosures: int
    new_disclosures: int
    people: frozenset[Address] = field(repr=False)
    shown: dict[Address, tuple[str, ...]] = field(repr=False)
    uncertain: tuple[str, ...]
    same_as: bytes = field(repr=False)
    trace: Trace | None = None
    reading: Reading | None = field(repr=False, default=None)

    @property
    def is_found(self) -> bool:
        """Whether a rule objected."""
        return bool(self.verdict.findings)


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of some messages: how many, the glances, what was not read."""

    messages: int
    glances: tuple[Glance, ...]
    uncertain: tuple[tuple[str, str], ...]
    problems: tuple[Unreadable, ...]


def judge_alone(
    message: Message,
    policy: Policy,
    viewers: Sequence[Address] = (),
    *,
    reader: Reader | None = None,
) -> Judged | Unreadable:
    """Judge a message without its envelope; the reason where that is impossible.

    ``reader`` reads the documents in it.

    Neither reading nor judging raises for any bytes. Should one do so all the same,
    the archive's other messages still count, so the reason becomes a value.
    """
    try:
        content = read_content(message.content, policy, reader=reader)
        if message.is_cut:
            content = dataclasses.replace(content, uncertain=(*content.uncertain, CUT))
        recipients = tuple(Recipient(one) for one in viewers or content.destinations)
        envelope = Envelope(content.sender or content.author, recipients)
        mail = Mail(envelope, message.content)
        reading = read(mail, policy, content=content)
        return Judged(mail, reading, judge(reading, NOTHING_KNOWN, policy))
    except Exception as error:
        return Unreadable(message.name, f"could not be judged ({type(error).__name__})")


def look(
    messages: Sequence[Message], policy: Policy, reader: Reader | None = None
) -> Looked:
    """Judge some messages, and keep what is worth keeping."""
    glances: list[Glance] = []
    uncertain: list[tuple[str, str]] = []
    problems: list[Unreadable] = []
    for message in messages:
        judged = judge_alone(message, policy, reader=reader)
        if isinstance(judged, Unreadable):
            problems.append(judged)
            continue
        if judged.reading.content.uncertain:
            uncertain.append((message.name, judged.reading.content.uncertain[0]))
        if (glance := _glance(message.name, judged, policy)) is not None:
            glances.append(glance)
    return Looked(len(messages), tuple(glances), tuple(uncertain), tuple(problems))


def _glance(name: str, judged: Judged, policy: Policy) -> Glance | None:
    """What is worth keeping of one message; None for nearly all of them."""
    reading, verdict = judged.reading, judged.verdict
    trace = _trace(judged, policy)
    is_found = bool(verdict.findings)
    if not is_found and trace is None:
        return None
    content = reading.content
    shown, fields = content.shown, content.header.fields
    return Glance(
        name=name,
        sent_at=sent_at(fields),
        author=content.author,
        subject=content.subject,
        verdict=verdict,
        viewers=len(reading.viewers),
        disclosures=reading.disclosures,
        new_disclosures=reading.new_disclosures,
        people=reading.newly_shown | reading.newly_shown_in_text,
        shown=shown if is_found else {},
        uncertain=content.uncertain,
        same_as=_same_as(fields, shown),
        trace=trace,
        reading=None if is_found else _slim(reading),
    )


def _trace(judged: Judged, policy: Policy) -> Trace | None:
    if not adds_up(judged.reading):
        return None
    wave = wave_of(judged.reading, judged.mail, policy, digest=b"")
    if wave is None:
        return None
    return Trace(wave.sender, sketch(_hashed(piece) for piece in wave.shingles))


def _slim(reading: Reading) -> Reading:
    """A reading without message and directory: enough for judging it again."""
    content = dataclasses.replace(
        reading.content, text_parts=(), header=HeaderBlock((), 0)
    )
    lists: dict[Address, DistributionList] = {}
    return dataclasses.replace(reading, content=content, lists=lists)


def _same_as(fields: Iterable[Field], shown: Iterable[Address]) -> bytes:
    """What copies of one message in several mailboxes have in common."""
    digest = hashlib.blake2b(digest_size=16)
    for one in fields:
        if one.name in ("message-id", "date"):
            digest.update(one.body.strip() + b"\n")
    for person in sorted(address.person for address in shown):
        digest.update(person.encode(errors="surrogatepass") + b"\n")
    return digest.digest()


def _hashed(piece: bytes) -> int:
    """A shingle as a number of 64 bits; no key is needed, since nothing is kept.

    The checksum alone is no random order, so it is multiplied (Fibonacci hashing).
    """
    return zlib.crc32(piece) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
