# SPDX-License-Identifier: Apache-2.0
"""``undisclosed worker``: it waits for a database, and ends when told to."""

import signal
import socket
from pathlib import Path

import pytest

from tests.acceptance.installation import free_port, until
from tests.cli.parts import Parts

pytestmark = pytest.mark.timeout(180)


def test_it_waits_for_a_database_that_is_away_and_ends_with_code_0(
    tmp_path: Path,
) -> None:
    parts = Parts(tmp_path)
    parts.write(worker={"metrics": f"127.0.0.1:{free_port()}"})
    with parts.running("worker") as worker:
        until(
            lambda: "The worker lost the database" in worker.log.read_text(),
            "it has looked for the database",
        )
        assert worker.process.poll() is None

        assert worker.stop(signal.SIGTERM) == 0


def test_a_port_of_its_metrics_in_use_is_one_sentence_that_names_the_setting(
    tmp_path: Path,
) -> None:
    parts = Parts(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        parts.write(worker={"metrics": taken})

        done = parts.ended("worker")

    assert done.returncode == 78
    (sentence,) = done.stderr.splitlines()
    assert "worker.metrics" in sentence
    assert taken in sentence
