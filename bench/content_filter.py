# SPDX-License-Identifier: Apache-2.0
"""The guard as Postfix' content filter: in, judged, back in, out to smtp-sink.

The peer is the same chain of the same Postfix with a filter that only passes on: our
endpoint with nothing behind it that reads a mail. Both are measured in turn, until
smtp-sink has taken the last mail. The row for accepted mail is set against Postfix
alone, which takes mail and relays it without any filter.
"""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from bench import postfix
from bench.accept import handed_in, relay
from bench.installation import free_port, sink
from bench.row import Row

KILOBYTES = 4
TARGET = 0.85
TIMES_POSTFIX = 8

OVERRIDES = ",".join(
    (
        "no_unknown_recipient_checks",
        "no_header_body_checks",
        "no_milters",
        "no_address_mappings",
    )
)
MAIN = """
relayhost = [127.0.0.1]:{sink}
smtp_tls_security_level = none
undisclosed_destination_recipient_limit = 10000
"""

SERVICES = """
127.0.0.1:{guarded}  inet n - n - - smtpd
    -o content_filter=undisclosed:[127.0.0.1]:{guard}
127.0.0.1:{passed}   inet n - n - - smtpd
    -o content_filter=undisclosed:[127.0.0.1]:{passes}
127.0.0.1:{alone}    inet n - n - - smtpd
127.0.0.1:{back}     inet n - n - - smtpd
    -o receive_override_options={overrides}
undisclosed unix - - n - 10 smtp
    -o smtp_send_xforward_command=no
    -o smtp_line_length_limit=0
"""


def rows(*, quick: bool) -> Iterator[Row]:
    """The whole chain with us in it, and accepted mail beside Postfix relaying."""
    count, rounds = (300, 2) if quick else (1_000, 4)
    back = free_port()
    with (
        sink() as sink_port,
        relay("guard", back) as guard,
        relay("passes", back) as passes,
        relay("guard", sink_port) as direct,
        chain(sink_port, back, guard.port, passes.port) as chains,
    ):
        ours = peer = alone = accepted = 0.0
        direct.measure(500, KILOBYTES)
        for _ in range(rounds):
            peer = max(peer, chains.drained("passed", count))
            ours = max(ours, chains.drained("guarded", count))
            alone = max(alone, chains.drained("alone", count))
            accepted = max(accepted, direct.measure(count * 10, KILOBYTES)[0])
    yield Row(
        name="as Postfix content_filter, in → guard → back in → out",
        unit="mails/s",
        ours=ours,
        peer=peer,
        peer_name="the same chain with a filter that only passes on",
        bound=alone,
        bound_name="Postfix relaying without a filter",
        target=f"≥ {TARGET:g} × the peer",
        is_met=ours >= TARGET * peer,
        bounded_by="Postfix, which queues each mail on the disk twice",
    )
    yield Row(
        name="accepted mail of 4 KB beside Postfix relaying",
        unit="mails/s",
        ours=accepted,
        peer=alone,
        peer_name="Postfix, until its queue is empty",
        target=f"≥ {TIMES_POSTFIX} × the peer",
        is_met=accepted >= TIMES_POSTFIX * alone,
        bounded_by="both cores are full",
    )


class Chain:
    """A running Postfix with a door for each chain."""

    def __init__(self, folder: Path, doors: dict[str, int]) -> None:
        self._folder = folder
        self._doors = doors

    def drained(self, door: str, count: int) -> float:
        """Mails each second, from the first handed in to an empty queue."""
        began = time.perf_counter()
        handed_in(self._doors[door], count, "-l", str(KILOBYTES * 1024))
        while not self._is_empty():
            time.sleep(0.01)
        return count / (time.perf_counter() - began)

    def _is_empty(self) -> bool:
        queue = self._folder / "queue"
        return not any(
            file.is_file()
            for name in ("incoming", "active", "deferred", "maildrop")
            for file in (queue / name).rglob("*")
        )


@contextlib.contextmanager
def chain(sink_port: int, back: int, guard: int, passes: int) -> Iterator[Chain]:
    """A Postfix with every chain. Raises RuntimeError where it cannot run."""
    doors = {name: free_port() for name in ("guarded", "passed", "alone")}
    services = SERVICES.format(
        guard=guard, passes=passes, back=back, overrides=OVERRIDES, **doors
    )
    with (
        postfix.folder() as folder,
        postfix.running(
            folder,
            main=MAIN.format(sink=sink_port),
            services=services,
            ports=(back, *doors.values()),
        ),
    ):
        yield Chain(folder, doors)
