# SPDX-License-Identifier: Apache-2.0
"""Every way into the guard, spoken to in its own protocol by foreign programs.

Each takes a world (a checkpoint over memory and a spool that forget) and a mail, and
says what the guard did: the action, and the rules that objected.
"""

import asyncio
import smtplib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from miltertest import constants
from miltertest.client import MilterConnection

from tests.guard.worlds import OLIVE, World
from undisclosed.core.header import split_content
from undisclosed.core.mail import Mail
from undisclosed.core.verdict import SEVERITY, Action
from undisclosed.guard.clearance import Clearances
from undisclosed.guard.endpoints.http import HttpEndpoint
from undisclosed.guard.endpoints.local_mail import Handing, made_whole
from undisclosed.guard.endpoints.milter import MilterEndpoint, MilterSettings
from undisclosed.guard.endpoints.sendmail import SendmailEndpoint
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.smtp import SmtpEndpoint
from undisclosed.guard.exit_codes import DONE, REFUSED, exit_code_of
from undisclosed.guard.origin import Origin
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.guard.testing import ForgetfulOnce
from undisclosed.transport.milter.settings import UnixSocket
from undisclosed.transport.smtp.client import ClientSettings
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.testing import FakeHop


@dataclass(frozen=True, slots=True)
class Seen:
    """What the guard did with a mail: the action, and the rules that asked for it."""

    action: Action
    rules: frozenset[str] = frozenset()


@contextmanager
def in_a_loop() -> Iterator[Callable]:
    """Runs coroutines in an event loop of another thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def over_smtp(world: World, mail: Mail) -> Seen:
    """As a mail program or a mail server hands it in."""
    hop = FakeHop()
    with in_a_loop() as call:
        call(hop.start())
        endpoint = SmtpEndpoint(
            world.checkpoint, lambda: _hop(hop), SmtpSettings(port=0)
        )
        call(endpoint.serve())
        try:
            code, text = _by_smtplib(endpoint.port, mail)
        finally:
            call(endpoint.close())
            call(hop.stop())
    if code == 250:
        return _taken(world, is_passed=bool(hop.taken))
    assert code == 550, text
    return Seen(Action.REJECT)


def _by_smtplib(port: int, mail: Mail) -> tuple[int, bytes]:
    sender = mail.envelope.mail_from
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        client.mail(sender.spelled_out() if sender else "")
        for recipient in mail.envelope.rcpt_tos:
            client.rcpt(recipient.spelled_out())
        return client.data(mail.content)


def by_pipe(world: World, mail: Mail) -> Seen:
    """As a script writes it: lines that end in LF, recipients on the command line."""
    hop, sender = FakeHop(), mail.envelope.mail_from
    handing = Handing(
        author=sender or OLIVE,
        sender=sender,
        recipients=mail.envelope.rcpt_tos,
        has_plain_dots=True,
    )
    written = made_whole(
        mail.content.replace(b"\r\n", b"\n"),
        handing,
        domain="council.example",
        message_id="pipe@council.example",
        now=world.clock(),
    )
    with in_a_loop() as call:
        call(hop.start())
        endpoint = SendmailEndpoint(
            world.checkpoint,
            lambda: _hop(hop),
            world.clock,
            hostname="guard.example",
            limits=Limits(),
        )
        reply = endpoint.hand_in(written, Origin("sendmail", login="olive"))
        call(hop.stop())
    if exit_code_of(reply) == DONE:
        return _taken(world, is_passed=bool(hop.taken))
    assert exit_code_of(reply) == REFUSED
    return Seen(Action.REJECT)


def by_milter(world: World, mail: Mail) -> Seen:
    """As an MTA asks; the MTA is miltertest of PyPI."""
    with tempfile.TemporaryDirectory(prefix="milter-") as folder, in_a_loop() as call:
        path = Path(folder) / "m.sock"
        endpoint = MilterEndpoint(world.checkpoint, MilterSettings(UnixSocket(path)))
        call(endpoint.serve())
        try:
            letter = _by_miltertest(path, mail)
        finally:
            call(endpoint.close())
    if letter == constants.SMFIR_REPLYCODE:
        return Seen(Action.REJECT)
    assert letter in (constants.SMFIR_ACCEPT, constants.SMFIR_DISCARD)
    return _taken(world, is_passed=letter == constants.SMFIR_ACCEPT)


def _by_miltertest(path: Path, mail: Mail) -> str:
    sender, content = mail.envelope.mail_from, mail.content
    block = split_content(content)
    fields = [
        (one.raw_name.decode(), one.body.decode().lstrip(" ")) for one in block.fields
    ]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        mta = MilterConnection(connection)
        mta.optneg_mta(protocol=constants.SMFI_V6_PROT & ~0x1FF080)
        mta.send(
            constants.SMFIC_CONNECT,
            hostname="client.test",
            family="4",
            port=1234,
            address="192.0.2.7",
        )
        author = sender.spelled_out() if sender else ""
        mta.send(constants.SMFIC_MAIL, args=[f"<{author}>"])
        for recipient in mail.envelope.rcpt_tos:
            mta.send(constants.SMFIC_RCPT, args=[f"<{recipient.spelled_out()}>"])
        mta.send_headers(fields)
        mta.send_body(_Text(content[block.body_start :].decode()))
        *_, (letter, _) = mta.send_eom()
        return str(letter)


class _Text(str):
    """A text of which miltertest can send pieces."""

    __slots__ = ()


def over_http(world: World, mail: Mail) -> Seen:
    """As a mail program's add-in asks before it sends: advice, and nothing is kept."""
    clearances = Clearances(
        bytes(32), ForgetfulOnce(), world.journal, lifetime=world.policy.mailing_window
    )
    advice = HttpEndpoint(world.policy, clearances).advise(mail)
    return Seen(advice.action, frozenset(one.rule for one in advice.findings))


def _hop(there: FakeHop) -> Hop:
    return Hop(HopSettings(ClientSettings("127.0.0.1", there.port)))


def _taken(world: World, *, is_passed: bool) -> Seen:
    """What a positive answer came to: exactly one of passed on and held."""
    holds = [kept.hold for kept in world.spool._holds.values()]
    assert is_passed is not bool(holds)
    if is_passed:
        return Seen(Action.ACCEPT)
    (hold,) = holds
    strongest = max((one.action for one in hold.findings), key=SEVERITY.index)
    return Seen(strongest, frozenset(one.rule for one in hold.findings))


ENDPOINTS: dict[str, Callable[[World, Mail], Seen]] = {
    "SMTP": over_smtp,
    "sendmail pipe": by_pipe,
    "milter": by_milter,
    "HTTP": over_http,
}
"""Every way into the guard, by its name."""
