# SPDX-License-Identifier: Apache-2.0
"""A campaign to a million people, from the file to the proof, by its real code.

Import, every check, approvals, Memory, the ledger, deliveries by two workers to a sink
on loopback, the proof, and the pages at that size. Each step is a process of its own
(``bench.million_deeds``). It takes about half an hour, so it is no part of a run of
everything: ``python -m bench million``, or ``python -m bench.million PEOPLE``.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.installation import MASTER_KEY, sink
from bench.lists import written
from bench.row import Row
from undisclosed.store.postgres import Server

MILLION, FEW = 1_000_000, 20_000
MEMORY = 300
"""Megabytes that no step may exceed."""

FIRST_BYTE = 300
"""Milliseconds until the first byte of any page."""

MOST_READ = 2_500
"""Rows that the database reads for a page, however long the list."""

WORKERS = 2
_TENTHS = """
SELECT tenth, count(*), extract(epoch FROM max(updated_at) - min(updated_at))::float8
  FROM (SELECT updated_at, ntile(10) OVER (ORDER BY updated_at) AS tenth
          FROM store_delivery WHERE campaign_id = %s AND state = 'sent') AS each
 GROUP BY tenth ORDER BY tenth
"""
_SENT = (
    "SELECT coalesce(sum(number), 0) FROM store_domaintally"
    " WHERE campaign_id = %s AND state = 'sent'"
)


@dataclass(slots=True)
class Place:
    """A database, its settings, and what was made in it."""

    environment: dict[str, str]
    url: str
    server: int
    samples: list[tuple[int, float]] = field(default_factory=list)

    def deed(self, *words: str) -> dict[str, Any]:
        """What a process says that did one step."""
        print(f"  {words[0]} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "bench.million_deeds", *words]
        done = subprocess.run(
            command, env=self.environment, check=True, stdout=subprocess.PIPE
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def send(self, campaign: str) -> list[dict[str, Any]]:
        """What each worker says that sent until the end."""
        command = [sys.executable, "-m", "bench.million_deeds", "work", campaign]
        workers = [
            subprocess.Popen(
                [*command, f"w{number}"], env=self.environment, stdout=subprocess.PIPE
            )
            for number in range(WORKERS)
        ]
        ended = threading.Event()
        pids = [self.server, *(one.pid for one in workers)]
        looking = threading.Thread(target=self._look, args=(campaign, pids, ended))
        looking.start()
        said = [json.loads(one.communicate()[0]) for one in workers]
        ended.set()
        looking.join()
        return said

    def _look(self, campaign: str, pids: Sequence[int], ended: threading.Event) -> None:
        """How many have left, and the CPU time of all who took part, every second."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not ended.wait(1):
                row = connection.execute(_SENT, (campaign,)).fetchone()
                self.samples.append((int(row[0]) if row else 0, _cpu(pids)))

    def cpu_of(self, first: float, last: float, people: int) -> float:
        """CPU milliseconds for each message between two shares of all."""
        between = [
            one for one in self.samples if first * people <= one[0] <= last * people
        ]
        if len(between) < 2 or between[-1][0] == between[0][0]:
            return 0.0
        seconds = between[-1][1] - between[0][1]
        return 1000 * seconds / (between[-1][0] - between[0][0])


def rows(*, quick: bool) -> Iterator[Row]:
    """Every step, at a million people; at a few to see that it works."""
    yield from measured(FEW if quick else MILLION)


def measured(people: int) -> Iterator[Row]:
    """Every step, at so many people."""
    folder = Path(tempfile.mkdtemp(prefix="undisclosed-bench-"))
    try:
        with sink() as port, Server(folder) as server:
            place = _place(folder, server, port)
            yield from _steps(place, folder, people)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(folder: Path, server: Server, port: int) -> Place:
    settings = folder / "undisclosed.toml"
    settings.write_text(
        f'[guard]\nlisten = "127.0.0.1:1"\nnext_hop = "127.0.0.1:{port}"\n'
        'hostname = "guard.test"\n[store]\ndata = "."\n[send]\nconnections = 20\n'
        '[policy]\nown_domains = ["council.example"]\n',
        encoding="utf-8",
    )
    environment = os.environ | {
        "DATABASE_URL": server.url,
        "UNDISCLOSED_MASTER_KEY": MASTER_KEY,
        "UNDISCLOSED_SETTINGS": str(settings),
    }
    command = [sys.executable, "-m", "bench.tables"]
    subprocess.run(command, env=environment, check=True)
    return Place(environment, server.url, server.pid or 0)


