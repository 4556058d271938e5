# SPDX-License-Identifier: Apache-2.0
"""The guard's milter endpoint: Postfix or Sendmail asks about each mail.

A milter cannot split and cannot let a mail wait. What is held is committed, then
the MTA is told to discard its own copy: the client hears 250, and the mail is ours.
Before the commit nothing is discarded, whatever happens. Fields that must not travel
are deleted at the MTA; its list of recipients is never touched.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from undisclosed.core.mail import Mail
from undisclosed.core.mailing import digest_of
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, Decision
from undisclosed.guard.endpoints.smtp import Metrics, NoMetrics
from undisclosed.guard.endpoints.threads import Threads
from undisclosed.guard.origin import Origin
from undisclosed.guard.replies import OUTCOMES, TROUBLE, reply_to
from undisclosed.transport.milter.deletions import deletions_of
from undisclosed.transport.milter.events import Client, Message, MessageRefused
from undisclosed.transport.milter.handler import Answer, Handler
from undisclosed.transport.milter.responses import (
    ACCEPTED,
    Deletion,
    Response,
    refused,
)
from undisclosed.transport.milter.server import MilterServer
from undisclosed.transport.milter.settings import Listening, MilterServerSettings
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.content import hops
from undisclosed.transport.smtp.replies import Reply

log = logging.getLogger(__name__)

SHORTEST_QUEUE_ID = 6
"""Characters of an MTA's name for a mail; a shorter one could be any word."""


@dataclass(frozen=True, slots=True)
class MilterSettings:
    """Where the endpoint listens, who may use it, and how much it takes.

    ``grace`` is for mail that waits for its answer when the process ends;
    ``deciding_threads`` ask Memory and the spool.
    """

    listen: Listening
    server: MilterServerSettings = field(default_factory=MilterServerSettings)
    max_hops: int = 50
    grace: timedelta = timedelta(seconds=30)
    deciding_threads: int = 8


def origin_of(client: Client) -> Origin:
    """What the MTA tells of its client. Its words are as good as the MTA's own."""
    return Origin("milter", client.address, client.login)


class ServedMilter:
    """One process's milter: a server, and threads for what must not hold it up."""

    def __init__(
        self, handler_factory: Callable[[], Handler], settings: MilterSettings
    ) -> None:
        self.settings = settings
        self.threads = Threads(settings.deciding_threads)
        self._server = MilterServer(handler_factory, settings.server)

    async def serve(self, *, reuse_port: bool = False) -> None:
        """Start listening, and return.

        Raises PortInUse, PortRefused, SocketInUse or SocketRefused.
        """
        await self._server.start(self.settings.listen, reuse_port=reuse_port)

    @property
    def port(self) -> int:
        """The TCP port that it listens on."""
        return self._server.port

    async def close(self) -> None:
        """Stop accepting, and answer what is on its way within the grace time."""
        await self._server.close(self.settings.grace)
        await self.threads.close()


