# SPDX-License-Identifier: Apache-2.0
"""``undisclosed postoffice``: 451 while it cannot keep mail; it ends when told."""

import signal
import socket
from pathlib import Path

import pytest

from tests.acceptance.installation import free_port, greets, until
from tests.acceptance.letters import hand_in, letter, people
from tests.cli.parts import Parts, loopback

pytestmark = pytest.mark.timeout(180)


def test_a_port_in_use_is_one_sentence_that_names_the_setting(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        parts.write(postoffice=loopback(taken))

        done = parts.ended("postoffice")

    assert done.returncode == 78
    (sentence,) = done.stderr.splitlines()
    assert f"127.0.0.1:{taken}" in sentence
    assert "postoffice.listen" in sentence


def test_while_the_database_is_away_mail_is_451_and_it_ends_with_code_0(
    tmp_path: Path,
) -> None:
    parts, port = Parts(tmp_path), free_port()
    parts.write(postoffice=loopback(port))
    with parts.running("postoffice") as office:
        until(lambda: greets(port), "it serves")

        assert hand_in(port, people(1), letter(people(1))).code == 451

        assert office.stop(signal.SIGTERM) == 0
