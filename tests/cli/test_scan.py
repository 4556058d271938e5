# SPDX-License-Identifier: Apache-2.0
"""``undisclosed scan``: its summary, its JSON lines, its page, its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scan.archive import mbox, people, written
from undisclosed.cli import main

BATCHES = [written(people(200 * n, 150), days=n) for n in range(3)]
LETTERS = [written(people(n, 1), days=n) for n in range(20)]


@pytest.fixture
def sent(tmp_path: Path) -> str:
    path = tmp_path / "sent.mbox"
    path.write_bytes(mbox(LETTERS + BATCHES))
    return str(path)


def test_the_summary_says_what_was_found(
    sent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["scan", "--jobs", "1", sent])

    said = capsys.readouterr().out
    assert code == 3
    assert said.startswith("23 messages read in ")
    assert (
        "FOUND  3 messages in 1 mailing: 450 people were shown to others,"
        " 67,050 disclosures." in said
    )
    assert re.search(r"2024-01-08  t…@council\.example +3 +450 +67,050 ", said)
    assert "team@" not in said


def test_addresses_are_spelled_out_when_asked(
    sent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["scan", "--jobs", "1", "--show-addresses", sent])

    assert "team@council.example" in capsys.readouterr().out


def test_json_has_a_line_for_each_message_each_mailing_and_the_whole(
    sent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["scan", "--jobs", "2", "--json", sent])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 3
    assert [line["file"] for line in lines[:3]] == [f"{sent}:{n}" for n in (21, 22, 23)]
    assert lines[0]["action"] == "hold"
    assert lines[0]["shown"][0] == {
        "address": "person0@place0.example",
        "channels": ["To"],
    }
    assert lines[3]["mailing"] == 1
    assert lines[3]["people"] == 450
    assert lines[4]["scan"]["messages"] == 23
    assert lines[4]["scan"]["complete"] is True
    assert len(lines) == 5


def test_an_archive_without_disclosures_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sent.mbox"
    path.write_bytes(mbox(LETTERS))

    assert main(["scan", "--jobs", "1", str(path)]) == 0
    assert "Nothing found." in capsys.readouterr().out


def test_own_domains_are_no_outsiders(sent: str) -> None:
    own = [
        f"--own-domain=place{200 * n + m}.example" for n in range(3) for m in range(150)
    ]

    assert main(["scan", "--jobs", "1", *own, sent]) == 0


def test_unreadable_files_win_and_the_others_are_still_printed(
    sent: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    binary = tmp_path / "binary.mbox"
    binary.write_bytes(os.urandom(3000))

    code = main(["scan", "--jobs", "1", str(tmp_path), str(tmp_path / "missing")])

    said = capsys.readouterr()
    assert code == 65
    assert "FOUND  3 messages" in said.out
    assert "binary.mbox: is " in said.err
    assert "missing: cannot be read: no such file or directory." in said.err


def test_the_page_stands_alone_and_spells_no_address_out(
    sent: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"

    main(["scan", "--jobs", "1", "--report", str(report), sent])

    page = report.read_text()
    assert not re.search(r"<script|<link[^>]+href=\"(?!data:)|src=|url\(|@import", page)
    assert "person0@" not in page
    assert "team@" not in page
    assert "t…@council.example" in page
    assert "450" in page
    assert report.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["missing/report.html", "."], ids=["folder", "name"])
def test_a_report_that_cannot_be_written_is_refused_before_the_scan(
    sent: str, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", "--report", str(tmp_path / name), sent]) == 78

    said = capsys.readouterr()
    assert "report" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "arguments",
    [[], ["--jobs", "0", "x"], ["--jobs", "many", "x"], ["--own-domain", "a@b", "x"]],
    ids=["no path", "no jobs", "words", "an address"],
)
def test_wrong_usage_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scan", *arguments])

    assert ended.value.code == 2


def test_ctrl_c_prints_what_was_found_and_writes_the_page(tmp_path: Path) -> None:
    fifo, report = tmp_path / "endless.mbox", tmp_path / "report.html"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "undisclosed", "scan", "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--report", str(report), str(fifo)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with fifo.open("wb") as pipe:
        for _ in range(40):
            pipe.write(mbox(BATCHES + LETTERS))
        pipe.flush()
        time.sleep(3)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "; stopped before the end." in out
    assert "FOUND  " in out
    assert "Traceback" not in err
    assert "The scan was stopped before its end." in report.read_text()
