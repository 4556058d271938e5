# SPDX-License-Identifier: Apache-2.0
"""The milter around its sockets: who may connect, and what becomes of a connection."""

import asyncio
import ipaddress
import os
import socket
import stat
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from undisclosed.transport.listening import PortInUse, PortRefused
from undisclosed.transport.milter.errors import SocketInUse, SocketRefused
from undisclosed.transport.milter.events import Message, MessageRefused
from undisclosed.transport.milter.handler import Answer
from undisclosed.transport.milter.responses import (
    ACCEPTED,
    KEPT,
    Deletion,
    Outcome,
    Response,
)
from undisclosed.transport.milter.server import MilterServer
from undisclosed.transport.milter.session import MilterSession
from undisclosed.transport.milter.settings import (
    MilterServerSettings,
    TcpSocket,
    UnixSocket,
)
from undisclosed.transport.milter.testing import FakeMta, Letter
from undisclosed.transport.smtp.limits import Limits

Result = TypeVar("Result")

LETTER = Letter(fields=((b"To", b" ann@a.example"), (b"Subject", b" Rates")))
ANYWHERE = TcpSocket("127.0.0.1", 0)


class Willing:
    """A handler that answers as it is told, at once or when it is asked to."""

    def __init__(self, response: Response = ACCEPTED) -> None:
        self.response = response
        self.waits = False
        self.fails = False
        self.messages: list[Message] = []
        self.waiting: list[Answer] = []
        self.given_up = 0
        self.told = asyncio.Event()

    def on_message(self, message: Message, answer: Answer) -> None:
        self.messages.append(message)
        self.told.set()
        if self.fails:
            raise RuntimeError("broken over ann@a.example")
        if self.waits:
            self.waiting.append(answer)
        else:
            answer(self.response)

    def on_refused(self, refused: MessageRefused, answer: Answer) -> None:
        answer(Response(Outcome.REJECT, refused.why))

    def on_given_up(self) -> None:
        self.given_up += 1
        self.told.set()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    async def limited() -> Result:
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(limited())


@asynccontextmanager
async def serving(
    handler: Willing,
    where: UnixSocket | TcpSocket = ANYWHERE,
    settings: MilterServerSettings | None = None,
) -> AsyncIterator[MilterServer]:
    server = MilterServer(lambda: handler, settings or MilterServerSettings())
    await server.start(where)
    try:
        yield server
    finally:
        await server.close(timedelta(seconds=0.1))


async def _until(condition) -> None:
    while not condition():
        await asyncio.sleep(0.005)


async def _is_cut(mta: FakeMta) -> bool:
    try:
        await mta.hear()
    except (asyncio.IncompleteReadError, ConnectionError):
        return True
    finally:
        mta.close()
    return False


def test_a_mail_comes_over_a_unix_socket(tmp_path: Path) -> None:
    async def scenario() -> Willing:
        handler = Willing()
        async with serving(handler, UnixSocket(tmp_path / "m.sock")):
            mta = await FakeMta.connect(tmp_path / "m.sock")
            answered = await mta.hand_in(LETTER)
            assert answered.outcome == "a"
            mta.close()
        return handler

    (message,) = run(scenario()).messages
    assert message.mail.content == (
        b"To: ann@a.example\r\nSubject: Rates\r\n\r\nText\r\n"
    )
    assert message.client.address == "192.0.2.7"


@pytest.mark.parametrize("steps", [0, 0x1FFFFF], ids=["answers", "one stream"])
def test_two_mails_come_over_one_tcp_connection(steps: int) -> None:
    async def scenario() -> list[str]:
        handler = Willing(KEPT)
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port, steps=steps)
            answers = [await mta.hand_in(LETTER) for _ in range(2)]
            mta.close()
        return [one.outcome for one in answers]

    assert run(scenario()) == ["d", "d"]


class Counted(asyncio.Transport):
    """A connection of which only the options of its socket are of interest."""

    def __init__(self, peer: object) -> None:
        super().__init__({"peername": peer, "socket": self})
        self.options: list[tuple[int, int, int]] = []

    def setsockopt(self, *option: int) -> None:
        self.options.append((option[0], option[1], option[2]))

    def write(self, data: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("peer", "times"), [(("127.0.0.1", 1234), 4), ("", 0)], ids=["TCP", "UNIX"]
)
def test_tcp_acknowledges_each_read_at_once(peer: object, times: int) -> None:
    async def scenario() -> Counted:
        server = MilterServer(Willing, MilterServerSettings())
        session = MilterSession(server, Willing)
        counted = Counted(peer)
        session.connection_made(counted)
        for _ in range(3):
            session.data_received(b"\0")
        session.connection_lost(None)
        return counted

    quick = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    assert run(scenario()).options == [quick] * times


