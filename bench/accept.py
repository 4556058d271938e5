# SPDX-License-Identifier: Apache-2.0
"""Accepted mail: SMTP in, judged, SMTP out, one process of ours.

smtp-source hands the mail in and smtp-sink takes it (Debian's postfix). Without
anybody between them they are the bound; aiosmtpd with aiosmtplib between them is
the peer. The three are measured in turn, several times, and the best of each is
taken: on a shared machine the best is what was least disturbed.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import NoCorpus, messages
from bench.installation import child, free_port, installed, program, sink, wait_for
from bench.relays import POLICY
from bench.row import Row
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient

SESSIONS = 10
KILOBYTE = 1024
MILLISECONDS = 1000.0
REAL_MESSAGES = 12
REAL_REPEATED = 100

_BOUND = "both cores are full: the client, the sink, the kernel and one process of ours"


@dataclass(frozen=True, slots=True)
class Size:
    """One size of message and what is asked of it, as ratios."""

    kilobytes: int
    messages: int
    peer_messages: int
    times_peer: float
    times_bound: float


SIZES = (
    Size(4, messages=20_000, peer_messages=2_000, times_peer=7, times_bound=0.35),
    Size(100, messages=3_000, peer_messages=300, times_peer=15, times_bound=1.2),
)


@dataclass(slots=True)
class Best:
    """The best of several measurements."""

    rate: float = 0.0
    cpu: float = float("inf")

    def take(self, rate: float, cpu: float) -> None:
        """Keep what is better than before."""
        self.rate, self.cpu = max(self.rate, rate), min(self.cpu, cpu)


def rows(*, quick: bool) -> Iterator[Row]:
    """Rates at 4 KB and 100 KB, CPU per message, and the latency that we add."""
    rounds = 2 if quick else 4
    with sink() as sink_port:
        for size in SIZES:
            yield from rate_rows(sink_port, size, rounds, quick=quick)
        yield from latency_rows(sink_port, 1_000 if quick else 4_000)
        yield from real_rows(sink_port, rounds)
    yield two_shown_row(1_000 if quick else 4_000)


def rate_rows(sink_port: int, size: Size, rounds: int, *, quick: bool) -> Iterator[Row]:
    """Messages each second with ten sessions, and what each costs us."""
    share = 4 if quick else 1
    ours, peer, bound = Best(), Best(), Best()
    with relay("guard", sink_port) as guard, relay("aiosmtpd", sink_port) as other:
        hand_in(guard.port, 500, size.kilobytes)
        for _ in range(rounds):
            count = size.messages // share
            bound.take(hand_in(sink_port, count, size.kilobytes), 0.0)
            ours.take(*guard.measure(count, size.kilobytes))
            peer.take(*other.measure(size.peer_messages // share, size.kilobytes))
    met = ours.rate >= max(size.times_peer * peer.rate, size.times_bound * bound.rate)
    yield Row(
        name=f"accepted mail of {size.kilobytes} KB, {SESSIONS} sessions",
        unit="mails/s",
        ours=ours.rate,
        peer=peer.rate,
        peer_name="aiosmtpd and aiosmtplib",
        bound=bound.rate,
        bound_name="smtp-source straight to smtp-sink",
        target=f"≥ {size.times_peer:g} × the peer, ≥ {size.times_bound:g} × the bound",
        is_met=met,
        bounded_by=_BOUND,
    )
    if size is SIZES[0]:
        yield cpu_row(ours, peer)


def cpu_row(ours: Best, peer: Best) -> Row:
    """CPU time of our process for each mail, the kernel's share in it."""
    return Row(
        name="CPU for each accepted mail of 4 KB",
        unit="ms",
        ours=ours.cpu,
        peer=peer.cpu,
        peer_name="aiosmtpd and aiosmtplib",
        target="≤ 0.2 ms",
        is_met=ours.cpu <= 0.2,
        bounded_by="16 system calls for a mail that is not pipelined, and reading it",
    )


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay that runs in a process of its own."""

    port: int
    pid: int

    def measure(self, count: int, kilobytes: int) -> tuple[float, float]:
        """Messages each second, and milliseconds of CPU for each."""
        before = cpu_seconds(self.pid)
        rate = hand_in(self.port, count, kilobytes)
        used = cpu_seconds(self.pid) - before
        return rate, used * MILLISECONDS / count


@contextmanager
def relay(name: str, hop_port: int) -> Iterator[Relay]:
    """A relay in front of the sink, ended with the block."""
    port = free_port()
    command = (sys.executable, "-m", "bench.relays", name, str(port), str(hop_port))
    with child(*command) as process:
        wait_for(port, process)
        yield Relay(port, process.pid)


def hand_in(port: int, count: int, kilobytes: int) -> float:
    """Let smtp-source hand in this many filler bodies; messages each second."""
    return handed_in(port, count, "-l", str(kilobytes * KILOBYTE))


def handed_in(port: int, count: int, *options: str) -> float:
    """Let smtp-source hand in this many; messages each second."""
    command = [program("smtp-source"), "-d", "-s", str(SESSIONS), "-m", str(count)]
    command += ["-M", "client.council.example", "-f", "sam@council.example"]
    command += ["-t", "ann@a.example", *options]
    began = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{port}"], check=True)
    return count / (time.perf_counter() - began)


def real_rows(sink_port: int, rounds: int) -> Iterator[Row]:
    """The same with real messages, where the corpus is there."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            files = real_files(folder)
        except NoCorpus:
            return
        ports = [
            sink_port,
            stack.enter_context(relay("guard", sink_port)).port,
            stack.enter_context(relay("aiosmtpd", sink_port)).port,
        ]
        rates = [[0.0] * len(files) for _ in ports]
        for _ in range(rounds):
            for number, file in enumerate(files):
                for best, port in zip(rates, ports, strict=True):
                    rate = handed_in(port, REAL_REPEATED, "-F", str(file))
                    best[number] = max(best[number], rate)
    bound, ours, peer = (statistics.harmonic_mean(best) for best in rates)
    yield Row(
        name=f"accepted mail, {len(files)} real messages, {SESSIONS} sessions",
        unit="mails/s",
        ours=ours,
        peer=peer,
        peer_name="aiosmtpd and aiosmtplib",
        bound=bound,
        bound_name="smtp-source straight to smtp-sink",
        bounded_by="reading each mail, and two turns in a thread for one that shows "
        "outsiders to somebody; the peer reads nothing",
    )