class MilterEndpoint(ServedMilter):
    """A milter that judges each mail that it is asked about."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        settings: MilterSettings,
        metrics: Metrics | None = None,
    ) -> None:
        super().__init__(lambda: Judging(self), settings)
        self.checkpoint = checkpoint
        self.metrics = metrics or NoMetrics()


class Judging:
    """One connection of an MTA: each of its mails is judged."""

    def __init__(self, endpoint: MilterEndpoint) -> None:
        self._endpoint = endpoint
        self._passage: Passage | None = None

    def on_message(self, message: Message, answer: Answer) -> None:
        """Judge, and do as the verdict says."""

        def finished(response: Response) -> None:
            self._passage = None
            answer(response)

        self._passage = Passage(self._endpoint, message, finished)
        self._passage.begin()

    def on_refused(self, refused_: MessageRefused, answer: Answer) -> None:
        """A mail that cannot be judged goes no further, but in observe mode."""
        if self._endpoint.checkpoint.settings.observe:
            log.error("A mail passed unjudged (%d).", refused_.why.code)
            self._endpoint.metrics.accepted()
            answer(ACCEPTED)
        else:
            self._endpoint.metrics.refused(refused_.why.code)
            answer(refused(refused_.why))

    def on_given_up(self) -> None:
        """The MTA waits no more, and keeps the mail or refuses it."""
        passage, self._passage = self._passage, None
        if passage is not None:
            passage.give_up()


class Passage:
    """One mail between the end of its body and our answer."""

    def __init__(
        self, endpoint: MilterEndpoint, message: Message, answer: Answer
    ) -> None:
        self._endpoint = endpoint
        self._message = message
        self._mail = message.mail
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._is_given_up = False

    def begin(self) -> None:
        """Refuse what goes round in circles; judge the rest."""
        checkpoint, origin = self._endpoint.checkpoint, origin_of(self._message.client)
        if hops(self._mail.content) > self._endpoint.settings.max_hops:
            self._refuse(replies.LOOP)
            return
        try:
            decision = checkpoint.at_once(self._mail, origin)
        except Exception as error:  # a judge that breaks must not cost the mail
            self._fail(error)
            return
        if decision is not None:
            self._carry_out(decision)
        else:
            call = partial(checkpoint.decide, self._mail, origin)
            self._endpoint.threads.run(call, self._carry_out, self._fail)

    def give_up(self) -> None:
        """The MTA is gone. What is committed just now its client's retry will find."""
        self._is_given_up = True

    def _carry_out(self, decision: Decision) -> None:
        if self._is_given_up:
            self._settle(decision, shown=False)
            return
        match decision.action:
            case Action.ACCEPT:
                self._accept(decision)
            case Action.SPLIT | Action.HOLD:
                self._hold(decision)
            case Action.REJECT:
                self._settle(decision, shown=False)
                self._endpoint.metrics.rejected()
                reply = reply_to(decision.verdict)
                self._finish(Response(OUTCOMES[decision.action], reply))

    def _accept(self, decision: Decision) -> None:
        deletions = self._deletions(decision)
        if deletions is None:
            log.error("A field that must not travel cannot be deleted at the MTA.")
            self._settle(decision, shown=False)
            self._refuse(TROUBLE)
            return
        self._endpoint.metrics.accepted()
        self._finish(Response(OUTCOMES[decision.action], deletions=deletions))
        # What becomes of it at the MTA we do not hear: it counts as shown.
        self._settle(decision, shown=True)

    def _deletions(self, decision: Decision) -> tuple[Deletion, ...] | None:
        removals = () if decision.is_observed else decision.verdict.removals
        if removals and not self._message.may_change_header:
            return None
        return deletions_of(self._message.fields, removals) if removals else ()

    def _hold(self, decision: Decision) -> None:
        held = partial(self._held, decision)
        self._endpoint.threads.run(partial(self._commit, decision), held, self._fail)

    def _commit(self, decision: Decision) -> str:
        """Hold the mail, so that its retry is recognised. Blocks."""
        decision = replace(decision, digest=digest_of(as_retried(self._message)))
        return self._endpoint.checkpoint.hold(self._mail, decision)

    def _held(self, decision: Decision, hold_id: str) -> None:
        self._endpoint.metrics.held()
        self._finish(Response(OUTCOMES[decision.action]))

    def _settle(self, decision: Decision, *, shown: bool) -> None:
        if decision.reservation is not None:
            call = partial(self._endpoint.checkpoint.settle, decision, shown=shown)
            # A place that is never settled counts as shown: nothing is lost by it.
            self._endpoint.threads.run(call, _nothing, _unsettled)

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, TransientError):
            log.error("A mail could not be judged: %s", type(error).__name__)
        self._refuse(TROUBLE)

    def _refuse(self, reply: Reply) -> None:
        """Refuse for a reason that is no verdict; observed mail passes all the same."""
        if self._endpoint.checkpoint.settings.observe:
            log.error("A mail passed unjudged (%d).", reply.code)
            self._endpoint.metrics.accepted()
            self._finish(ACCEPTED)
        else:
            self._endpoint.metrics.refused(reply.code)
            self._finish(refused(reply))

    def _finish(self, response: Response) -> None:
        self._endpoint.metrics.seconds(self._loop.time() - self._since)
        self._answer(response)


def as_retried(message: Message) -> Mail:
    """The mail as it is compared with a retry: without what its MTA may have added.

    Postfix gives mail of local clients a Date where it has none, and an identifier
    with the queue's own name for the mail in it; a retry gets others. Where the
    Message-ID is the client's own it names the mail, and the Date is not compared;
    where the MTA made it, the Date is.
    """
    queue_id = message.client.queue_id.encode("ascii", "replace")
    identifiers = [one for one in message.fields if _is(one, b"message-id")]
    if not identifiers:
        return message.mail
    made = b"." + queue_id + b"@"
    is_made = len(queue_id) >= SHORTEST_QUEUE_ID and any(made in i for i in identifiers)
    added = b"message-id" if is_made else b"date"
    kept = [one for one in message.fields if not _is(one, added)]
    body = message.mail.content[sum(len(one) for one in message.fields) :]
    return Mail(message.mail.envelope, b"".join([*kept, body]))


def _is(field: bytes, name: bytes) -> bool:
    return field.partition(b":")[0].rstrip().lower() == name


def _nothing(result: None) -> None:
    """A settled place needs no more."""


def _unsettled(error: BaseException) -> None:
    log.warning("A place in Memory was not settled: %s", type(error).__name__)