def _steps(place: Place, folder: Path, people: int) -> Iterator[Row]:
    file = written(folder / "people.csv", people)
    done = place.deed("import", str(file))
    chosen = done["list"]
    yield from _long("import", people, done, "≥ 20,000/s of one core", 20_000)
    campaign = place.deed("draft", chosen)["campaign"]
    done = place.deed("check", campaign)
    yield from _long(f"every check ({done['told']:,} words of progress)", people, done)
    place.deed("suppress", chosen)
    yield from _long("submitted and approved", people, place.deed("approve", campaign))
    yield from _long("Memory hides all", people, place.deed("hide", campaign))
    yield from _long("ledger", people, place.deed("start", campaign))
    yield from _sent(place, campaign, people)
    done = place.deed("prove", campaign, str(folder / "proof.jsonl"))
    yield from _long("proof of every message", people, done)
    yield from _pages(place, campaign, chosen, people)


def _long(
    name: str, people: int, done: dict[str, Any], target: str = "", least: float = 0
) -> Iterator[Row]:
    per_core = people / max(done["cpu"], 1e-3)
    yield Row(
        name=f"{name}: {people:,} people",
        unit="s",
        ours=done["seconds"],
        target=target,
        is_met=per_core >= least if least else None,
        bounded_by=f"{done['cpu']:.1f} s of them are CPU time of our process",
    )
    yield Row(
        name=f"{name}: memory",
        unit="MB",
        ours=done["peak"],
        target=f"< {MEMORY} MB",
        is_met=done["peak"] < MEMORY,
    )


def _sent(place: Place, campaign: str, people: int) -> Iterator[Row]:
    began = time.perf_counter()
    said = place.send(campaign)
    took = time.perf_counter() - began
    with psycopg.connect(place.url) as connection:
        tenths = connection.execute(_TENTHS, (campaign,)).fetchall()
    sent = sum(row[1] for row in tenths)
    rates = [row[1] / max(row[2], 1e-3) for row in tenths]
    yield Row(
        name=f"{sent:,} of {people:,} messages by {WORKERS} workers",
        unit="messages/s",
        ours=sent / took,
        bounded_by="the database and the sink, on the same cores",
    )
    yield Row(
        name="memory of the larger worker",
        unit="MB",
        ours=max(one["peak"] for one in said),
        target=f"< {MEMORY} MB",
        is_met=max(one["peak"] for one in said) < MEMORY,
    )
    early, late = place.cpu_of(0.05, 0.2, people), place.cpu_of(0.85, 1, people)
    yield Row(
        name="rate of the last tenth, of the rate of the first",
        unit="×",
        ours=rates[-1] / rates[0],
        target="≥ 0.9",
        is_met=rates[-1] >= 0.9 * rates[0],
        bounded_by="what else the machine does; by CPU time of workers and database "
        f"it is {early / late if late else 0:.2f} ({early:.3f} ms, then {late:.3f})",
    )


def _pages(place: Place, campaign: str, chosen: str, people: int) -> Iterator[Row]:
    named = {
        "campaigns": "/campaigns/",
        "the campaign": f"/campaigns/{campaign}/",
        "its live fragment": f"/campaigns/{campaign}/progress/",
        "preview of the last row but one": f"/campaigns/{campaign}/preview/"
        f"?row={people - 1}",
        "lists": "/lists/",
        "the list": f"/lists/{chosen}/",
        "its rows": f"/lists/{chosen}/rows/?page=2",
        "suppressions": "/lists/suppressions/",
    }
    said = place.deed("ask", *named.values())
    for name, path in named.items():
        one = said[path]
        if one["status"] != 200:
            raise RuntimeError(f"{name} answered {one['status']}")
        yield Row(
            name=f"page: {name}",
            unit="ms",
            ours=one["first_byte"],
            target=f"≤ {FIRST_BYTE} ms, no query growing with the list",
            is_met=one["first_byte"] <= FIRST_BYTE and one["read"] <= MOST_READ,
            bounded_by=f"{one['read']:,} rows read, {one['cpu']:.0f} ms of CPU time",
        )


def _cpu(pids: Sequence[int]) -> float:
    """CPU seconds of these processes, and of those that they started."""
    wanted, total = set(pids), 0.0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text("ascii", "replace")
        except OSError:
            continue  # it ended meanwhile
        fields = text.rpartition(")")[2].split()
        if int(folder.name) in wanted or int(fields[1]) in wanted:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for row in measured(int(sys.argv[1]) if len(sys.argv) > 1 else MILLION):
        met = {True: "yes", False: "NO", None: ""}[row.is_met]
        line = f"{row.name}: {row.ours:,.1f} {row.unit}  {row.target} {met}"
        print(f"{line}  {row.bounded_by}".rstrip(), flush=True)