def test_deletions_are_done_as_an_mta_does_them() -> None:
    async def scenario() -> tuple[tuple[bytes, bytes], ...]:
        deletions = (Deletion(b"To", 2), Deletion(b"To", 1))
        handler = Willing(Response(Outcome.ACCEPT, deletions=deletions))
        letter = Letter(fields=((b"To", b" a"), (b"X", b" y"), (b"to", b" b")))
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port)
            answered = await mta.hand_in(letter)
            mta.close()
        return answered.fields

    assert run(scenario()) == ((b"X", b" y"),)


def test_large_bodies_come_in_many_pieces() -> None:
    body = b"".join(b"line %d\r\n" % number for number in range(100_000))

    async def scenario() -> Message:
        handler = Willing()
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port)
            await mta.hand_in(Letter(body=body))
            mta.close()
        return handler.messages[0]

    assert run(scenario()).mail.content == b"\r\n" + body


def test_what_is_too_large_is_refused_at_its_end() -> None:
    async def scenario() -> str:
        settings = MilterServerSettings(limits=Limits(max_size=1000))
        async with serving(Willing(), settings=settings) as server:
            mta = await FakeMta.connect(server.port)
            answered = await mta.hand_in(Letter(body=b"x" * 2000 + b"\r\n"))
            mta.close()
        return answered.text

    assert run(scenario()).startswith("552 5.3.4 ")


def test_an_mta_that_goes_away_gives_its_mail_up() -> None:
    async def scenario() -> Willing:
        handler = Willing()
        handler.waits = True
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port)
            await mta.begin(LETTER)
            mta.say("E", b"")
            await handler.told.wait()
            mta.close()
            await _until(lambda: handler.given_up)
            handler.waiting[0](KEPT)  # dropped
        return handler

    assert run(scenario()).given_up == 1


def test_a_late_answer_is_not_given_to_the_next_mail() -> None:
    async def scenario() -> str:
        handler = Willing()
        handler.waits = True
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port)
            await mta.begin(LETTER)
            mta.say("E", b"")
            await handler.told.wait()
            mta.say("A", b"")
            await _until(lambda: handler.given_up)
            second = asyncio.create_task(mta.hand_in(LETTER))
            await _until(lambda: len(handler.waiting) == 2)
            handler.waiting[0](KEPT)
            handler.waiting[1](ACCEPTED)
            answered = await second
            mta.close()
        return answered.outcome

    assert run(scenario()) == "a"


def test_a_handler_that_breaks_costs_no_mail_and_shows_no_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> str:
        handler = Willing()
        handler.fails = True
        async with serving(handler) as server:
            mta = await FakeMta.connect(server.port)
            answered = await mta.hand_in(LETTER)
            mta.close()
        return answered.text

    assert run(scenario()).startswith("451 4.3.0 ")
    assert "RuntimeError" in caplog.text
    assert "ann" not in caplog.text


def test_what_is_no_milter_protocol_is_cut() -> None:
    async def scenario() -> bytes:
        async with serving(Willing()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"EHLO client.test\r\n")
            heard = await reader.read()
            writer.close()
            await _until(lambda: not server.connections)
        return heard

    assert run(scenario()) == b""


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            MilterServerSettings(clients=(ipaddress.ip_network("192.0.2.0/24"),)),
            id="not listed",
        ),
        pytest.param(MilterServerSettings(max_connections=0), id="too many"),
    ],
)
def test_an_mta_that_may_not_connect_is_cut(settings: MilterServerSettings) -> None:
    async def scenario() -> bool:
        async with serving(Willing(), settings=settings) as server:
            try:
                await FakeMta.connect(server.port)
            except (asyncio.IncompleteReadError, ConnectionError):
                return True
        return False

    assert run(scenario())


def test_an_mta_that_says_nothing_is_cut() -> None:
    async def scenario() -> bool:
        settings = MilterServerSettings(wait=timedelta(seconds=0.1))
        async with serving(Willing(), settings=settings) as server:
            mta = await FakeMta.connect(server.port)
            return await _is_cut(mta)

    assert run(scenario())


def test_closing_lets_mail_on_its_way_be_answered_and_cuts_who_is_idle() -> None:
    async def scenario() -> tuple[bool, str, bool]:
        handler = Willing()
        handler.waits = True
        server = MilterServer(lambda: handler, MilterServerSettings())
        await server.start(ANYWHERE)
        idle, busy = [await FakeMta.connect(server.port) for _ in range(2)]
        waiting = asyncio.create_task(busy.hand_in(LETTER))
        await handler.told.wait()
        closing = asyncio.create_task(server.close(timedelta(seconds=30)))
        was_cut = await _is_cut(idle)
        handler.waiting[0](KEPT)
        answered = await waiting
        await closing
        return was_cut, answered.outcome, await _is_cut(busy)

    assert run(scenario()) == (True, "d", True)


