# SPDX-License-Identifier: Apache-2.0
"""The one place that every endpoint passes: bytes in, a decision out.

``at_once`` answers what needs no store, in the event loop. ``decide`` asks
Memory, ``hold`` commits, ``settle`` confirms: these block, and run in threads.
When in doubt the guard holds; when broken it answers 451. In observe mode it
changes, holds and refuses nothing: trouble is an alarm, and everything is
recorded as it would have been judged.
"""

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.authorship import is_ours
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.documents import Reader
from undisclosed.core.held import HoldState, NewHold, Outgoing, Shown, WaveState
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN, Known
from undisclosed.core.mail import Mail
from undisclosed.core.mailing import Wave, digest_of, wave_of
from undisclosed.core.policy import Policy
from undisclosed.core.rules.unreadable import broken_twice
from undisclosed.core.shown.encryption import ENCRYPTED
from undisclosed.core.verdict import Action, Verdict
from undisclosed.errors import TransientError
from undisclosed.guard.copies import CannotSendSingly, why_not
from undisclosed.guard.desk import (
    AT_ONCE,
    accept,
    return_cut,
    settle_as_held,
    split,
)
from undisclosed.guard.metrics import Alarm, Silent
from undisclosed.guard.notices import Facts, Notices
from undisclosed.guard.origin import UNKNOWN, Origin
from undisclosed.guard.ports import (
    Clock,
    Exempt,
    Exemption,
    Journal,
    KeyedId,
    Memory,
    Pass,
    Passed,
    Spool,
    Trace,
)

log = logging.getLogger(__name__)

MAX_ALREADY_READ = 64
"""Mails read by ``at_once`` and not yet asked for by ``decide``."""

UNREAD = "This mail could not be read, so its copies could not be checked."


