# SPDX-License-Identifier: Apache-2.0
"""The sendmail pipe: one mail of a local program, judged in the program's own process.

The verdict comes first. Accepted mail is then handed to the next hop for all of its
recipients or for none: a program that gets one exit code cannot learn that two of
three were served. Where the store is not the program's to open, ``hand_on`` gives the
mail to the running guard instead, which judges it as it judges everybody's.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from undisclosed.core.mail import Mail
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, Decision, JudgementBroke
from undisclosed.guard.endpoints.trace import TraceWriter
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Clock
from undisclosed.guard.relay import Hop, Transaction
from undisclosed.guard.replies import TROUBLE, reply_to
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.content import hops, why_refused, wire
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply

log = logging.getLogger(__name__)

MAX_HOPS = 50
"""Received fields above which a mail goes round in circles (RFC 5321 §6.3)."""


@dataclass(frozen=True, slots=True)
class _Passed:
    """What the hop answered, and whether it may have taken the mail."""

    reply: Reply
    may_be_taken: bool


class SendmailEndpoint:
    """Judges and carries out one local mail after the other; blocks."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        hop_factory: Callable[[], Hop],
        clock: Clock,
        *,
        hostname: str,
        limits: Limits,
    ) -> None:
        self._checkpoint = checkpoint
        self._hop_factory = hop_factory
        self._clock = clock
        self._trace = TraceWriter(hostname)
        self._limits = limits

    def hand_in(self, mail: Mail, origin: Origin) -> Reply:
        """What becomes of the mail, in the words of the SMTP endpoint. Never raises.

        Positive: it was relayed, or is held, durably. Transient: nobody is known to
        have it, and the program still has it.
        """
        refusal = why_not_taken(mail, self._limits)
        if refusal is not None:
            return refusal
        try:
            return self._carry_out(mail, self._decided(mail, origin))
        except Exception as error:
            if not isinstance(error, TransientError):
                log.error("A mail could not be judged: %s", type(error).__name__)
            return TROUBLE

    def _decided(self, mail: Mail, origin: Origin) -> Decision:
        decision = self._checkpoint.at_once(mail, origin)
        if decision is not None:
            return decision
        try:
            return self._checkpoint.decide(mail, origin)
        except JudgementBroke:
            # No other try of these bytes comes to this process: this is the second.
            return self._checkpoint.decide(mail, origin)

    def _carry_out(self, mail: Mail, decision: Decision) -> Reply:
        match decision.action:
            case Action.ACCEPT:
                return self._relay(mail, decision)
            case Action.SPLIT | Action.HOLD:
                hold_id = self._checkpoint.hold(mail, decision)
                return reply_to(decision.verdict, hold_id)
            case Action.REJECT:
                self._checkpoint.settle(decision, shown=False)
                return reply_to(decision.verdict)

    def _relay(self, mail: Mail, decision: Decision) -> Reply:
        removals = () if decision.is_observed else decision.verdict.removals
        trace = self._trace.local_field(self._clock())
        content = wire(mail.content, trace, removals)
        passed = asyncio.run(_with_hop(self._hop_factory, mail, content))
        self._checkpoint.settle(decision, shown=passed.may_be_taken)
        return passed.reply


def hand_on(mail: Mail, hop_factory: Callable[[], Hop], limits: Limits) -> Reply:
    """Give the mail to a guard that is running, as its hop; its answer. Blocks."""
    refusal = why_not_taken(mail, limits)
    if refusal is not None:
        return refusal
    return asyncio.run(_with_hop(hop_factory, mail, wire(mail.content))).reply


def why_not_taken(mail: Mail, limits: Limits) -> Reply | None:
    """The reply to a mail that no endpoint takes; None where it is to be judged."""
    if len(mail.content) > limits.max_size:
        return replies.TOO_BIG
    if len(mail.envelope.recipients) > limits.max_recipients:
        return replies.reply(552, "5.5.3 Too many recipients for one mail")
    if hops(mail.content) > MAX_HOPS:
        return replies.LOOP
    return why_refused(mail.content, limits.max_text_line)


async def _with_hop(
    hop_factory: Callable[[], Hop], mail: Mail, content: bytes
) -> _Passed:
    hop = hop_factory()
    try:
        return await _pass_on(Transaction(hop), mail, content)
    finally:
        await hop.close()


async def _pass_on(transaction: Transaction, mail: Mail, content: bytes) -> _Passed:
    """Hand the mail to the hop for every recipient, or for none."""
    refusal = _worst(await _opened(transaction, mail))
    extensions = transaction.extensions
    if refusal is None and (extensions is None or not transaction.is_open):
        refusal = replies.HOP_LOST
    elif refusal is None and extensions is not None:
        is_carried = extensions.eight_bit or mail.content.isascii()
        refusal = None if is_carried else replies.NO_8BIT
    if refusal is not None:
        transaction.reset()
        return _Passed(refusal, False)
    waiter: asyncio.Future[_Passed] = asyncio.get_running_loop().create_future()
    transaction.content(
        content, lambda reply, taken: waiter.set_result(_Passed(reply, taken))
    )
    return await waiter


async def _opened(transaction: Transaction, mail: Mail) -> list[Reply]:
    """The hop's answers to MAIL and to each RCPT."""
    loop, envelope = asyncio.get_running_loop(), mail.envelope
    waiters: list[asyncio.Future[Reply]] = [
        loop.create_future() for _ in (None, *envelope.recipients)
    ]
    transaction.mail(envelope.mail_from, envelope.parameters, waiters[0].set_result)
    for recipient, waiter in zip(envelope.recipients, waiters[1:], strict=True):
        transaction.rcpt(recipient, waiter.set_result)
    return await asyncio.gather(*waiters)


def _worst(answers: Sequence[Reply]) -> Reply | None:
    """The refusal that counts: the sender's, then one for good, then any; or None."""
    refused = [answer for answer in answers if not answer.is_positive]
    if not refused or refused[0] is answers[0]:
        return refused[0] if refused else None
    return next((one for one in refused if not one.is_transient), refused[0])
