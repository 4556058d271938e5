# SPDX-License-Identifier: Apache-2.0
"""``undisclosed console``: it says what is wrong, and ends with all its processes."""

import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.installation import family_of, free_port, is_running, until
from tests.cli.parts import Parts, loopback

pytestmark = pytest.mark.timeout(180)


def _status(port: int) -> int:
    """The status of its health page; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/healthz", timeout=20
        ) as a:
            return int(a.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def test_a_port_in_use_is_one_sentence_that_names_the_setting(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        parts.write(console=loopback(taken))

        done = parts.ended("console")

    assert done.returncode == 78
    (sentence,) = done.stderr.splitlines()
    assert f"127.0.0.1:{taken}" in sentence
    assert "console.listen" in sentence


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_while_the_database_is_away_it_says_so_and_it_ends_as_a_whole(
    tmp_path: Path, number: signal.Signals
) -> None:
    parts, port = Parts(tmp_path), free_port()
    parts.write(console=loopback(port))
    with parts.running("console") as console:
        until(lambda: _status(port), "it answers")
        assert _status(port) == 503
        family = family_of(console.process.pid)

        code = console.stop(number)

        assert code == (-9 if number == signal.SIGKILL else 0)
        assert family
        until(lambda: not any(map(is_running, family)), "no process is left")
        assert _status(port) == 0