def test_closing_waits_no_longer_than_it_is_given() -> None:
    async def scenario() -> bool:
        handler = Willing()
        handler.waits = True
        server = MilterServer(lambda: handler, MilterServerSettings())
        await server.start(ANYWHERE)
        mta = await FakeMta.connect(server.port)
        await mta.begin(LETTER)
        mta.say("E", b"")
        await handler.told.wait()
        await server.close(timedelta(seconds=0.05))
        return await _is_cut(mta)

    assert run(scenario())


def test_a_port_that_is_taken_is_said() -> None:
    async def scenario() -> None:
        async with serving(Willing()) as server:
            with pytest.raises(PortInUse):
                await MilterServer(Willing, MilterServerSettings()).start(
                    TcpSocket("127.0.0.1", server.port)
                )
            with pytest.raises(PortRefused):
                await MilterServer(Willing, MilterServerSettings()).start(
                    TcpSocket("192.0.2.1", server.port)
                )

    run(scenario())


# The socket in the file system.


def test_the_socket_has_its_mode_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"

    async def scenario() -> tuple[int, list[str]]:
        async with serving(Willing(), UnixSocket(path, 0o620)) as server:
            with pytest.raises(PortRefused):
                _ = server.port
            return stat.S_IMODE(path.stat().st_mode), os.listdir(tmp_path)

    mode, left = run(scenario())
    assert mode == 0o620
    assert left == ["m.sock"]
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket away")
def test_the_socket_has_its_owner_and_group(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"

    async def scenario() -> tuple[int, int]:
        where = UnixSocket(path, owner="nobody", group="mail")
        async with serving(Willing(), where):
            found = path.stat()
            return found.st_uid, found.st_gid

    assert run(scenario()) == (65534, 8)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(UnixSocket(Path("m.sock"), owner="no-such-user"), id="user"),
        pytest.param(UnixSocket(Path("m.sock"), group="no-such-group"), id="group"),
        pytest.param(UnixSocket(Path("no-such-folder/m.sock")), id="folder"),
        pytest.param(UnixSocket(Path("x" * 120)), id="a path that is too long"),
        pytest.param(UnixSocket(Path("/proc/m.sock")), id="a folder not to write in"),
    ],
)
def test_a_socket_that_cannot_be_made_is_refused(
    where: UnixSocket, tmp_path: Path
) -> None:
    where = UnixSocket(tmp_path / where.path, where.mode, where.owner, where.group)

    async def scenario() -> None:
        with pytest.raises(SocketRefused):
            await MilterServer(Willing, MilterServerSettings()).start(where)

    run(scenario())
    assert os.listdir(tmp_path) == []


def test_what_a_dead_process_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def scenario() -> str:
        async with serving(Willing(), UnixSocket(path)):
            mta = await FakeMta.connect(path)
            answered = await mta.hand_in(LETTER)
            mta.close()
        return answered.outcome

    assert run(scenario()) == "a"


def test_a_socket_that_somebody_listens_on_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"

    async def scenario() -> str:
        async with serving(Willing(), UnixSocket(path)):
            with pytest.raises(SocketInUse):
                await MilterServer(Willing, MilterServerSettings()).start(
                    UnixSocket(path)
                )
            mta = await FakeMta.connect(path)
            answered = await mta.hand_in(LETTER)
            mta.close()
        return answered.outcome

    assert run(scenario()) == "a"


def test_a_socket_of_another_kind_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"

    async def scenario() -> None:
        with pytest.raises(SocketInUse):
            await MilterServer(Willing, MilterServerSettings()).start(UnixSocket(path))

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        run(scenario())

    assert path.is_socket()


def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    path.write_text("precious")

    async def scenario() -> None:
        with pytest.raises(SocketRefused):
            await MilterServer(Willing, MilterServerSettings()).start(UnixSocket(path))

    run(scenario())
    assert path.read_text() == "precious"


def test_a_milter_that_ends_leaves_another_ones_socket_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"

    async def scenario() -> str:
        first = MilterServer(Willing, MilterServerSettings())
        await first.start(UnixSocket(path))
        path.unlink()
        async with serving(Willing(), UnixSocket(path)):
            await first.close()
            mta = await FakeMta.connect(path)
            answered = await mta.hand_in(LETTER)
            mta.close()
        return answered.outcome

    assert run(scenario()) == "a"


def test_where_a_milter_listens_is_said_as_an_mta_writes_it() -> None:
    assert str(UnixSocket(Path("/run/m.sock"))) == "unix:/run/m.sock"
    assert str(TcpSocket("127.0.0.1", 10028)) == "inet:127.0.0.1:10028"
    assert str(TcpSocket("::1", 10028)) == "inet:[::1]:10028"
