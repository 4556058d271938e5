# SPDX-License-Identifier: Apache-2.0
"""The milter endpoint before MTAs that others wrote: two programs that play one.

``miltertest`` of PyPI waits for every answer where it offers no other way; that of
OpenDKIM (Debian's ``miltertest``) takes what libmilter knows.
"""

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from miltertest import codec, constants
from miltertest.client import MilterConnection

from tests.guard.endpoints.deciding import Counting
from tests.guard.endpoints.test_milter import Deciding
from undisclosed.core.address import Address
from undisclosed.guard.checkpoint import Checkpoint
from undisclosed.guard.endpoints.milter import MilterEndpoint, MilterSettings
from undisclosed.transport.milter.settings import UnixSocket

LUA = Path(__file__).with_name("asking.lua")


@contextmanager
def serving(path: Path) -> Iterator[Deciding]:
    """A milter endpoint on a UNIX socket, in a thread of its own."""
    checkpoint = Deciding()
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        settings = MilterSettings(UnixSocket(path))
        endpoint = MilterEndpoint(cast(Checkpoint, checkpoint), settings, Counting())
        await endpoint.serve()
        ready.set()
        await stopped.wait()
        await endpoint.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    try:
        yield checkpoint
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(20)
        loop.close()


@pytest.fixture(
    params=[constants.SMFI_V2_PROT, constants.SMFI_V6_PROT & ~0x1FF080],
    ids=["version 2", "every answer"],
)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Peer"]:
    with serving(tmp_path / "m.sock") as checkpoint:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(20)
        sock.connect(str(tmp_path / "m.sock"))
        yield Peer(MilterConnection(sock), checkpoint, request.param)
        sock.close()


class Peer:
    """miltertest's MTA, and what the guard was asked."""

    def __init__(
        self, connection: MilterConnection, checkpoint: Deciding, steps: int
    ) -> None:
        self.connection, self.checkpoint = connection, checkpoint
        connection.optneg_mta(protocol=steps)
        self.tell(
            constants.SMFIC_CONNECT,
            hostname="client.test",
            family="4",
            port=1234,
            address="192.0.2.7",
        )

    def tell(self, command: str, **values: object) -> None:
        """Tell one command, unless it was agreed away."""
        self.connection.send(command, **values)

    def hand_in(self, subject: str, *bcc: str) -> list[tuple[str, dict[str, object]]]:
        """One mail; what the guard did at its end."""
        connection = self.connection
        self.tell(constants.SMFIC_MAIL, args=["<sam@council.example>", "SIZE=100"])
        self.tell(constants.SMFIC_RCPT, args=["<ann@a.example>"])
        fields = [("From", "sam@council.example"), ("Subject", subject)]
        connection.send_headers([*fields, *(("Bcc", one) for one in bcc)])
        connection.send_body(Text("Text\r\n"))
        found: list[tuple[str, dict[str, object]]] = connection.send_eom()
        return found


class Text(str):
    """A text of which miltertest can send pieces."""

    __slots__ = ()


def test_pypi_miltertest_hears_accept_with_a_deletion(peer: Peer) -> None:
    *changes, last = peer.hand_in("accept", "bob@b.example")

    assert last[0] == constants.SMFIR_ACCEPT
    assert changes == [
        (constants.SMFIR_CHGHEADER, {"index": 1, "name": "Bcc", "value": ""})
    ]


def test_pypi_miltertest_hears_discard_after_the_commit(peer: Peer) -> None:
    found = peer.hand_in("memory hold")

    assert found == [(constants.SMFIR_DISCARD, {})]
    (held,) = peer.checkpoint.held
    assert held.envelope.rcpt_tos == (Address("ann", "a.example"),)
    assert held.content.endswith(b"Subject: memory hold\r\n\r\nText\r\n")


def test_pypi_miltertest_hears_a_refusal_in_its_lines(peer: Peer) -> None:
    ((letter, reply),) = peer.hand_in("memory reject")

    assert letter == constants.SMFIR_REPLYCODE
    assert reply["smtpcode"] == "550"
    assert "37 people would see each other" in str(reply["text"])


def test_pypi_miltertest_hands_in_several_mails(peer: Peer) -> None:
    heard = [peer.hand_in(word)[-1][0] for word in ("accept", "hold", "accept")]

    accept, discard = constants.SMFIR_ACCEPT, constants.SMFIR_DISCARD
    assert heard == [accept, discard, accept]


def test_pypi_miltertest_is_not_asked_for_more_than_it_offers() -> None:
    # The oracle refuses an answer that takes what was not offered.
    with pytest.raises(codec.MilterProtoError):
        codec.encode_msg(constants.SMFIC_RCPT, args=[])


@pytest.mark.skipif(
    shutil.which("miltertest") is None,
    reason="miltertest is missing (Debian: apt-get install miltertest)",
)
def test_opendkims_miltertest_finds_all_as_expected(tmp_path: Path) -> None:
    with serving(tmp_path / "m.sock") as checkpoint:
        where = f"MILTER=unix:{tmp_path / 'm.sock'}"
        done = subprocess.run(
            ["miltertest", "-D", where, "-s", str(LUA)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (done.returncode, done.stdout) == (0, "all as expected\n"), done.stderr
    assert len(checkpoint.held) == 1
    assert [origin.login for origin in checkpoint.origins] == ["sam"] * 3
    (held,) = checkpoint.held
    assert held.content.endswith(b"\r\n\r\nText\r\nand more of it\r\n")
    assert held.envelope.recipients[0].parameters == ("NOTIFY=NEVER",)
