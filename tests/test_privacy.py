# SPDX-License-Identifier: Apache-2.0
"""The product must not become the leak: nothing that it writes holds an address.

A whole installation takes mail of every fate; then every file it wrote is read: the
logs of its processes, those of PostgreSQL, the tables' own files, and the metrics.
"""

import re
import smtplib
import urllib.request
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation

SENDER = "survey@authority.example"
PEOPLE = tuple(f"resident{n}@home-of-{n}.example" for n in range(12))
SUBJECT = "Satisfaction with burglary victims"
TEXT = "Dear resident, we would like to hear how satisfied you were."
ADDRESS = re.compile(rb"(?:resident\d+|survey|ghost)@[\w.-]+\.example")


def _mail(to: tuple[str, ...], subject: str, more: str = "") -> bytes:
    return (
        f"From: {SENDER}\r\nTo: {', '.join(to)}\r\nSubject: {subject}\r\n{more}"
        f"\r\n{TEXT}\r\n"
    ).encode()


def _hand_in(installation: Installation, to: tuple[str, ...], content: bytes) -> int:
    with smtplib.SMTP("127.0.0.1", installation.guard_port, timeout=60) as client:
        client.ehlo()
        client.mail(SENDER)
        for person in to:
            client.rcpt(person)
        return client.data(content)[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation that took mail of every fate, now at rest."""
    folder = tmp_path_factory.mktemp("installation")
    installation = Installation(folder)
    installation.database.start()
    installation.clerk("prepare")
    with installation:
        fates = [
            _hand_in(installation, PEOPLE[:1], _mail(PEOPLE[:1], SUBJECT)),
            _hand_in(installation, PEOPLE, _mail(PEOPLE, SUBJECT)),
            _hand_in(installation, PEOPLE, _mail(PEOPLE, f"Recall: {SUBJECT}")),
            _hand_in(installation, PEOPLE[:8], _mail(PEOPLE[:8], "Another one")),
            _hand_in(
                installation,
                PEOPLE[:1],
                _mail(PEOPLE[:1], SUBJECT, "Bcc: ghost@home.example\r\n"),
            ),
            _hand_in(installation, PEOPLE[:1], b"\xff\x00 no header at all"),
        ]
        assert fates[:5] == [250, 250, 550, 250, 250]
        installation.until_decided()
        installation.until_nothing_waits()
        metrics = f"http://127.0.0.1:{installation.metrics_port}/metrics"
        with urllib.request.urlopen(metrics, timeout=10) as answer:
            (folder / "metrics.txt").write_bytes(answer.read())
    return folder


def _what_we_wrote(folder: Path) -> list[Path]:
    """Every file but the test's own next hop, which receives whole mails."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if file.name != "sink.jsonl"]


def test_no_file_of_an_installation_holds_an_address(written: Path) -> None:
    files = _what_we_wrote(written)

    assert any(file.name == "postgres.log" for file in files)
    assert any("base" in file.parts for file in files)
    found = {file: ADDRESS.search(file.read_bytes()) for file in files}
    assert {file.name: hit for file, hit in found.items() if hit} == {}


def test_no_file_of_an_installation_holds_a_subject_or_a_text(written: Path) -> None:
    for file in _what_we_wrote(written):
        content = file.read_bytes()
        assert SUBJECT.encode() not in content, file.name
        assert TEXT.encode() not in content, file.name


def test_the_metrics_count_what_happened(written: Path) -> None:
    metrics = (written / "metrics.txt").read_text()

    assert re.search(r'outcome="held"\} 2\.0', metrics), metrics
    assert re.search(r'outcome="rejected"\} 1\.0', metrics), metrics
