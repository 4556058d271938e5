# SPDX-License-Identifier: Apache-2.0
"""Two guard processes on one port: both serve, both count, both end cleanly."""

import os
import re
import signal
import smtplib
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.acceptance.certificates import write_certificate
from tests.acceptance.installation import (
    Installation,
    children_of,
    until,
)
from tests.acceptance.letters import SENDER, Answers, hand_in, letter, people

BATCHES, BATCH, LIMIT = 5, 100, 200
"""The Windrush mailing: five batches of a hundred people."""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("processes")
    certificate, key = write_certificate(folder)
    installation = Installation(
        folder,
        guard={
            "processes": 2,
            "tls_certificate": certificate.name,
            "tls_key": key.name,
        },
        policy={"max_shown_outsiders": LIMIT},
    )
    installation.prepare()
    with installation:
        until(lambda: len(_served(installation)) == 2, "both expose metrics")
        yield installation


def _served(installation: Installation) -> dict[int, int]:
    """Mails taken, by the port at which the process serves its metrics."""
    found = {}
    for port in (installation.metrics_port, installation.metrics_port + 1):
        try:
            url = f"http://127.0.0.1:{port}/metrics"
            with urllib.request.urlopen(url, timeout=10) as answer:
                metrics = answer.read().decode()
        except OSError:
            continue
        counts = re.findall(r'outcome="(?:accepted|held)"\} ([\d.]+)', metrics)
        found[port] = sum(int(float(count)) for count in counts)
    return found


def _processes(installation: Installation) -> set[int]:
    return children_of(installation.processes["guard"].pid)


def test_both_processes_serve_the_port_each_with_metrics_of_its_own(
    installation: Installation,
) -> None:
    before = _served(installation)

    for number in range(200):
        content = letter(people(1), f"both-{number}")
        assert hand_in(installation.guard_port, people(1), content).is_passed
        served = _served(installation)
        if all(served[port] > before[port] for port in before):
            break

    assert len(_processes(installation)) == 2
    assert len(before) == 2
    assert all(served[port] > before[port] for port in before)


def test_batches_that_two_processes_judge_at_once_add_up(
    installation: Installation,
) -> None:
    before = _served(installation)
    for number in range(6):
        name = f"windrush{number}"
        everybody = people(BATCHES * BATCH, name)
        batches = [everybody[n * BATCH : (n + 1) * BATCH] for n in range(BATCHES)]

        answers = _at_once(installation.guard_port, name, batches)

        assert [answer.is_held for answer in answers].count(False) == 2, answers
        passed = [
            t for t in installation.taken() if f"\nSubject: {name}" in t["content"]
        ]
        assert len(passed) == 2
        (mailing,) = installation.rows(
            "SELECT m.people, m.disclosures, m.waves FROM store_mailing m"
            " WHERE m.id IN (SELECT mailing_id FROM store_heldmail"
            " WHERE people = %s AND sender_hash = (SELECT sender_hash FROM"
            " store_heldmail ORDER BY received_at DESC LIMIT 1))",
            (BATCH,),
        )
        assert mailing == (BATCHES * BATCH, BATCHES * BATCH * (BATCH - 1), BATCHES)
    after = _served(installation)
    assert all(after[port] > before[port] for port in before)


def _at_once(port: int, name: str, batches: list[tuple[str, ...]]) -> list[Answers]:
    """Hand in every batch with its final dot at the same moment."""
    together = Barrier(len(batches))
    text = " ".join(f"{name}-word{n}" for n in range(80))

    def send(batch: tuple[str, ...]) -> Answers:
        sender = f"{name}@authority.example"
        content = letter(batch, name, sender=sender, text=text)
        together.wait(60)
        return hand_in(port, batch, content, sender=sender)

    with ThreadPoolExecutor(len(batches)) as threads:
        return list(threads.map(send, batches))


def test_a_killed_process_is_started_again_while_the_other_serves(
    installation: Installation,
) -> None:
    before = _processes(installation)
    victim = max(before)

    os.kill(victim, signal.SIGKILL)

    until(lambda: _is_tried_again_and_taken(installation), "the other one serves")
    until(lambda: len(_processes(installation) - {victim}) == 2, "two serve again")
    until(lambda: len(_served(installation)) == 2, "both expose metrics")
    until(lambda: _all_take_mail(installation), "both serve again")


def _is_tried_again_and_taken(installation: Installation) -> bool:
    """A client of the dead process finds its connection cut, and tries again."""
    try:
        content = letter(people(1), "while one is dead")
        return hand_in(installation.guard_port, people(1), content).is_passed
    except (OSError, smtplib.SMTPException):
        return False


def _all_take_mail(installation: Installation) -> bool:
    before = _served(installation)
    for _ in range(20):
        assert _is_tried_again_and_taken(installation)
    after = _served(installation)
    return len(before) == 2 and all(after[port] > before[port] for port in before)


def test_mail_inside_tls_is_taken(installation: Installation) -> None:
    trust = ssl.create_default_context(cafile=str(installation.folder / "guard.crt"))

    passed = hand_in(
        installation.guard_port, people(1), letter(people(1), "inside"), tls=trust
    )
    held = hand_in(
        installation.guard_port,
        people(LIMIT + 9),
        letter(people(LIMIT + 9), "much inside"),
        tls=trust,
    )

    assert passed.is_passed
    assert held.is_held
    assert _subjects(installation).count("inside") == 1


def _subjects(installation: Installation) -> list[str]:
    found = re.compile(r"^X-Test-Id: (\S+)", re.MULTILINE)
    return [
        name
        for taken in installation.taken()
        for name in found.findall(taken["content"])
    ]


@pytest.mark.parametrize("is_held", [False, True], ids=["passed", "held"])
def test_sigterm_between_data_and_the_final_dot_loses_nothing(
    installation: Installation, is_held: bool
) -> None:
    shown = people(LIMIT + 9 if is_held else 1, f"term{is_held}")
    name = f"terminated-{is_held}"
    content = letter(shown, name)
    guard = installation.processes["guard"]
    client = _half_way(installation.guard_port, shown, content)
    try:
        guard.send_signal(signal.SIGTERM)
        until(lambda: _is_refused(installation.guard_port), "new clients are refused")
        client.sendall(content[20:] + b".\r\n")
        reply = client.makefile("rb").readline()
    finally:
        client.close()

    assert guard.wait(60) == 0
    installation.start("guard")
    installation.wait_for(installation.guard_port)
    assert reply[:3] in (b"250", b"421", b"451")
    acknowledged = 1 if reply.startswith(b"250") else 0
    assert _subjects(installation).count(name) == (0 if is_held else acknowledged)
    (held,) = installation.rows(
        "SELECT count(*) FROM store_heldmail WHERE people = %s", (len(shown),)
    )
    if is_held:
        assert b"Held" in reply or not acknowledged
        assert held[0] >= acknowledged


def _half_way(port: int, to: tuple[str, ...], content: bytes) -> socket.socket:
    """A client that has said DATA and the first bytes of its content."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    replies = client.makefile("rb")
    replies.readline()
    commands = [f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{one}>" for one in to), "DATA"]
    for command in ("HELO there", *commands):
        client.sendall(f"{command}\r\n".encode())
        assert replies.readline()[:3] in (b"250", b"354")
    client.sendall(content[:20])
    return client


def _is_refused(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=10):
            return False
    except (OSError, smtplib.SMTPException):
        return True
