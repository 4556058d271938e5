# SPDX-License-Identifier: Apache-2.0
"""A guard with everything around it in memory, and mail for it to judge."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.documents import Reader
from undisclosed.core.held import Outgoing
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, CheckpointSettings, Decision
from undisclosed.guard.desk import Actor
from undisclosed.guard.identity import KeyedIds
from undisclosed.guard.links import LinkSigner
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.notices import Notices, NoticeSettings
from undisclosed.guard.ports import Exempt, Pass
from undisclosed.guard.testing import (
    FixedClock,
    ForgetfulMemory,
    MemorySpool,
    RecordingJournal,
)
from undisclosed.transport.smtp.client import HopReply
from undisclosed.transport.smtp.replies import Reply

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
OLIVE = Address("olive", "council.example")
SAM = Address("sam", "council.example")
POLICY = Policy(own_domains=frozenset({"council.example"}))
NAME = KeyedIds(b"test key" * 4)
SIGNER = LinkSigner(b"link key" * 4)
NOTICES = NoticeSettings(Address("guard", "council.example"), "guard.example")

SENDER = Actor("account-olive", frozenset({OLIVE}), frozenset({"sender"}))
APPROVER = Actor("account-sam", frozenset({SAM}), frozenset({"supervisor"}))


def person(number: int) -> Address:
    """A person of an organisation of their own."""
    return Address(f"p{number}", f"home{number}.example")


def people(numbers: Iterable[int]) -> tuple[Address, ...]:
    return tuple(person(number) for number in numbers)


def mail(
    shown: Sequence[Address],
    *,
    viewers: Sequence[Address] | None = None,
    mail_from: Address | None = OLIVE,
    author: Address = OLIVE,
    subject: str = "Newsletter",
    text: str = "Dear all,\r\n\r\nthe library is open on Monday.\r\n",
    more: str = "",
    field_name: str = "To",
    parameters: tuple[str, ...] = (),
    recipient_parameters: tuple[str, ...] = (),
) -> Mail:
    """A mail that shows these people in one field; they are its viewers, too."""
    listed = ",\r\n ".join(f"<{address.spelled_out()}>" for address in shown)
    content = (
        f"From: <{author.spelled_out()}>\r\n"
        f"{field_name}: {listed}\r\n"
        f"Subject: {subject}\r\n"
        "Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n"
        f"Message-ID: <{_number(subject, listed, text)}@council.example>\r\n"
        f"{more}\r\n{text}"
    )
    recipients = shown if viewers is None else viewers
    envelope = Envelope(
        mail_from,
        tuple(Recipient(address, recipient_parameters) for address in recipients),
        parameters,
    )
    return Mail(envelope, content.encode())


def _number(*parts: str) -> str:
    """Another mail has another Message-ID; the same mail again has its own."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


@dataclass
class World:
    """One guard and its surroundings."""

    policy: Policy = POLICY
    observe: bool = False
    settings: CheckpointSettings | None = None
    exempt: Exempt | None = None
    passes: Sequence[Pass] = ()
    reader: Reader | None = None
    memory: ForgetfulMemory = field(default_factory=ForgetfulMemory)
    spool: MemorySpool = field(default_factory=MemorySpool)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    journal: RecordingJournal = field(default_factory=RecordingJournal)
    metrics: GuardMetrics = field(default_factory=GuardMetrics)

    def __post_init__(self) -> None:
        self.notices = Notices(NOTICES, SIGNER.sign, NAME)
        self.checkpoint = Checkpoint(
            self.policy,
            self.memory,
            self.spool,
            self.clock,
            name=NAME,
            notices=self.notices,
            journal=self.journal,
            metrics=self.metrics,
            settings=self.settings or CheckpointSettings(observe=self.observe),
            exempt=self.exempt,
            passes=self.passes,
            reader=self.reader,
        )

    def decide(self, of: Mail) -> Decision:
        """As an endpoint does: at once where it can be, else with Memory."""
        return self.checkpoint.at_once(of) or self.checkpoint.decide(of)

    def take(self, of: Mail) -> tuple[Decision, str | None]:
        """As an endpoint does, with a next hop that takes everything."""
        decision = self.decide(of)
        if decision.action in (Action.HOLD, Action.SPLIT):
            return decision, self.checkpoint.hold(of, decision)
        self.checkpoint.settle(decision, shown=decision.action is Action.ACCEPT)
        return decision, None

    def held(self, of: Mail) -> str:
        """Hold a mail; its id."""
        _, hold_id = self.take(of)
        assert hold_id is not None
        return hold_id

    def desk(self, act, hold_id: str, by: Actor, **more):
        """One decision of the desk, with everything that it needs."""
        more.setdefault("name", NAME)
        return act(
            self.spool, self.memory, hold_id, self.policy, by, self.clock(), **more
        )

    def bytes_of(self, copy: Outgoing) -> bytes:
        """What leaves for one copy."""
        if copy.content is not None:
            return copy.content
        assert copy.hold_id is not None
        assert copy.patch is not None
        return copy.patch.apply(self.spool.content(copy.hold_id))


Script = Sequence[HopReply | Exception] | dict[str, HopReply | Exception]


class ScriptedHop:
    """A next hop that answers by script: in order, or by the first recipient."""

    def __init__(self, script: Script = ()) -> None:
        self.script = script
        self.sent: list[tuple[Envelope, bytes]] = []

    async def send(self, envelope: Envelope, content: bytes) -> HopReply:
        """Take one mail as the script says; 250 where it says nothing."""
        answer = self._answer(envelope)
        if isinstance(answer, Exception):
            raise answer
        if 200 <= answer.code < 300:
            self.sent.append((taken(envelope, answer), content))
        return answer

    def _answer(self, envelope: Envelope) -> HopReply | Exception:
        if isinstance(self.script, dict):
            first = envelope.rcpt_tos[0].person
            return self.script.get(first, OK)
        first, *self.script = self.script or [OK]
        return first


OK = HopReply(250, "2.0.0 OK")
LATER = HopReply(451, "4.7.1 Greylisted")
NEVER = HopReply(550, "5.1.1 No such user")
AWAY = TransientError("The next hop is away.")


def taken(envelope: Envelope, answer: HopReply) -> Envelope:
    """The envelope without the recipients that were refused."""
    if len(answer.recipients) != len(envelope.recipients):
        return envelope
    pairs = zip(envelope.recipients, answer.recipients, strict=True)
    return Envelope(
        envelope.mail_from,
        tuple(recipient for recipient, reply in pairs if reply.is_positive),
        envelope.parameters,
    )


def rcpt(code: int, text: str = "") -> Reply:
    """A reply to RCPT."""
    return Reply(code, (text or f"{code // 100}.0.0 x",))
