# SPDX-License-Identifier: Apache-2.0
"""A held mail of 50 KB sent singly to a thousand people: from commit to last byte.

The work is done in a process of its own, since its memory is measured, too.
``python -m bench.split COPIES SINK_PORT`` is that process; it prints JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.installation import Installation, program
from bench.row import Row
from undisclosed.cli import wiring
from undisclosed.console.wiring import keyed_ids, memory, spool
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard import desk
from undisclosed.guard.deliver import deliver_due
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.relay import Hop

SIZE = 50 * 1024
WORKER = "bench"


def rows(installation: Installation, *, copies: int) -> Iterator[Row]:
    """The time and the memory of a split, against the same bytes without us."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.split", str(copies)],
        env=installation.environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    ours = json.loads(done.stdout)
    bound = copies / plain_seconds(installation.sink_port, copies)
    rate = copies / ours["seconds"]
    yield Row(
        name=f"split of 50 KB into {copies:,} copies, commit to last byte out",
        unit="copies/s",
        ours=rate,
        bound=bound,
        bound_name="smtp-source, 20 sessions",
        target="≥ 0.5 × the bound",
        is_met=rate >= 0.5 * bound,
        bounded_by="one record for each copy that left (durable before the next one)",
    )
    grown = ours["grown"]
    limit = SIZE / 1e6 + 40
    yield Row(
        name=f"memory that the split into {copies:,} copies took",
        unit="MB",
        ours=grown,
        target="< body + 40 MB",
        is_met=grown < limit,
        bounded_by="the copies on their way, twenty at once",
    )


def plain_seconds(port: int, copies: int) -> float:
    """How long Postfix' smtp-source takes for the same bytes to the same sink."""
    began = time.monotonic()
    subprocess.run(
        [
            program("smtp-source"),
            *("-s", "20", "-m", str(copies), "-l", str(SIZE)),
            *("-f", "desk@council.example", "-t", "ann@a.example"),
            f"127.0.0.1:{port}",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began


def letter(people: list[str]) -> bytes:
    """A letter of 50 KB that shows everybody to everybody."""
    head = (
        "From: desk@council.example\r\nTo: " + ",\r\n ".join(people) + "\r\n"
        "Subject: The split\r\nMessage-ID: <split@council.example>\r\n\r\n"
    ).encode()
    line = b"What follows is the same for everybody, and nobody else's business.\r\n"
    return head + line * (SIZE // len(line))


def main() -> None:
    """Hold the letter, send it singly, deliver every copy; print seconds and MB."""
    copies = int(sys.argv[1])
    settings = wiring.load(None)
    wiring.configure(settings)
    people = [f"p{number}@d{number}.example" for number in range(copies)]
    addresses = [Address(*person.split("@")) for person in people]
    sender = Address("desk", "council.example")
    mail = Mail(
        Envelope(sender, tuple(Recipient(address) for address in addresses)),
        letter(people),
    )
    checkpoint = wiring.checkpoint(settings, GuardMetrics())
    hold_id = checkpoint.hold(mail, checkpoint.decide(mail))
    asyncio.run(deliver(wiring.hop(settings)))  # the notice
    by = desk.Actor(name=WORKER, addresses=frozenset({sender}))
    before = peak(forget=True)
    now, name = wiring.utc_now(), keyed_ids()
    desk.send_singly(spool(), memory(), hold_id, settings.policy, by, now, name=name)
    began = time.monotonic()
    delivered = asyncio.run(deliver(wiring.hop(settings)))
    seconds = time.monotonic() - began
    if delivered != copies:
        raise RuntimeError(f"{delivered} of {copies} copies left")
    print(json.dumps({"seconds": seconds, "grown": peak() - before}))


async def deliver(hop: Hop) -> int:
    """Deliver until nothing is due, as a worker does; how many left."""
    total = 0
    while count := await deliver_due(
        spool(), hop, WORKER, wiring.utc_now, 500, name=keyed_ids()
    ):
        total += count
    return total


def peak(*, forget: bool = False) -> float:
    """The most megabytes in use since the last call with ``forget`` (proc(5))."""
    if forget:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not tell how much memory was in use")


if __name__ == "__main__":
    main()
