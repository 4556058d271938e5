# SPDX-License-Identifier: Apache-2.0
"""Held mail: how fast it is durable, how fast it leaves singly, and memory.

The bound of a hold is the database itself, committing the same bytes over as many
connections; the bound of a split is the same bytes through SMTP without us.
"""

import subprocess
import threading
import time
from collections.abc import Iterator

import psycopg

from bench import split
from bench.installation import Installation, installed, program, resident
from bench.load import held_per_second
from bench.row import Row

SESSIONS = 20
KILOBYTE = 1024


def rows(*, quick: bool) -> Iterator[Row]:
    """Holds of 4 KB and 50 KB, the split of 50 KB, the memory of a guard."""
    seconds = 3 if quick else 10
    with installed() as installation:
        for size in (4 * KILOBYTE, 50 * KILOBYTE):
            yield hold_row(installation, size, seconds)
        yield from split.rows(installation, copies=200 if quick else 1_000)
        yield memory_row(installation, 20_000 if quick else 100_000)


def hold_row(installation: Installation, size: int, seconds: float) -> Row:
    """Held until 250, against the database's own commits, in turn, twice."""
    ours, bound = [], []
    for _ in range(2):
        bound.append(commits_per_second(installation.url, size, seconds / 2))
        ours.append(
            held_per_second(
                installation.guard_port,
                size=size,
                sessions=SESSIONS,
                seconds=seconds / 2,
            )
        )
    held, committed = max(ours), max(bound)
    return Row(
        name=f"held mail of {size // KILOBYTE} KB until 250, {SESSIONS} sessions",
        unit="mails/s",
        ours=held,
        bound=committed,
        bound_name="the database's own commits",
        target="durable; ≥ 0.5 × the bound",
        is_met=held >= 0.5 * committed,
        bounded_by="one interpreter, which reads the mail, makes, reads and judges a "
        "private copy for each outsider, hashes and encrypts; and two commits, the "
        "place in Memory, then content, notice and settling in one statement",
    )


def commits_per_second(url: str, size: int, seconds: float) -> float:
    """One row of ``size`` bytes for each commit, over as many connections."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_bytes")
        connection.execute("CREATE TABLE bench_bytes (id bigserial, content bytea)")
        connection.execute("ALTER TABLE bench_bytes ALTER content SET STORAGE EXTERNAL")
    counts = [0] * SESSIONS
    until = time.monotonic() + seconds

    def commit(number: int) -> None:
        content = bytes(size)
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() < until:
                connection.execute(
                    "INSERT INTO bench_bytes (content) VALUES (%b)", (content,)
                )
                counts[number] += 1

    threads = [threading.Thread(target=commit, args=(n,)) for n in range(SESSIONS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(counts) / (time.monotonic() - began)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE bench_bytes")
    return rate


def memory_row(installation: Installation, messages: int) -> Row:
    """The guard's memory after many accepted messages, against a tenth of them."""
    early_count = messages // 10
    relay(installation, early_count)
    early = resident(installation.guard_pid)
    relay(installation, messages - early_count)
    late = resident(installation.guard_pid)
    return Row(
        name=f"memory of a guard process after {messages:,} messages",
        unit="MB",
        ours=late,
        peer=early,
        peer_name=f"after {early_count:,}",
        target="no more than 5 MB above, < 120 MB",
        is_met=late - early <= 5 and late < 120,
        bounded_by="the interpreter, Django, and what holding left in the allocator",
    )


def relay(installation: Installation, messages: int) -> None:
    """Hand in accepted mail of 4 KB with one outside recipient, over ten sessions."""
    subprocess.run(
        [
            program("smtp-source"),
            *("-s", "10", "-m", str(messages), "-l", "4096"),
            *("-f", "desk@council.example", "-t", "ann@a.example"),
            f"127.0.0.1:{installation.guard_port}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
