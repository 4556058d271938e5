# SPDX-License-Identifier: Apache-2.0
"""Verdicts: how long reading and judging takes, against the standard library.

The peers read nothing but recipients; ours reads header and body and judges them.
They are the only place where the standard library's email package is used.
"""

import email
import email.policy
import gc
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from email.headerregistry import AddressHeader
from email.message import Message as StdlibMessage
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from bench.corpus import messages
from bench.row import Row
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.disclosure import read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.transport.mailbox import Message

POLICY = Policy()
FIELDS = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
SIZES = (100, 1_000, 10_000, 100_000)
_BLANK_LINE = re.compile(rb"\n\r?\n")


def rows(*, quick: bool) -> Iterator[Row]:
    """The corpus rows, then one row for each number of visible recipients."""
    sample = list(messages(every=50 if quick else 15))
    yield from corpus_rows(sample)
    yield latency_row(sample if quick else list(messages(every=3)))
    for size in SIZES:
        yield scaling_row(size)


def corpus_rows(sample: Sequence[Message]) -> Iterator[Row]:
    """Ours against both peers, taken in turn, on the same messages."""
    contents = [message.content for message in sample]
    ours = rate_of(verdict, contents, rounds=3)
    strict = rate_of(with_default, contents, rounds=1)
    ours_again = rate_of(verdict, contents, rounds=3)
    cut = rate_of(with_compat32, contents, rounds=2)
    ours = statistics.mean((ours, ours_again))
    yield _corpus_row(
        ours, strict, "policy.default", 30, missed(contents, with_default)
    )
    yield _corpus_row(ours, cut, "cut + compat32", 5, missed(contents, with_compat32))


def _corpus_row(ours: float, peer: float, name: str, factor: int, lost: int) -> Row:
    return Row(
        name=f"verdict on realmail, headers and bodies, against {name}",
        unit="messages/s of one core",
        ours=ours,
        peer=peer,
        peer_name=name,
        target=f"≥ {factor} × {name}, no address less",
        is_met=ours >= factor * peer and lost == 0,
        bounded_by=(
            "reading every field and the body in Python, an object for each address; "
            "the peer reads destination fields alone and judges nothing; "
            f"{lost:,} of its addresses lost"
        ),
    )


def latency_row(sample: Sequence[Message]) -> Row:
    """The slowest hundredth of the messages, in CPU time."""
    taken = []
    for message in sample:
        began = time.thread_time_ns()
        verdict(message.content)
        taken.append(time.thread_time_ns() - began)
    taken.sort()
    p99 = taken[len(taken) * 99 // 100] / 1e6
    median = taken[len(taken) // 2] / 1e6
    return Row(
        name="verdict on realmail, 99 % are ready in",
        unit="ms of CPU",
        ours=p99,
        bound=median,
        bound_name="half of them",
        target="≤ 2 ms",
        is_met=p99 <= 2.0,
        bounded_by="the longest bodies and their addresses",
    )


def scaling_row(size: int) -> Row:
    """One mail that shows this many recipients to each other."""
    mail = _visible(size)
    rounds = max(3, 20_000 // size)
    gc.collect()
    best = min(_seconds(mail) for _ in range(rounds))
    each = best / size * 1e6
    return Row(
        name=f"verdict on {size:,} visible recipients",
        unit="µs per recipient",
        ours=each,
        target="≤ 15 µs",
        is_met=each <= 15.0,
        bounded_by="one Address for each in Python",
    )


def verdict(content: bytes) -> set[str]:
    """Ours: header and body read, everybody judged; the people found."""
    found = read_content(content, POLICY)
    recipients = tuple(map(Recipient, found.destinations))
    mail = Mail(Envelope(found.author, recipients), content)
    judge(read(mail, POLICY, content=found), NOTHING_KNOWN, POLICY)
    return {address.person for address in found.destinations}


def with_default(content: bytes) -> set[str]:
    """The standard library as its documents advise: recipients only."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    found = set()
    for name in FIELDS:
        for header in message.get_all(name, []):
            if isinstance(header, AddressHeader) or hasattr(header, "addresses"):
                found |= {one.addr_spec for one in header.addresses}
    return found


def with_compat32(content: bytes) -> set[str]:
    """The quickest that the standard library has: the header alone, compat32."""
    blank = _BLANK_LINE.search(content)
    head = content[: blank.end()] if blank else content
    message: StdlibMessage = BytesHeaderParser().parsebytes(head)
    values = [str(one) for name in FIELDS for one in message.get_all(name, [])]
    return {address for _, address in getaddresses(values)}


def missed(contents: Sequence[bytes], peer: Callable[[bytes], set[str]]) -> int:
    """How many addresses the peer finds in destination fields that ours does not."""
    lost = 0
    for content in contents:
        found = read_content(content, POLICY)
        ours = found.shown.keys() | {found.author, found.sender}
        ours |= found.in_removed.keys() | set(found.destinations)
        try:
            theirs = peer(content)
        except Exception:  # noqa: S112 - where the peer breaks it found nothing
            continue
        lost += sum(one not in ours for one in map(_as_address, theirs) if one)
    return lost


def rate_of(
    work: Callable[[bytes], set[str]], contents: Sequence[bytes], *, rounds: int
) -> float:
    """Messages per second of CPU; where the work raises, the message counts too."""
    began = time.process_time()
    for _ in range(rounds):
        for content in contents:
            try:
                work(content)
            except Exception:  # noqa: S112 - the peers raise on some real messages
                continue
    return rounds * len(contents) / (time.process_time() - began)


def _as_address(text: str) -> Address | None:
    """What a peer found, where that is an address at all."""
    is_plain = text.count("@") == 1 and text.isascii() and not set(text) & set(" <>()")
    return parse_addr_spec(text) if is_plain else None


def _seconds(mail: Mail) -> float:
    began = time.process_time()
    judge(read(mail, POLICY), NOTHING_KNOWN, POLICY)
    return time.process_time() - began


def _visible(size: int) -> Mail:
    """A mail whose To field names this many people of many organisations."""
    everybody = [
        Address(f"person{number}", f"organisation{number % 997}.example")
        for number in range(size)
    ]
    shown = ",\r\n ".join(
        f"Person {one.local_part} <{one.spelled_out()}>" for one in everybody
    )
    content = f"From: us@own.example\r\nTo: {shown}\r\nSubject: All\r\n\r\nHello.\r\n"
    envelope = Envelope(Address("us", "own.example"), tuple(map(Recipient, everybody)))
    return Mail(envelope, content.encode())