def real_files(folder: Path) -> list[Path]:
    """Messages from all over the corpus that pass, as files with LF. Raises NoCorpus.

    What a rule objects to is held, which is another row's work.
    """
    every = max(1, sum(1 for _ in messages()) // (2 * REAL_MESSAGES))
    files: list[Path] = []
    for number, message in enumerate(messages(every=every)):
        # smtp-source puts CR LF behind every line; NUL and bare CR are refused.
        lines = message.content.translate(None, b"\r\0").splitlines()
        content = b"\n".join(lines) + b"\n"
        if passes(content):
            file = folder / f"{number}.eml"
            file.write_bytes(content)
            files.append(file)
    return files[:: max(1, len(files) // REAL_MESSAGES)][:REAL_MESSAGES]


def passes(content: bytes) -> bool:
    """Whether the guard of ``bench.relays`` accepts this to the one recipient."""
    recipient = Recipient(Address("ann", "a.example"))
    mail = Mail(Envelope(Address("sam", "council.example"), (recipient,)), content)
    return not judge(read(mail, POLICY), NOTHING_KNOWN, POLICY).findings


def two_shown_row(count: int) -> Row:
    """Mail that shows two outsiders to each other: one store transaction each."""
    with installed() as installation, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "two.eml"
        head = "From: sam@council.example\nTo: 1ann@a.example, 2ann@a.example,"
        body = "The rates change on the first of May, as follows below.\n" * 70
        file.write_text(f"{head} bob@b.example\nSubject: Rates\n\n{body}", "ascii")
        options = ("-F", str(file), "-r", "2")
        bound = handed_in(installation.sink_port, count, *options)
        ours = max(
            handed_in(installation.guard_port, count, *options) for _ in range(2)
        )
    return Row(
        name=f"accepted mail of 4 KB that shows outsiders, {SESSIONS} sessions",
        unit="mails/s",
        ours=ours,
        bound=bound,
        bound_name="smtp-source straight to smtp-sink",
        bounded_by="one serialised transaction of Memory for each mail",
    )


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used so far, the kernel's work for it included."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def latency_rows(sink_port: int, count: int) -> Iterator[Row]:
    """What one session waits longer for, with us between it and the sink."""
    with ExitStack() as stack:
        guard = stack.enter_context(relay("guard", sink_port))
        straight, through = OneByOne(sink_port), OneByOne(guard.port)
        pairs = [(straight.seconds(), through.seconds()) for _ in range(count + 200)][
            200:
        ]
    direct, ours = zip(*pairs, strict=True)
    for name, percentile, limit in (("median", 50, 0.5), ("99th percentile", 99, 5.0)):
        added = (at(ours, percentile) - at(direct, percentile)) * MILLISECONDS
        yield Row(
            name=f"added latency of 4 KB, one session, {name}",
            unit="ms",
            ours=added,
            bound=at(direct, percentile) * MILLISECONDS,
            bound_name="the mail itself without us",
            target=f"≤ {limit:g} ms",
            is_met=added <= limit,
            bounded_by="MAIL, RCPT, DATA and the content each wait for the next hop",
        )


def at(seconds: tuple[float, ...], percentile: int) -> float:
    """The value that this share of all does not exceed."""
    return statistics.quantiles(seconds, n=100)[percentile - 1]


class OneByOne:
    """A client that waits for every reply, as one person's program does."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")
        self._reply()
        self._say(b"EHLO client.council.example\r\n")
        line = b"The rates change on the first of May, as follows below.\r\n"
        head = (
            b"From: sam@council.example\r\nTo: ann@a.example\r\nSubject: Rates\r\n\r\n"
        )
        self._content = head + line * (4 * KILOBYTE // len(line)) + b".\r\n"

    def seconds(self) -> float:
        """Hand in one mail; how long that took."""
        began = time.perf_counter()
        self._say(b"MAIL FROM:<sam@council.example>\r\n")
        self._say(b"RCPT TO:<ann@a.example>\r\n")
        self._say(b"DATA\r\n")
        self._say(self._content)
        return time.perf_counter() - began

    def _say(self, command: bytes) -> None:
        self._socket.sendall(command)
        self._reply()

    def _reply(self) -> None:
        while True:
            line = self._replies.readline()
            if line[:1] not in (b"2", b"3"):
                raise RuntimeError(f"refused: {line[:40]!r}")
            if line[3:4] == b" ":
                return
