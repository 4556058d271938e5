# SPDX-License-Identifier: Apache-2.0
"""Two guard nodes and three workers on one database; one of each dies, others finish.

A node has settings, ports and a data folder of its own. What they share is the
database and the master key, as on machines of their own.
"""

import smtplib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, free_port, toml, until
from tests.acceptance.letters import Answers, hand_in, letter, people

COPIES = 400
BATCHES, BATCH = 6, 4

pytestmark = pytest.mark.timeout(240)


class Cluster:
    """The first node with everything, a second guard, and two workers more."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.ports = [installation.guard_port, free_port()]
        self.guards = ["guard", "guard-2"]
        self.workers = ["worker", "worker-2", "worker-3"]

    def begin(self) -> None:
        """Start what is not started yet, each with settings of its own."""
        for name in (self.guards[1], *self.workers[1:]):
            part = name.partition("-")[0]
            self.installation.start(name, part, "--settings", str(self._settings(name)))
        self.installation.wait_for(self.ports[1])

    def _settings(self, name: str) -> Path:
        folder = self.installation.folder / name
        folder.mkdir()
        hop = f"127.0.0.1:{self.installation.hop_port}"
        guard = {"listen": f"127.0.0.1:{self.ports[1]}", "next_hop": hop}
        tables = {
            "guard": {**guard, "hostname": f"{name}.authority.example"},
            "policy": {"own_domains": ["authority.example"]},
            "store": {"data": str(folder), "database": self.installation.database.url},
            "delivery": {"retry": [0.01], "dsn_interval": 0},
            "holds": {"undo_split": 0},
        }
        file = folder / "undisclosed.toml"
        file.write_text(toml(tables))
        return file

    def hand_in(self, to: tuple[str, ...], content: bytes, first: int) -> Answers:
        """As an MTA with two next hops: the other node where one does not answer."""

        def taken() -> Answers | None:
            for port in (self.ports[first], self.ports[1 - first]):
                try:
                    answers = hand_in(port, to, content)
                except (OSError, smtplib.SMTPException):
                    continue
                if answers.code == 250:
                    return answers
            return None

        found: Answers = until(taken, "one of the nodes takes it")
        return found

    def taken(self, test_id: str) -> Counter[str]:
        """How often each person got a mail."""
        mark = f"X-Test-Id: {test_id}\r\n"
        return Counter(
            person
            for record in self.installation.taken()
            if mark in record["content"]
            for person in record["rcpts"]
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    installation = Installation(tmp_path_factory.mktemp("cluster"))
    installation.prepare()
    with installation:
        found = Cluster(installation)
        found.begin()
        yield found


def test_batches_over_two_nodes_add_up_though_one_of_them_dies(
    cluster: Cluster,
) -> None:
    text = " ".join(f"mailing-word{n}" for n in range(80))
    everybody = people(BATCHES * BATCH, "batch")
    answers = []

    for number in range(BATCHES):
        batch = everybody[number * BATCH : (number + 1) * BATCH]
        content = letter(batch, "mailing", text=text)
        if number == BATCHES // 2:
            cluster.installation.processes[cluster.guards[1]].kill()
        answers.append(cluster.hand_in(batch, content, first=number % 2))

    assert answers[0].is_passed
    assert all(answer.is_held for answer in answers[1:])
    assert set(cluster.taken("mailing")) == set(everybody[:BATCH])


def test_what_one_node_holds_the_others_workers_send_though_one_of_them_dies(
    cluster: Cluster,
) -> None:
    installation = cluster.installation
    to = people(COPIES, "copy")
    assert cluster.hand_in(to, letter(to, "copies"), first=0).is_held

    installation.clerk("singly", "copies")
    until(lambda: len(cluster.taken("copies")) > COPIES // 20, "copies leave")
    busy = _claimant(cluster)
    installation.processes[busy].kill()
    installation.processes[busy].wait(30)
    state = installation.until_nothing_waits()

    times = cluster.taken("copies")
    (mail,) = [mail for mail in state.values() if mail["test_id"] == "copies"]
    assert set(times) == set(to)
    assert times.total() - COPIES <= DOUBLED_AT_MOST
    assert Counter(state for _, state in mail["copies"]) == {"sent": COPIES}
    assert {installation.processes[name].poll() for name in cluster.workers} > {None}


DOUBLED_AT_MOST = 20
"""Copies that one worker has on their way at once: their record died with it."""


def _claimant(cluster: Cluster) -> str:
    """The worker that has claimed copies now."""
    pids = {
        str(cluster.installation.processes[name].pid): name for name in cluster.workers
    }

    def found() -> str | None:
        rows = cluster.installation.rows(
            "SELECT lease_by FROM store_outgoingmail"
            " WHERE state = 'queued' AND lease_by <> '' AND lease_until > now()"
        )
        return next((pids[by.rpartition("-")[2]] for (by,) in rows), None)

    name: str = until(found, "a worker has claimed copies")
    return name
