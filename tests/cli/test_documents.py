# SPDX-License-Identifier: Apache-2.0
"""``check`` and ``scan`` read attached documents, as the guard does."""

import base64
import json
from pathlib import Path

import pytest

from tests.transport.reading.making import zipped
from undisclosed.cli import main

LISTED = "\r\n".join(f"m{number}@member{number}.example" for number in range(30))


def _message() -> bytes:
    archive = base64.encodebytes(zipped({"list.csv": LISTED}))
    return (
        b"From: olive@council.example\nTo: ann@a.example\nSubject: The list\n"
        b"Date: Mon, 2 Mar 2026 09:00:00 +0000\nMIME-Version: 1.0\n"
        b'Content-Type: application/zip; name="list.zip"\n'
        b"Content-Transfer-Encoding: base64\n\n" + archive
    )


def test_check_sees_a_list_in_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(_message())

    code = main(["check", "--json", str(path)])

    told = json.loads(capsys.readouterr().out)
    assert code == 3
    assert told["new_disclosures"] == 30
    assert {"attached archive: table"} == {
        channel
        for one in told["shown"]
        for channel in one["channels"]
        if one["address"].startswith("m")
    }


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_scan_sees_it_in_each_of_its_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], jobs: str
) -> None:
    path = tmp_path / "sent.mbox"
    one = b"From olive@council.example Mon Mar  2 09:00:00 2026\n" + _message() + b"\n"
    path.write_bytes(one * 2)

    code = main(["scan", "--json", "--jobs", jobs, str(path)])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 3
    assert lines[-1]["scan"]["messages"] == 2
    assert lines[0]["findings"][0]["rule"] == "addresses-in-body"
