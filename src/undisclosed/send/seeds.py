# SPDX-License-Identifier: Apache-2.0
"""Seed boxes: a campaign's first messages really travel, are fetched raw and compared.

What leaves may not be what arrives: a provider's interface collapses recipients, a
gateway adds a field or a footer, a signature breaks. A few people's messages, addressed
to a mailbox of our own at another provider, go through the same next hop, and every
byte that a person would see of them is looked at again as it lies in that mailbox.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import cycle
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.campaign import Row
from undisclosed.core.encoded_words import field_text
from undisclosed.core.header import HeaderBlock, split_content
from undisclosed.core.mail import Envelope
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import Limits, TextPart, parts_of
from undisclosed.core.part_text import bytes_of
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.formats.authentication_results import parse_authentication_results
from undisclosed.send.batch import Maker
from undisclosed.send.parcel import NEEDS_UTF8, Making
from undisclosed.transport.imap import ImapBox, ImapSettings
from undisclosed.transport.smtp.client import HopReply

SEED_ROWS: Final = 0x7FFF_FFFF
"""The highest row of a token: seeds count down from it, and no list is so long."""

BY_HAND: Final = 0
"""The number of a round that somebody asked for; those that begin by themselves are
counted from 1."""

MOST_IN_ROUND: Final = 1_000
"""Seed boxes that a campaign is sent to."""

LONGEST: Final = 60 * 1024 * 1024
"""Bytes of a message that are fetched."""

FIELDS: Final = (
    *("from", "to", "subject", "date", "message-id", "reply-to"),
    *("list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type"),
    *("feedback-id", "auto-submitted"),
)
"""Fields that must arrive as they left, each as often."""

_TAKEN: Final = 250
_REFUSED: Final = 300  # 2yz is a yes (RFC 5321 §4.2.1)
_LOOK_AGAIN: Final = 2.0
_SIGNATURE: Final = "dkim-signature"
_PROVED: Final = frozenset({"pass", "none", "bestguesspass"})
_WHOLE: Final = Policy()


@dataclass(frozen=True, slots=True)
class Seed:
    """One message that travels: its row, to which seed, as it left."""

    number: int
    to: Address
    message_id: str
    envelope: Envelope
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one seed's message.

    ``reply`` is the next hop's code; ``differences`` are sentences without an address,
    none where it lies in the box as it left.
    """

    number: int
    reply: int
    has_arrived: bool
    differences: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether it arrived, and as it left."""
        return self.has_arrived and not self.differences


def seeds_of(
    maker: Maker, rows: Sequence[Row], boxes: Sequence[Address], now: datetime
) -> list[Seed]:
    """The messages of these rows, one to each seed in turn, looked at as all are.

    Raises RowUnfit and SomebodyElse.
    """
    numbers = seed_numbers(BY_HAND, len(rows))
    made = [
        seed_of(maker, seed_row(row, number, to), now)
        for row, number, to in zip(rows, numbers, cycle(boxes), strict=False)
    ]
    return [
        replace(seed, number=row.number) for seed, row in zip(made, rows, strict=True)
    ]


def seed_numbers(number: int, messages: int) -> range:
    """The numbers in the tokens of one round's messages: they belong to nobody."""
    first = SEED_ROWS - number * MOST_IN_ROUND
    return range(first, first - messages, -1)


def seed_row(row: Row, number: int, to: Address) -> Row:
    """The row as if it were the seed's: its own address stands in it nowhere."""
    own = row.address.person if row.address else ""
    values = {
        name: to.spelled_out() if own and value.strip().lower() == own else value
        for name, value in row.values.items()
    }
    return replace(row, number=number, address=to, values=values)


def seed_of(maker: Making, row: Row, now: datetime) -> Seed:
    """The message of a seed's row, as it leaves at that time. Raises as it does."""
    message, envelope = maker.message(row, now), maker.envelope(row)
    if message.needs_utf8:
        parameters = (*NEEDS_UTF8, *envelope.parameters)
        envelope = replace(envelope, parameters=parameters)
    (to,) = envelope.rcpt_tos
    return Seed(row.number, to, _id_of(message.wire), envelope, message.wire)


async def prove(
    seeds: Sequence[Seed],
    send: Callable[[Envelope, bytes], Awaitable[HopReply]],
    box: ImapSettings,
    *,
    wait: timedelta,
) -> list[Seen]:
    """Send the seeds, wait for them, and compare. Raises TransientError.

    What was compared is deleted from the box.
    """
    codes = [(await send(one.envelope, one.content)).code for one in seeds]
    taken = [one for one, code in zip(seeds, codes, strict=True) if code < _REFUSED]
    found = await asyncio.to_thread(_waited_for, taken, box, wait)
    looked = {one.number: one for one in found}
    return [
        replace(looked.get(one.number, Seen(one.number, 0, False)), reply=code)
        for one, code in zip(seeds, codes, strict=True)
    ]


