# SPDX-License-Identifier: Apache-2.0
"""The guard's milters as processes: they listen where the settings say."""

import asyncio
import signal
import stat
from pathlib import Path

import pytest

from tests.acceptance.installation import free_port, greets, until
from tests.cli.parts import Parts, loopback
from undisclosed.transport.milter.testing import Answered, FakeMta, Letter

pytestmark = pytest.mark.timeout(180)

LETTER = Letter(
    mail=(b"<sam@authority.example>",),
    fields=((b"To", b" ann@a.example"), (b"Apparently-To", b" bob@b.example")),
)


def _asked(where: Path | int) -> Answered:
    async def ask() -> Answered:
        mta = await FakeMta.connect(where)
        answered = await mta.hand_in(LETTER)
        mta.close()
        return answered

    return asyncio.run(ask())


def test_a_milter_listens_on_its_socket_and_takes_it_away_at_its_end(
    tmp_path: Path,
) -> None:
    parts, port, path = Parts(tmp_path), free_port(), tmp_path / "m.sock"
    milter = {"listen": str(path), "mode": "0600"}
    parts.write(guard={**loopback(port), "milter": milter})
    with parts.running("guard") as guard:
        until(lambda: greets(port), "it serves")

        answered = _asked(path)

        assert (answered.outcome, answered.deleted) == ("a", 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert guard.stop(signal.SIGTERM) == 0
    assert not path.exists()


def test_of_several_processes_one_serves_the_socket_and_all_the_port(
    tmp_path: Path,
) -> None:
    parts, port, inbound = Parts(tmp_path), free_port(), free_port()
    path = tmp_path / "m.sock"
    milter = {"listen": str(path), "inbound_listen": f"127.0.0.1:{inbound}"}
    parts.write(guard={**loopback(port), "processes": 2, "milter": milter})
    with parts.running("guard") as guard:
        until(lambda: greets(port) and path.exists(), "it serves")

        answers = [_asked(path), *(_asked(inbound) for _ in range(10))]

        assert {one.outcome for one in answers} == {"a"}
        # Incoming mail passes unchanged.
        assert [one.deleted for one in answers] == [1, *[0] * 10]
        assert guard.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        pytest.param("listen", "no/such/folder.sock", "no such folder", id="folder"),
        pytest.param("listen", "./taken", "a file at this path", id="a file"),
        pytest.param("inbound_listen", "./taken", "a file at this path", id="inbound"),
        pytest.param("listen", f"./{'x' * 120}", "too long", id="length"),
    ],
)
def test_a_socket_that_cannot_be_listened_on_is_one_sentence(
    tmp_path: Path, setting: str, value: str, words: str
) -> None:
    parts = Parts(tmp_path)
    (tmp_path / "taken").write_text("precious")
    parts.write(guard={**loopback(free_port()), "milter": {setting: value}})

    done = parts.ended("guard")

    assert done.returncode == 78
    sentence = done.stderr.splitlines()[-1]
    assert f"guard.milter.{setting}" in sentence
    assert words in sentence
