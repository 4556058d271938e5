# SPDX-License-Identifier: Apache-2.0
"""A list of a million people: checked, sealed and imported from a CSV file.

``python -m bench.lists FILE`` is the process that is measured: it prints one JSON line.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.installation import MASTER_KEY
from bench.row import Row
from bench.split import peak
from undisclosed.cli import wiring
from undisclosed.core.campaign import Sensitivity
from undisclosed.store.postgres import Server

PEOPLE, FEW = 1_000_000, 100_000
MEMORY = 300  # MB
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_COPY = "COPY bench_rows FROM STDIN (FORMAT binary)"
_TYPES = ("varchar", "int4", "bytea", "varchar", "varchar", "bytea")


def rows(*, quick: bool) -> Iterator[Row]:
    """The rate from the file to the committed rows, and the memory that it takes."""
    people = FEW if quick else PEOPLE
    folder = Path(tempfile.mkdtemp(prefix="undisclosed-bench-"))
    try:
        file = written(folder / "people.csv", people)
        with Server(folder) as server:
            done, bound = measured(folder, file), copied(server.url, people)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    whole = people / (done["check"] + done["import"])
    per_core = people / done["cpu"]
    yield Row(
        name=f"import of {people:,} rows from CSV, checked, sealed, by one process",
        unit="rows/s",
        ours=whole,
        bound=bound,
        bound_name="COPY of as many bytes",
        bounded_by="the checks of each cell and the seal of each row",
    )
    yield Row(
        name="the same, for each second of one core",
        unit="rows/s",
        ours=per_core,
        target="≥ 20,000/s per core",
        is_met=per_core >= 20_000,
        bounded_by="the checks of each cell and the seal of each row",
    )
    yield Row(
        name="memory of the import at its highest",
        unit="MB",
        ours=done["peak"],
        target=f"< {MEMORY} MB",
        is_met=done["peak"] < MEMORY,
        bounded_by="a number for each person, by which a second row is noticed",
    )


def written(path: Path, people: int) -> Path:
    """A file as an organisation has it: address, name, street, day, reference."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("Email,Name,Street,Day,Reference\r\n")
        for number in range(people):
            street = f"{number % 300} Station Road"
            file.write(
                f"person{number}@domain{number % 997}.example,Person {number},"
                f"{street},{DAYS[number % 5]},REF-{number:07}\r\n"
            )
    return path


def measured(folder: Path, file: Path) -> dict[str, float]:
    """What the process says that checks and imports the file."""
    settings = folder / "undisclosed.toml"
    settings.write_text('[store]\ndata = "."\n', encoding="utf-8")
    environment = {**os.environ, "UNDISCLOSED_MASTER_KEY": MASTER_KEY}
    command = (sys.executable, "-m", "undisclosed", "migrate", "--settings", settings)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    command = (sys.executable, "-m", "bench.lists", str(file), settings)
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    said: dict[str, float] = json.loads(done.stdout)
    return said


def copied(url: str, people: int) -> float:
    """Rows per second that the database takes by COPY alone."""
    sealed, hashed = os.urandom(130), os.urandom(28)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_rows (list_id varchar(32), number int,"
            " address_hash bytea, domain varchar(255), way varchar(8), sealed bytea,"
            " PRIMARY KEY (list_id, number), UNIQUE (list_id, address_hash))"
        )
        began = time.perf_counter()
        with cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for number in range(people):
                own = number.to_bytes(4, "big") + hashed
                copy.write_row(("l", number, own, "domain.example", "mail", sealed))
        connection.commit()
        return people / (time.perf_counter() - began)


def import_file(file: Path, settings: Path) -> dict[str, float]:
    """Check and import a file as the command does; seconds, CPU and memory."""
    wiring.configure(wiring.load(settings))
    from undisclosed.core.address import Address
    from undisclosed.send import recipients
    from undisclosed.send.tables import open_table
    from undisclosed.store import lists
    from undisclosed.store.models import Account, Role, Team

    now = datetime.now(UTC)
    login = Address("sam", "council.example")
    owner = Account.objects.create_account(login, name="Sam", roles=(Role.SENDER,))
    team = Team.objects.create(name="Bins", created_at=now)
    facts = lists.ListFacts("All", "bin days", Sensitivity.ORDINARY)
    made = lists.create(facts, team=team.pk, owner=owner.pk, by="bench", now=now)
    began, cpu = time.perf_counter(), time.process_time()
    table = open_table(file)
    checked = recipients.check(table, own_domains=("council.example",))
    between = time.perf_counter()
    if not checked.is_importable:
        raise RuntimeError("the file has a problem")
    lists.import_rows(
        made,
        checked.columns.names,
        recipients.rows(table, checked.columns),
        by="bench",
        now=now,
        shared_domains=checked.shared_domains,
    )
    return {
        "check": between - began,
        "import": time.perf_counter() - between,
        "cpu": time.process_time() - cpu,
        "peak": peak(),
    }


if __name__ == "__main__":
    print(json.dumps(import_file(Path(sys.argv[1]), Path(sys.argv[2]))))