class JudgementBroke(TransientError):
    """The guard failed while it judged a mail. The next try may succeed."""


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """How the checkpoint behaves. Times as timedelta, sizes in bytes.

    ``observe``: nothing is changed, held or refused. ``hold_for``: after this time
    an untouched hold goes back to its sender. ``undo_split``, ``undo_accepted``: for
    how long mail that is sent singly by a rule, and mail that is accepted, can be
    withdrawn before it leaves. ``at_once_*``: what may be read in the event loop;
    larger mail is read in a thread. ``remembered_failures``: how many mails that broke
    the judge are recognised when they come again.
    """

    observe: bool = False
    hold_for: timedelta = timedelta(days=3)
    undo_split: timedelta = AT_ONCE
    undo_accepted: timedelta = AT_ONCE
    at_once_size: int = 256 * 1024
    at_once_recipients: int = 100
    at_once_at_signs: int = 1000
    remembered_failures: int = 1024


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one mail, and everything that is needed to carry it out.

    ``reading`` is None where the mail could not be read; ``reservation`` where
    Memory was not asked. ``mails`` is how many mails its mailing has so far, this one
    included. ``is_delayed``: nothing is wrong with it, and it is kept for its undo
    window.
    """

    verdict: Verdict
    reading: Reading | None = field(repr=False)
    reservation: str | None
    mailing_id: str
    digest: bytes = field(repr=False)
    is_observed: bool
    exemption: Exemption | None = None
    mails: int = 1
    is_delayed: bool = False

    @property
    def action(self) -> Action:
        """The action to carry out: observed and exempt mail passes all the same.

        HOLD, too, where an accepted mail is kept for its undo window.
        """
        if self.is_observed or self.exemption is not None:
            return Action.ACCEPT
        return Action.HOLD if self.is_delayed else self.verdict.action


@dataclass(frozen=True, slots=True)
class _Read:
    mail: Mail
    reading: Reading
    wave: Wave | None


class Checkpoint:
    """Decides about mail with one policy, one Memory and one spool.

    It may be called from several threads at once.
    """

    def __init__(  # noqa: PLR0913 (everything that a decision needs meets here)
        self,
        policy: Policy,
        memory: Memory,
        spool: Spool,
        clock: Clock,
        *,
        name: KeyedId,
        notices: Notices,
        journal: Journal,
        metrics: Alarm | None = None,
        settings: CheckpointSettings | None = None,
        reader: Reader | None = None,
        passes: Sequence[Pass] = (),
        exempt: Exempt | None = None,
        trace: Trace | None = None,
    ) -> None:
        self.policy = policy
        self.settings = settings or CheckpointSettings()
        self._memory = memory
        self._spool = spool
        self._clock = clock
        self._name = name
        self._notices = notices
        self._journal = journal
        self._metrics = metrics or Silent()
        self._reader = reader
        self._passes = tuple(passes)
        self._exempt = exempt
        self._trace = trace
        self._lock = threading.Lock()
        self._broken: OrderedDict[bytes, None] = OrderedDict()
        self._already_read: OrderedDict[int, _Read] = OrderedDict()

    def at_once(self, mail: Mail, origin: Origin = UNKNOWN) -> Decision | None:
        """Decide without any store, cheaply; None where ``decide`` has to.

        That is the case where Memory is needed, where the mail is large, carries a
        document or a token of ours, where reading it breaks, and where an observed
        objection, or what could not be read, is to be recorded.
        """
        if self._is_large(mail) or self.settings.undo_accepted:
            return None
        try:
            found = self._read(mail)
            if self._reader is not None and found.reading.content.needs_reader:
                return None
            if found.wave is not None or found.reading.content.own_fields:
                self._keep(found)
                return None
            verdict = judge(found.reading, NOTHING_KNOWN, self.policy)
        except Exception:
            # decide() meets the same failure, and counts it.
            return None
        if (
            verdict.action is not Action.ACCEPT
            or (verdict.removals and self.settings.observe)
            or _unread(found.reading)
        ):
            self._keep(found)
            return None
        self._metrics.judged(verdict.action, self.settings.observe)
        self._traced(mail)
        return Decision(verdict, found.reading, None, "", b"", self.settings.observe)

    def decide(self, mail: Mail, origin: Origin = UNKNOWN) -> Decision:
        """Decide, with Memory where the mail needs it. Blocks.

        Raises TransientError where Memory is away, and JudgementBroke the first time
        that a mail breaks the judge; the second time it is held as unreadable. In
        observe mode neither: the mail passes with an alarm.
        """
        found = self._kept(mail)
        digest = found.wave.digest if found and found.wave else digest_of(mail)
        try:
            found = found or self._read(mail, digest, self._reader)
        except Exception as error:
            return self._broke(mail, digest, None, error)
        passed = self._passed(found, origin)
        known, reservation = self._ask(None if passed.is_counted else found.wave)
        known = replace(known, clearance=passed.clearance)
        try:
            verdict = judge(found.reading, known, self.policy)
        except Exception as error:
            return self._broke(mail, digest, reservation, error)
        decision = Decision(
            verdict,
            found.reading,
            self._kept_place(verdict, reservation),
            known.mailing.id if known.mailing else self._own_mailing(digest),
            digest,
            self.settings.observe,
            self._exemption(mail, origin, verdict),
            known.mailing.waves if known.mailing else 1,
            self._is_delayed(mail, found.reading, verdict, passed),
        )
        self._record(decision)
        if decision.action is Action.ACCEPT:
            self._traced(mail)
        return decision

    def hold(self, mail: Mail, decision: Decision) -> str:
        """Commit the mail and its notice; the hold's id. Blocks.

        Durable when this returns. Where the verdict is split, the copies are queued,
        too; where they cannot be made the mail stays held for people to decide. What
        only waits for its undo window is queued as it is. Raises TransientError: then
        the client keeps the mail, and its next try finds what was committed.
        """
        new = self._new_hold(mail, decision)
        kept = self._spool.hold(new)
        if not kept.is_settled:
            settle_as_held(self._memory, self._spool.get(kept.id))
        if kept.state is not HoldState.HELD:
            return kept.id
        if decision.is_delayed:
            self._accept_later(kept.id)
        elif decision.verdict.action is Action.SPLIT:
            self._split(mail, decision, kept.id, new)
        elif mail.envelope.mail_from is None:
            self._return_cut(kept.id)
        return kept.id

    def _return_cut(self, hold_id: str) -> None:
        """A report without a sender goes on, cut; where it cannot, the desk decides."""
        with contextlib.suppress(CannotSendSingly):
            return_cut(
                self._spool,
                self._memory,
                hold_id,
                self.policy,
                self._clock(),
                name=self._name,
                reader=self._reader,
            )

    def _accept_later(self, hold_id: str) -> None:
        accept(
            self._spool,
            self._memory,
            hold_id,
            self.policy,
            self._clock(),
            name=self._name,
            undo=self.settings.undo_accepted,
        )

    def _split(
        self, mail: Mail, decision: Decision, hold_id: str, new: NewHold
    ) -> None:
        """Send singly; where the copies cannot be made, people decide."""
        now, undo = self._clock(), self.settings.undo_split
        try:
            split(
                self._spool,
                self._memory,
                hold_id,
                self.policy,
                now,
                name=self._name,
                undo=undo,
                reader=self._reader,
            )
        except CannotSendSingly:
            notice = self._notice(mail, decision, new, now)
        else:
            notice = self._notice(mail, decision, new, now, undo) if undo else None
        if notice is not None:
            self._spool.queue([notice], now=now)

    def settle(self, decision: Decision, shown: bool) -> None:
        """Tell Memory whether an accepted mail was shown. Blocks; never raises.

        No reply of the next hop counts as shown. Where Memory is away the place
        stays reserved, which counts as shown as well.
        """
        if decision.reservation is None:
            return
        state = WaveState.SHOWN if shown else WaveState.CANCELLED
        try:
            self._memory.settle(decision.reservation, state)
        except TransientError:
            self._alarm("memory", "A mail could not be settled in Memory.")

    def _is_large(self, mail: Mail) -> bool:
        settings = self.settings
        return (
            len(mail.content) > settings.at_once_size
            or len(mail.envelope.recipients) > settings.at_once_recipients
            or mail.content.count(b"@") > settings.at_once_at_signs
        )

    def _read(
        self, mail: Mail, digest: bytes | None = None, reader: Reader | None = None
    ) -> _Read:
        reading = read(mail, self.policy, reader=reader)
        wave = wave_of(reading, mail, self.policy, digest=digest)
        return _Read(mail, reading, wave)

    def _traced(self, mail: Mail) -> None:
        """Note that a mail is let through; whether the next hop takes it, it says."""
        if self._trace is not None:
            self._trace.accepted(mail, self._clock())

    def _keep(self, found: _Read) -> None:
        """Keep what was read for ``decide``, which comes next for the same mail."""
        with self._lock:
            self._already_read[id(found.mail)] = found
            while len(self._already_read) > MAX_ALREADY_READ:
                self._already_read.popitem(last=False)

    def _kept(self, mail: Mail) -> _Read | None:
        with self._lock:
            found = self._already_read.pop(id(mail), None)
        return found if found is not None and found.mail is mail else None

    def _passed(self, found: _Read, origin: Origin) -> Passed:
        """What the tokens that the mail carries prove. Raises TransientError."""
        if not found.reading.content.own_fields:
            return Passed()
        now = self._clock()
        every = (one.of(found.mail, found.reading, origin, now) for one in self._passes)
        proved = [passed for passed in every if passed is not None]
        clearances = [one.clearance for one in proved if one.clearance is not None]
        return Passed(
            clearances[0] if clearances else None,
            any(passed.is_counted for passed in proved),
        )

    def _exemption(
        self, mail: Mail, origin: Origin, verdict: Verdict
    ) -> Exemption | None:
        """The exemption of a mail that would not pass; others need none."""
        if self._exempt is None or verdict.action is Action.ACCEPT:
            return None
        return self._exempt.of(mail, origin, self._clock())

    def _ask(self, wave: Wave | None) -> tuple[Known, str | None]:
        if wave is None:
            return NOTHING_KNOWN, None
        try:
            reservation = self._memory.reserve(
                replace(wave, is_observed=self.settings.observe),
                window=self.policy.mailing_window,
                now=self._clock(),
            )
        except TransientError:
            self._alarm("memory", "Memory is away.")
            if not self.settings.observe:
                raise
            return NOTHING_KNOWN, None
        return reservation.known, reservation.id

    def _broke(
        self, mail: Mail, digest: bytes, reservation: str | None, error: Exception
    ) -> Decision:
        # The error's own text may hold an address: its kind is all that is told.
        self._alarm("judgement", f"A judgement failed: {type(error).__name__}.")
        observe = self.settings.observe
        if not (observe or self._is_second_failure(digest)):
            raise JudgementBroke from None
        viewers = len(set(mail.envelope.rcpt_tos))
        decision = Decision(
            Verdict(Action.ACCEPT) if observe else broken_twice(viewers),
            None,
            reservation,
            self._own_mailing(digest),
            digest,
            observe,
        )
        self._metrics.judged(decision.verdict.action, observe)
        return decision

    def _is_second_failure(self, digest: bytes) -> bool:
        with self._lock:
            if digest in self._broken:
                return True
            self._broken[digest] = None
            while len(self._broken) > self.settings.remembered_failures:
                self._broken.popitem(last=False)
            return False

    def _kept_place(self, verdict: Verdict, reservation: str | None) -> str | None:
        """A refused mail is shown to nobody: its place is given up at once."""
        if verdict.action is Action.REJECT and not self.settings.observe:
            if reservation is not None:
                try:
                    self._memory.settle(reservation, WaveState.CANCELLED)
                except TransientError:
                    self._alarm("memory", "A mail could not be settled in Memory.")
            return None
        return reservation

    def _own_mailing(self, digest: bytes) -> str:
        return self._name("mailing", digest.hex())

    def _record(self, decision: Decision) -> None:
        verdict, observed = decision.verdict, decision.is_observed
        self._metrics.judged(verdict.action, observed)
        is_objection = verdict.action is not Action.ACCEPT
        if not is_objection and decision.reading is not None:
            self._record_unread(decision, decision.reading)
        if not (is_objection or verdict.removals):
            return
        exemption = decision.exemption
        if exemption is None and not observed and verdict.action is not Action.REJECT:
            return  # a hold is journalled by the spool, a removal needs no entry
        facts = {
            "mailing": decision.mailing_id,
            "action": verdict.action.value,
            "rules": ", ".join(finding.rule for finding in verdict.findings),
            "people": max((f.people for f in verdict.findings), default=0),
            "removals": len(verdict.removals),
        }
        if exemption is not None:
            facts |= {"exemption": exemption.name, "owner": exemption.owner}
            self._write("exempted", **facts)
        if exemption is None or observed:
            self._write("observed" if observed else "rejected", **facts)

    def _record_unread(self, decision: Decision, reading: Reading) -> None:
        """Write down what passes unread: it went to nobody who could see another."""
        unread = _unread(reading)
        if unread:
            viewers = len(reading.outside_viewers)
            self._write(
                "passed unread",
                mailing=decision.mailing_id,
                viewers=viewers,
                what=unread,
            )

    def _alarm(self, what: str, sentence: str) -> None:
        self._metrics.trouble(what)
        log.error("%s", sentence)
        self._write("trouble", what=what, sentence=sentence)

    def _write(self, event: str, **facts: object) -> None:
        """Write to the journal; where it is away, the log has to do."""
        try:
            self._journal(event, **facts)
        except Exception as error:
            log.error("The journal is away: %s", type(error).__name__)

    def _new_hold(self, mail: Mail, decision: Decision) -> NewHold:
        now, reading = self._clock(), decision.reading
        refused = why_not(mail, reading, self.policy) if reading else UNREAD
        people = reading.newly_shown | reading.newly_shown_in_text if reading else ()
        viewers = reading.outside_viewers if reading else set(mail.envelope.rcpt_tos)
        shown = reading.content.shown if reading else {}
        new = NewHold(
            mail=mail,
            digest=decision.digest,
            findings=decision.verdict.findings,
            mailing_id=decision.mailing_id,
            reservation_id=decision.reservation,
            people=len(people),
            disclosures=reading.new_disclosures if reading else 0,
            viewers=len(viewers),
            singly_refused=refused,
            is_ownerless=reading is not None
            and _is_ownerless(mail.envelope.mail_from, reading, self.policy),
            expires_at=now + self.settings.hold_for,
            received_at=now,
            subject=reading.content.subject if reading else "",
            shown=tuple(Shown(person, shown[person]) for person in sorted(people)),
        )
        if decision.is_delayed or decision.verdict.action is Action.SPLIT:
            return new
        return replace(new, notice=self._notice(mail, decision, new, now))

    def _notice(
        self,
        mail: Mail,
        decision: Decision,
        new: NewHold,
        now: datetime,
        undo: timedelta = AT_ONCE,
    ) -> Outgoing | None:
        """The sender's notice; None where nobody may be told."""
        sender, reading = mail.envelope.mail_from, decision.reading
        if sender is None or reading is None or reading.content.auto_submitted:
            return None  # RFC 3834 §2: nothing answers another program
        if _is_ownerless(sender, reading, self.policy):
            return None
        first = new.findings[0].text if new.findings else ""
        facts = Facts(
            mailing_id=new.mailing_id,
            viewers=new.viewers,
            disclosures=new.disclosures,
            singly_refused=new.singly_refused,
            first_finding=first,
            subject=new.subject,
            gone=decision.mails - 1,
        )
        if undo:
            return self._notices.of_split(facts, sender, now, undo)
        return self._notices.of_hold(facts, sender, now)

    def _is_delayed(
        self, mail: Mail, reading: Reading, verdict: Verdict, passed: Passed
    ) -> bool:
        """Whether an accepted mail waits: not where nobody could take it back.

        Nor where it has been through this guard before.
        """
        return (
            bool(self.settings.undo_accepted)
            and verdict.action is Action.ACCEPT
            and not (self.settings.observe or passed.is_counted)
            and not reading.content.auto_submitted
            and not _is_ownerless(mail.envelope.mail_from, reading, self.policy)
        )


def _is_ownerless(sender: Address | None, reading: Reading, policy: Policy) -> bool:
    """Whether nobody inside sent it: then the desk decides, and nobody is told."""
    return (
        sender is None
        or reading.sides.is_outsider(sender)
        or not is_ours(reading.content.author, policy)
    )


def _unread(reading: Reading) -> tuple[str, ...]:
    """What of a mail to anybody outside could not be read, without an address."""
    content = reading.content
    if not reading.outside_viewers:
        return ()
    is_encrypted = ENCRYPTED in content.unread_parts
    return content.uncertain + ((ENCRYPTED,) if is_encrypted else ())