def differences(sent: bytes, arrived: bytes, to: Address) -> list[str]:
    """What a person would see otherwise than it left, one sentence each."""
    return [
        *_of_fields(split_content(sent), split_content(arrived)),
        *_of_people(sent, arrived, to),
        *_of_parts(sent, arrived),
        *_of_proofs(split_content(arrived)),
    ]


def _seen(seed: Seed, code: int, arrived: bytes | None) -> Seen:
    if arrived is None:
        return Seen(seed.number, code, has_arrived=False)
    found = differences(seed.content, arrived, seed.to)
    return Seen(seed.number, code, has_arrived=True, differences=tuple(found))


def _id_of(content: bytes) -> str:
    for one in split_content(content).fields:
        if one.name == "message-id":
            return one.body.decode("ascii").strip().strip("<>")
    return ""


def fetched(
    seeds: Sequence[Seed], settings: ImapSettings, *, is_last: bool
) -> list[Seen]:
    """Look once into the box for seeds that were taken, and compare what is there.

    What was compared is deleted from the box once all are there, or at the last look.
    Raises TransientError.
    """
    with ImapBox(settings) as box:
        there = {
            seed.message_id: uids[0]
            for seed in seeds
            if (uids := box.with_message_id(seed.message_id))
        }
        seen = [
            _seen(one, _TAKEN, _content(box, there.get(one.message_id)))
            for one in seeds
        ]
        if is_last or len(there) == len(seeds):
            for uid in there.values():
                box.delete(uid)
    return seen


def _content(box: ImapBox, uid: str | None) -> bytes | None:
    return None if uid is None else box.fetch(uid, LONGEST)


def _waited_for(
    seeds: Sequence[Seed], settings: ImapSettings, wait: timedelta
) -> list[Seen]:
    until = time.monotonic() + wait.total_seconds()
    while True:
        is_last = time.monotonic() >= until
        seen = fetched(seeds, settings, is_last=is_last)
        if is_last or all(one.has_arrived for one in seen):
            return seen
        time.sleep(_LOOK_AGAIN)


def _of_fields(sent: HeaderBlock, arrived: HeaderBlock) -> Iterator[str]:
    left, came = _bodies(sent), _bodies(arrived)
    for name in FIELDS:
        before, after = left.get(name, []), came.get(name, [])
        if before and not after:
            yield f"The field {name} did not arrive."
        elif len(after) > len(before):
            yield f"The field {name} was added."
        elif before != after:
            yield f"The field {name} arrived changed."
    # Others may sign it, too; ours may not be lost on the way (RFC 6376 §3.5).
    if not set(left.get(_SIGNATURE, [])) <= set(came.get(_SIGNATURE, [])):
        yield "Our DKIM signature did not arrive as it left."


def _bodies(header: HeaderBlock) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in header.fields:
        found.setdefault(one.name, []).append(" ".join(field_text(one.body).split()))
    return found


def _of_people(sent: bytes, arrived: bytes, to: Address) -> Iterator[str]:
    left, came = read_content(sent, _WHOLE), read_content(arrived, _WHOLE)
    if came.destinations != (to,):
        yield f"It is addressed to {len(came.destinations)} people."
    known = {*left.shown, *left.in_removed, to}
    known |= {one for one in (left.author, left.sender) if one is not None}
    others = [
        channels
        for address, channels in {**came.shown, **came.in_removed}.items()
        if address not in known and not _is_return_path(address)
    ]
    if others:
        where = ", ".join(sorted({channel for each in others for channel in each}))
        yield f"{len(others)} addresses stand in it that did not leave ({where})."


def _is_return_path(address: Address) -> bool:
    """Our own return path, which the box's server notes (RFC 5321 §4.4)."""
    return address.local_part.startswith("b-")


def _of_parts(sent: bytes, arrived: bytes) -> Iterator[str]:
    left, came = _parts(sent), _parts(arrived)
    if [kind for kind, _ in left] != [kind for kind, _ in came]:
        yield f"It left with {len(left)} parts and arrived with {len(came)}, or others."
        return
    for (kind, before), (_, after) in zip(left, came, strict=True):
        if before != after:
            yield f"A part arrived changed ({kind})."


def _parts(content: bytes) -> list[tuple[str, bytes]]:
    header = split_content(content)
    return [
        (part.media_type, _normal(part))
        for part in parts_of(content, header, Limits())
        if part.kind is not Kind.NAMES
    ]


def _normal(part: TextPart) -> bytes:
    """What a part says, whichever transfer encoding and line ends it came in."""
    content = bytes_of(part)
    if part.kind not in (Kind.TEXT, Kind.HTML):
        return content
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(line.rstrip() for line in lines).rstrip()


def _of_proofs(arrived: HeaderBlock) -> Iterator[str]:
    """What the box's own server found out about us: the topmost such field."""
    for one in arrived.fields:
        if one.name != "authentication-results":
            continue
        found = parse_authentication_results(one.body.decode("latin-1"))
        for result in found.results:
            is_known = result.method in ("spf", "dkim", "dmarc")
            if is_known and result.result not in _PROVED:
                yield f"The mailbox's server says {result.method}={result.result}."
        return
