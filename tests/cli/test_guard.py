# SPDX-License-Identifier: Apache-2.0
"""``undisclosed guard``: what cannot work is one sentence; it ends when told to."""

import signal
import socket
from pathlib import Path

import pytest

from tests.acceptance.installation import children_of, free_port, greets, until
from tests.acceptance.letters import hand_in, letter, people
from tests.cli.parts import Parts, loopback

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize(
    ("processes", "setting"), [(1, "listen"), (2, "listen"), (2, "metrics")]
)
def test_a_port_in_use_is_one_sentence_that_names_the_setting(
    tmp_path: Path, processes: int, setting: str
) -> None:
    parts = Parts(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        listen = {"listen": f"127.0.0.1:{free_port()}", setting: taken}
        parts.write(guard={**listen, "processes": processes})

        done = parts.ended("guard")

    assert done.returncode == 78
    sentence = done.stderr.splitlines()[-1]
    assert f"guard.{setting}" in sentence
    assert taken in sentence


def test_a_port_of_another_guard_of_several_processes_is_in_use(
    tmp_path: Path,
) -> None:
    parts, port = Parts(tmp_path), free_port()
    parts.write(guard={**loopback(port), "processes": 2})
    with parts.running("guard"):
        until(lambda: greets(port), "it serves")

        assert parts.ended("guard").returncode == 78


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"listen": "192.0.2.77:10025"}, "guard.listen"),
        ({"tls_certificate": "no.crt", "tls_key": "no.key"}, "guard.tls_certificate"),
        ({"tls_certificate": "no.crt"}, "guard.tls_key"),
        ({"next_hop": "nowhere"}, "guard.next_hop"),
        ({"clients": ["everybody"]}, "guard.clients"),
    ],
    ids=["another's address", "no certificate", "no key", "no port", "no network"],
)
def test_a_setting_that_cannot_work_is_named(
    tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    parts = Parts(tmp_path)
    parts.write(guard={**loopback(free_port()), **changed})

    done = parts.ended("guard")

    assert done.returncode == 78
    sentence = done.stderr.splitlines()[-1]
    assert words in sentence


def test_a_database_that_was_never_made_is_named(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.write(guard=loopback(free_port()), store={"data": "elsewhere"})

    done = parts.ended("guard")

    assert done.returncode == 78
    sentence = done.stderr.splitlines()[-1]
    assert "was not started yet" in sentence


@pytest.mark.parametrize(
    ("processes", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)]
)
def test_it_ends_with_code_0_when_told_to(
    tmp_path: Path, processes: int, number: signal.Signals
) -> None:
    parts, port = Parts(tmp_path), free_port()
    parts.write(guard={**loopback(port), "processes": processes})
    with parts.running("guard") as guard:
        until(lambda: greets(port), "it serves")
        family = children_of(guard.process.pid)

        assert guard.stop(number) == 0

        assert len(family) == (0 if processes == 1 else 2)
        assert not greets(port)


def test_without_a_next_hop_that_answers_mail_is_451(tmp_path: Path) -> None:
    parts, port = Parts(tmp_path), free_port()
    parts.write(guard={**loopback(port), "next_hop": f"127.0.0.1:{free_port()}"})
    with parts.running("guard") as guard:
        until(lambda: greets(port), "it serves")

        assert hand_in(port, people(1), letter(people(1))).mail == 451

        assert guard.stop(signal.SIGTERM) == 0
