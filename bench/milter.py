# SPDX-License-Identifier: Apache-2.0
"""The guard as milter of Postfix on a UNIX socket, beside milters that do nothing.

smtp-source hands mail to one Postfix that has a service for each milter and throws
everything away. The services are measured in turn, several times, and the best of
each is taken. Without any milter the same Postfix is named as well.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import postfix
from bench.accept import MILLISECONDS, SESSIONS, Best, cpu_seconds, hand_in
from bench.installation import child, free_port, program
from bench.row import Row

SYSTEM_PYTHON = "/usr/bin/python3"
KILOBYTES = (4, 100)
NOTHING, GUARD, PYMILTER, ALONE = "nothing", "guard", "pymilter", "alone"
MIN_OF_BOUND, MIN_OF_PEER = 0.9, 1.0

MAIN = """
default_transport = discard
smtpd_client_connection_count_limit = 0
milter_default_action = tempfail
"""


def rows(*, quick: bool) -> Iterator[Row]:
    """Rates at 4 KB and 100 KB, and what each mail costs us."""
    rounds = 2 if quick else 4
    with ExitStack() as stack:
        folder = stack.enter_context(postfix.folder())
        (folder / "sockets").mkdir(mode=0o755)
        pids = stack.enter_context(_milters(folder))
        ports = stack.enter_context(_postfix(folder))
        for kilobytes in KILOBYTES:
            count = (4_000 if kilobytes == 4 else 1_000) // (4 if quick else 1)
            best = _measured(ports, pids, kilobytes, count, rounds)
            yield _rate_row(best, kilobytes)
            if kilobytes == 4:
                yield _cpu_row(best)


def _measured(
    ports: dict[str, int], pids: dict[str, int], kilobytes: int, count: int, rounds: int
) -> dict[str, Best]:
    best = {name: Best() for name in ports}
    for port in ports.values():
        hand_in(port, count // 4, kilobytes)
    for _ in range(rounds):
        for name, port in ports.items():
            pid = pids.get(name)
            before = cpu_seconds(pid) if pid else 0.0
            rate = hand_in(port, count, kilobytes)
            used = cpu_seconds(pid) - before if pid else 0.0
            best[name].take(rate, used * MILLISECONDS / count)
            _let_the_queue_empty()
    return best


def _rate_row(best: dict[str, Best], kilobytes: int) -> Row:
    ours, bound, peer = (best[name].rate for name in (GUARD, NOTHING, PYMILTER))
    has_target = kilobytes == KILOBYTES[0]
    is_met = ours >= MIN_OF_BOUND * bound and ours >= MIN_OF_PEER * peer
    target = f"≥ {MIN_OF_BOUND:g} × the bound, ≥ {MIN_OF_PEER:g} × the peer"
    return Row(
        name=f"as milter of Postfix, {kilobytes} KB, {SESSIONS} sessions",
        unit="mails/s",
        ours=ours,
        peer=peer,
        peer_name="pymilter that receives the body and does nothing",
        bound=bound,
        bound_name="our milter that receives the body and does nothing",
        target=target if has_target else "",
        is_met=is_met if has_target else None,
        bounded_by=f"Postfix, which takes {best[ALONE].rate:,.0f} a second without "
        "any milter, and reading each mail",
    )


def _cpu_row(best: dict[str, Best]) -> Row:
    return Row(
        name="CPU of the milter for each mail of 4 KB",
        unit="ms",
        ours=best[GUARD].cpu,
        peer=best[PYMILTER].cpu,
        peer_name="pymilter that receives the body and does nothing",
        bound=best[NOTHING].cpu,
        bound_name="our milter that receives the body and does nothing",
        bounded_by="reading each mail",
    )


def _let_the_queue_empty() -> None:
    """Deliveries of one measurement must not fall into the next one's time."""
    time.sleep(0.5)


@contextmanager
def _milters(folder: Path) -> Iterator[dict[str, int]]:
    """Every milter in a process of its own; their process ids."""
    _install_pymilter()
    peer = Path(__file__).with_name("pymilter_noop.py")
    commands = {
        GUARD: (sys.executable, "-m", "bench.milters", GUARD),
        NOTHING: (sys.executable, "-m", "bench.milters", NOTHING),
        # Isolated: this folder has a milter.py, and pymilter a module of that name.
        PYMILTER: (SYSTEM_PYTHON, "-I", str(peer)),
    }
    with ExitStack() as stack:
        pids = {}
        for name, command in commands.items():
            path = folder / "sockets" / name
            process = stack.enter_context(child(*command, str(path)))
            _wait_for(path, process)
            path.chmod(0o666)
            pids[name] = process.pid
        yield pids


def _install_pymilter() -> None:
    """Install the peer from Debian where it is missing. Raises RuntimeError."""
    probe = [SYSTEM_PYTHON, "-Ic", "import Milter"]
    if subprocess.run(probe, check=False, stderr=subprocess.DEVNULL).returncode == 0:
        return
    for command in (["update", "-qq"], ["install", "-y", "-qq", "python3-milter"]):
        subprocess.run(["apt-get", *command], check=False, capture_output=True)
    if subprocess.run(probe, check=False).returncode:
        raise RuntimeError("pymilter is missing (Debian: python3-milter)")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not path.is_socket():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"no milter listens on {path.name}")
        time.sleep(0.05)


@contextmanager
def _postfix(folder: Path) -> Iterator[dict[str, int]]:
    """A Postfix with one port for each milter, and one without; the ports."""
    ports = {name: free_port() for name in (GUARD, NOTHING, PYMILTER, ALONE)}
    services = [
        f"127.0.0.1:{port} inet n - n - - smtpd"
        + (f"\n    -o smtpd_milters=unix:{folder}/sockets/{name}" * (name != ALONE))
        for name, port in ports.items()
    ]
    program("smtp-source")
    with postfix.running(
        folder, main=MAIN, services="\n".join(services), ports=ports.values()
    ):
        yield ports
