# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the worker that checks and imports a list: another one does it, once."""

import subprocess
import sys
from pathlib import Path

from tests.acceptance.installation import Installation, until

PEOPLE = 100_001


def clerk(installation: Installation, *words: str) -> str:
    command = [sys.executable, "-m", "tests.acceptance.list_clerk", *words]
    return subprocess.run(
        command,
        env=installation.environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    ).stdout


def upload(installation: Installation) -> tuple[str, int]:
    ((state, done),) = installation.rows("SELECT state, done FROM store_listupload")
    return state, done


def killed_while(installation: Installation, state: str) -> int:
    """Kill the worker in the middle of a step; how far it had told it was."""

    def is_in_it() -> int:
        now, done = upload(installation)
        return done if now == state else 0

    done = until(is_in_it, f"a worker is at work on what is {state}")
    installation.kill("worker")
    return int(done)


def test_a_killed_workers_import_is_done_by_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("Email,Name\n")
        out.writelines(f"p{n}@d{n % 97}.example,Person {n}\n" for n in range(PEOPLE))
    installation = Installation(tmp_path, worker={"metrics": ""})
    installation.prepare()
    with installation:
        clerk(installation, "keep", str(file))
        checked_to = killed_while(installation, "waiting")
        until(lambda: upload(installation)[0] == "checked", "the file is checked")
        clerk(installation, "confirm")
        imported_to = killed_while(installation, "confirmed")
        rows = installation.rows("SELECT count(*) FROM store_listrow")
        until(lambda: upload(installation)[0] == "imported", "it is imported")
        read = clerk(installation, "read").split()
        ((versions, chunks, hidden),) = installation.rows(
            "SELECT (SELECT version FROM store_recipientlist),"
            " (SELECT count(*) FROM store_listuploadchunk),"
            " (SELECT people FROM store_audience)"
        )

    assert 0 < checked_to < PEOPLE and 0 < imported_to < PEOPLE
    assert rows in ([(0,)], [(PEOPLE,)])
    assert read == [str(PEOPLE), str(PEOPLE), "Person", "0", "Person", f"{PEOPLE - 1}"]
    assert (versions, chunks, hidden) == (1, 0, PEOPLE)
