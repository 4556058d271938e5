# SPDX-License-Identifier: Apache-2.0
"""What the tests of judging are made of: contents, mails and messages."""

from collections.abc import Iterable

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.header import HeaderBlock
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content

SAM = Address("sam", "council.example")
POLICY = Policy(own_domains=frozenset({"council.example"}))


def address(text: str) -> Address:
    """``ann@a.example`` as an address; ``ann at …`` where the domain really exists."""
    local_part, _, domain = text.replace(" at ", "@").rpartition("@")
    return Address(local_part, domain)


def people(number: int, first: int = 0) -> list[Address]:
    """So many outsiders, each at a domain of their own."""
    return [Address(f"p{n}", f"home{n}.example") for n in range(first, first + number)]


def content(
    to: Iterable[Address] = (),
    *,
    text: Iterable[Address] = (),
    forwarded: Iterable[Address] = (),
    author: Address | None = SAM,
    subject: str = "News",
    uncertain: tuple[str, ...] = (),
    recall: bool = False,
) -> Content:
    """A content as if it had been read: people in To, in the text, in old mail."""
    to = tuple(to)
    return Content(
        in_header={person: ("To",) for person in to if person != author},
        in_removed={},
        in_text={person: ("body text",) for person in text},
        in_forwarded={person: ("forwarded header block",) for person in forwarded},
        author=author,
        sender=None,
        destinations=to,
        subject=subject,
        removals=(),
        uncertain=uncertain,
        auto_submitted=False,
        recall=recall,
        header=HeaderBlock((), 0),
    )


def envelope(viewers: Iterable[Address], mail_from: Address | None = SAM) -> Envelope:
    """An envelope to these recipients."""
    return Envelope(mail_from, tuple(map(Recipient, viewers)))


def reading_of(
    viewers: Iterable[Address], shown: Content, policy: Policy = POLICY
) -> Reading:
    """A reading without bytes."""
    return read(Mail(envelope(viewers), b""), policy, content=shown)


def message(
    *,
    text: str = "Hello.\r\n",
    subject: str = "News",
    author: Address = SAM,
    extra: str = "",
    **fields: Iterable[Address],
) -> bytes:
    """The bytes of a message; ``to=people`` and the like are its destination fields."""
    lines = [f"From: Sam <{author.spelled_out()}>", f"Subject: {subject}"]
    for name, addresses in fields.items():
        written = ",\r\n ".join(
            f"Name of {one.local_part} <{one.spelled_out()}>" for one in addresses
        )
        lines.append(f"{name.replace('_', '-').title()}: {written}")
    lines += ["Date: Mon, 5 Jan 2026 09:00:00 +0000", "Message-ID: <1@council.example>"]
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n" + text).encode()
