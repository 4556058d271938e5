# SPDX-License-Identifier: Apache-2.0
"""The guard's SMTP endpoint: content filter, smarthost, submission.

MAIL and RCPT are passed on in step; the hop gets DATA only after the verdict.
Mail that needs no store is judged and passed on without a task or a thread.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, Decision
from undisclosed.guard.endpoints.access import Standing
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.threads import Threads
from undisclosed.guard.endpoints.trace import TraceWriter
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Authenticator, Clock
from undisclosed.guard.relay import Hop, Transaction
from undisclosed.guard.replies import TROUBLE, reply_to
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.authentication import Credentials
from undisclosed.transport.smtp.client import ClientConnection
from undisclosed.transport.smtp.content import hops, wire
from undisclosed.transport.smtp.extensions import NONE, Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.server import SmtpServer

log = logging.getLogger(__name__)

ENDPOINT = "SMTP"

Result = TypeVar("Result")


class Metrics(Protocol):
    """What the endpoint counts. No address is ever given to it."""

    def accepted(self) -> None:
        """The next hop took a mail."""

    def held(self) -> None:
        """A mail is held, durably."""

    def rejected(self) -> None:
        """A mail was refused by its verdict."""

    def refused(self, code: int) -> None:
        """A mail was refused for any other reason: the hop's, a limit's, our fault."""

    def seconds(self, elapsed: float) -> None:
        """How long a mail waited from its final dot to its reply."""


class NoMetrics:
    """Counts nothing."""

    def accepted(self) -> None:
        """Not counted."""

    def held(self) -> None:
        """Not counted."""

    def rejected(self) -> None:
        """Not counted."""

    def refused(self, code: int) -> None:
        """Not counted."""

    def seconds(self, elapsed: float) -> None:
        """Not counted."""


class KnowsNobody:
    """An authenticator without logins: whatever is said, it is refused."""

    def check(self, login: str, password: str) -> str | None:
        """Nobody."""
        return None


NOBODY = KnowsNobody()


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class SmtpEndpoint:
    """One process's share of the port: a server, a hop, threads that decide."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        hop_factory: Callable[[], Hop],
        settings: SmtpSettings,
        metrics: Metrics | None = None,
        clock: Clock = utc_now,
        authenticator: Authenticator = NOBODY,
    ) -> None:
        self.checkpoint = checkpoint
        self.authenticator = authenticator
        self.settings = settings
        self.metrics = metrics or NoMetrics()
        self.clock = clock
        self.trace = TraceWriter(settings.hostname)
        self._hop_factory = hop_factory
        self._hop: Hop | None = None
        self._server = SmtpServer(self._handler, settings.server())
        self._threads = Threads(settings.deciding_threads)

    async def serve(
        self,
        host: str | None = None,
        port: int | None = None,
        *,
        reuse_port: bool = False,
    ) -> None:
        """Start listening, and return. Raises PortInUse or PortRefused.

        ``reuse_port``: N processes share one port, the kernel deals out clients.
        """
        self._hop = self._hop_factory()
        host = self.settings.host if host is None else host
        port = self.settings.port if port is None else port
        await self._server.start(host, port, reuse_port=reuse_port)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    @property
    def hop(self) -> Hop:
        """The next hop's connections of this process."""
        if self._hop is None:
            raise TransientError("The endpoint is not serving.")
        return self._hop

    async def close(self) -> None:
        """Stop accepting, let open transactions end within the grace time, then 421."""
        await self._server.close(self.settings.grace)
        await self._threads.close()
        if self._hop is not None:
            await self._hop.close()

    def in_thread(
        self,
        call: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run what may block in a thread; what comes of it returns to the loop."""
        self._threads.run(call, done, failed)

    def _handler(self) -> "PassThrough":
        return PassThrough(self, self.hop)


class PassThrough:
    """One client's session: passed on in step, judged at the final dot."""

    def __init__(self, endpoint: SmtpEndpoint, hop: Hop) -> None:
        self._endpoint = endpoint
        self._hop = hop
        self._session = Session("")
        self._login = ""
        self._standing = Standing.STRANGER
        self._origin = Origin(ENDPOINT)
        self._transaction: Transaction | None = None
        self._passage: Passage | None = None

    def on_hello(self, session: Session, offer: Offer) -> None:
        """Offer what the next hop can carry, and no more."""
        self.on_reset()
        if session.is_secured and not self._session.is_secured:
            self._login = ""  # what was said before TLS is forgotten (RFC 3207 §4.2)
        self._session = session
        self._identify()
        if self._hop.extensions is not None:
            offer(self._offered(self._hop.extensions))
            return
        self._hop.acquire(lambda connection: self._learned(connection, offer))

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        """Begin the transaction at the hop too, for those who may hand in mail."""
        refusal = self._why_not_from(mail_from)
        if refusal is not None:
            answer(refusal)
            return
        self._transaction = Transaction(self._hop)
        self._transaction.mail(mail_from, parameters, answer)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """The hop's own answer for each recipient."""
        if self._transaction is None:
            answer(replies.MAIL_FIRST)
        else:
            self._transaction.rcpt(recipient, answer)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        """Judge, and do as the verdict says."""
        transaction, self._transaction = self._transaction, None
        if transaction is None:
            answer(replies.MAIL_FIRST)
            return
        tenant = self._endpoint.settings.access.tenant
        if tenant is None:
            self._pass(mail, self._origin, transaction, answer)
            return
        opened, is_proved = tenant.opened(mail)
        if is_proved:
            origin = replace(self._origin, tenant=tenant.name)
            self._pass(opened, origin, transaction, answer)
        elif self._standing is not Standing.TENANT:
            self._pass(opened, self._origin, transaction, answer)
        else:
            transaction.reset()
            self._endpoint.metrics.refused(replies.NOT_YOUR_TENANT.code)
            answer(replies.NOT_YOUR_TENANT)

    def _pass(
        self, mail: Mail, origin: Origin, transaction: Transaction, answer: Answer
    ) -> None:
        def finished(reply: Reply) -> None:
            self._passage = None
            answer(reply)

        self._passage = Passage(
            self._endpoint, self._session, transaction, mail, finished, origin
        )
        self._passage.begin()

    def on_login(self, credentials: Credentials, answer: Answer) -> None:
        """Ask whose login it is, in a thread."""

        def checked(name: str | None) -> None:
            if name:
                self._login = name
                self._identify()
            answer(replies.LOGIN_OK if name else replies.LOGIN_REFUSED)

        def failed(error: BaseException) -> None:
            log.error("A login could not be checked: %s", type(error).__name__)
            answer(replies.LOGIN_AWAY)

        check = self._endpoint.authenticator.check
        call = partial(check, credentials.login, credentials.password)
        self._endpoint.in_thread(call, checked, failed)

    def on_reset(self) -> None:
        """Give the transaction up at the hop too."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.reset()

    def on_close(self) -> None:
        """The client went away: nothing passes that was not yet passed on."""
        self.on_reset()
        if self._passage is not None:
            self._passage.give_up()

    def _identify(self) -> None:
        """Who the client is now, and what it may do."""
        session, access = self._session, self._endpoint.settings.access
        self._standing = access.standing(session, self._login)
        shown = session.certificate
        self._origin = Origin(
            ENDPOINT,
            session.peer,
            self._login,
            shown.fingerprint if shown else "",
        )

    def _why_not_from(self, mail_from: Address | None) -> Reply | None:
        """Why this client may not hand in mail of this sender; None where it may."""
        access = self._endpoint.settings.access
        if self._standing is Standing.STRANGER:
            return self._invitation()
        tenant = access.tenant if self._standing is Standing.TENANT else None
        # The null sender's mail is looked at when its author is known.
        if tenant is None or mail_from is None or tenant.sends_as(mail_from):
            return None
        return replies.NOT_YOUR_TENANT

    def _invitation(self) -> Reply:
        """What a stranger hears: how to prove who it is, where there is a way."""
        settings, session = self._endpoint.settings, self._session
        if settings.access.offers_auth(session):
            return replies.LOGIN_FIRST
        has_tls = settings.tls_certificate is not None
        if has_tls and not session.is_secured and settings.access.admits_strangers:
            return replies.STARTTLS_FIRST
        return replies.NOT_YOURS

    def _learned(self, connection: ClientConnection | None, offer: Offer) -> None:
        if connection is None:
            offer(self._offered(NONE))
            return
        self._hop.release(connection)
        offer(self._offered(connection.extensions))

    def _offered(self, hop: Extensions) -> Extensions:
        settings = self._endpoint.settings
        size = min(settings.max_size, hop.size or settings.max_size)
        session = self._session
        has_tls = settings.tls_certificate is not None
        return Extensions(
            pipelining=True,
            size=size,
            eight_bit=hop.eight_bit,
            utf8=hop.utf8 and hop.eight_bit,
            dsn=hop.dsn,
            enhanced_status=True,
            starttls=has_tls and not session.is_secured,
            auth=not self._login and settings.access.offers_auth(session),
            requiretls=hop.requiretls and session.is_secured,
        )


class Passage:
    """One mail between its final dot and our reply."""

    def __init__(
        self,
        endpoint: SmtpEndpoint,
        session: Session,
        transaction: Transaction,
        mail: Mail,
        answer: Answer,
        origin: Origin,
    ) -> None:
        self._endpoint = endpoint
        self._origin = origin
        self._session = session
        self._transaction = transaction
        self._mail = mail
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._is_given_up = False
        self._is_relayed = False

    def begin(self) -> None:
        """Refuse what cannot be carried; judge the rest."""
        refusal = self._why_refused()
        if refusal is not None:
            self._refuse(refusal)
            return
        checkpoint = self._endpoint.checkpoint
        try:
            decision = checkpoint.at_once(self._mail, self._origin)
        except Exception as error:  # a judge that breaks must not cost the mail
            self._fail(error)
            return
        if decision is not None:
            self._carry_out(decision)
        else:
            call = partial(checkpoint.decide, self._mail, self._origin)
            self._endpoint.in_thread(call, self._carry_out, self._fail)

    def give_up(self) -> None:
        """The client is gone. What the hop already has is not called back."""
        self._is_given_up = True
        if not self._is_relayed:
            self._transaction.reset()

    def _why_refused(self) -> Reply | None:
        extensions = self._transaction.extensions
        if not self._transaction.is_open or extensions is None:
            return replies.HOP_LOST
        content = self._mail.content
        if hops(content) > self._endpoint.settings.max_hops:
            return replies.LOOP
        if not extensions.eight_bit and not content.isascii():
            return replies.NO_8BIT
        return None

    def _carry_out(self, decision: Decision) -> None:
        if self._is_given_up:
            self._settle(decision, shown=False)
            return
        match decision.action:
            case Action.ACCEPT:
                self._relay(decision)
            case Action.SPLIT | Action.HOLD:
                self._hold(decision)
            case Action.REJECT:
                self._transaction.reset()
                self._settle(decision, shown=False)
                self._endpoint.metrics.rejected()
                self._finish(reply_to(decision.verdict))

    def _relay(self, decision: Decision) -> None:
        self._is_relayed = True
        utf8 = "SMTPUTF8" in self._mail.envelope.parameters
        trace = self._endpoint.trace.field(
            self._session,
            self._endpoint.clock(),
            utf8=utf8,
            is_logged_in=bool(self._origin.login),
        )
        removals = () if decision.is_observed else decision.verdict.removals
        self._transaction.content(
            wire(self._mail.content, trace, removals), partial(self._relayed, decision)
        )

    def _relayed(self, decision: Decision, reply: Reply, is_shown: bool) -> None:
        if reply.is_positive:
            self._endpoint.metrics.accepted()
        else:
            self._endpoint.metrics.refused(reply.code)
        self._finish(reply)
        self._settle(decision, shown=is_shown)

    def _hold(self, decision: Decision) -> None:
        self._transaction.reset()
        call = partial(self._endpoint.checkpoint.hold, self._mail, decision)
        self._endpoint.in_thread(call, partial(self._held, decision), self._fail)

    def _held(self, decision: Decision, hold_id: str) -> None:
        self._endpoint.metrics.held()
        self._finish(reply_to(decision.verdict, hold_id))

    def _settle(self, decision: Decision, *, shown: bool) -> None:
        if decision.reservation is not None:
            call = partial(self._endpoint.checkpoint.settle, decision, shown=shown)
            # A place that is never settled counts as shown: nothing is lost by it.
            self._endpoint.in_thread(call, _nothing, _unsettled)

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, TransientError):
            log.error("A mail could not be judged: %s", type(error).__name__)
        self._refuse(TROUBLE)

    def _refuse(self, reply: Reply) -> None:
        self._transaction.reset()
        self._endpoint.metrics.refused(reply.code)
        self._finish(reply)

    def _finish(self, reply: Reply) -> None:
        self._endpoint.metrics.seconds(self._loop.time() - self._since)
        self._answer(reply)


def _nothing(result: None) -> None:
    """A settled place needs no more."""


def _unsettled(error: BaseException) -> None:
    log.warning("A place in Memory was not settled: %s", type(error).__name__)
