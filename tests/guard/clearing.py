# SPDX-License-Identifier: Apache-2.0
"""A guard that honours clearances, and mails as clients send what they asked about."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.guard.worlds import NAME, POLICY, World, mail, people
from undisclosed.core.address import Address
from undisclosed.core.known import Clearance
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.core.policy import Policy
from undisclosed.guard.checkpoint import Checkpoint
from undisclosed.guard.clearance import Clearances, Issued
from undisclosed.guard.desk import Actor
from undisclosed.guard.endpoints.http import Advice, HttpEndpoint
from undisclosed.guard.testing import ForgetfulOnce

LIFETIME = timedelta(hours=1)
FORTY = people(range(40))
TEXT = "Dear all,\r\n\r\nthe library is open on Monday.\r\n"


@dataclass
class ClearingWorld(World):
    """A guard in memory whose clients may ask first."""

    policy: Policy = POLICY
    once: ForgetfulOnce = field(default_factory=ForgetfulOnce)
    key: bytes = b"clearances key".ljust(32)
    earlier: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self.clearances = Clearances(
            self.key, self.once, self.journal, lifetime=LIFETIME, earlier=self.earlier
        )
        self.endpoint = HttpEndpoint(self.policy, self.clearances)
        self.checkpoint = Checkpoint(
            self.policy,
            self.memory,
            self.spool,
            self.clock,
            name=NAME,
            notices=self.notices,
            journal=self.journal,
            metrics=self.metrics,
            passes=(self.clearances,),
        )

    def advise(self, asked: Mail) -> Advice:
        """Ask about a mail."""
        return self.endpoint.advise(asked)

    def cleared(self, asked: Mail, by: Actor | None = None) -> Issued:
        """The clearance that a sender gets who chooses *send singly*."""
        by = by or Actor("token")
        return self.endpoint.send_singly(self.advise(asked), by, self.clock())

    def released(self, asked: Mail, by: Actor) -> Issued:
        """The clearance that an approver gives."""
        advice = self.advise(asked)
        return self.endpoint.release(advice, by, self.clock(), reason="It is news.")

    def kinds_used(self) -> list[str]:
        """What the journal says of clearances that were used."""
        return [
            str(facts["kind"])
            for event, facts in self.journal.entries
            if event == "clearance used"
        ]


def carrying(sent: Mail, *tokens: str) -> Mail:
    """The mail with these clearances in its header."""
    lines = "".join(f"{CLEARANCE_FIELD}: {token}\r\n" for token in tokens)
    return replace(sent, content=lines.encode() + sent.content)


def to_all(number: int = 40, **changed: object) -> Mail:
    """A mail that shows so many people to each other."""
    return mail(people(range(number)), **changed)  # type: ignore[arg-type]


def with_viewers(sent: Mail, viewers: Iterable[Address]) -> Mail:
    """The same bytes to other recipients."""
    recipients = tuple(map(Recipient, viewers))
    return replace(sent, envelope=replace(sent.envelope, recipients=recipients))


def with_parts(sent: Mail, *parts: str, preamble: str = "") -> Mail:
    """The mail with a body of several parts."""
    header = sent.content.decode().partition("\r\n\r\n")[0]
    pieces = "".join(f"--edge\r\n{part}\r\n" for part in parts)
    whole = (
        f"{header}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="edge"\r\n\r\n'
        f"{preamble}{pieces}--edge--\r\n"
    )
    return replace(sent, content=whole.encode())


def attached(content: bytes, name: str = "dates.csv") -> str:
    """A part that is a file."""
    encoded = base64.encodebytes(content).decode().replace("\n", "\r\n")
    return (
        f'Content-Type: text/csv; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    )


def written(text: str = TEXT, subtype: str = "plain", more: str = "") -> str:
    """A part that is text."""
    return f"Content-Type: text/{subtype}; charset=utf-8\r\n{more}\r\n{text}"


KINDS: Sequence[Clearance] = tuple(Clearance)
