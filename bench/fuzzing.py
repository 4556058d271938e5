# SPDX-License-Identifier: Apache-2.0
"""Every fuzzer for a bounded time, guided by coverage: header, MIME, ICS, SMTP, milter.

A find fails the measurement, and belongs into a test of its own. ``fuzz/`` holds the
harnesses; each can run for as long as somebody likes.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.row import Row

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "messages"
SECONDS, QUICK = 20, 4
HARNESSES = {
    "header": "fuzz.header",
    "MIME": "fuzz.mime",
    "ICS": "fuzz.ics",
    "SMTP": "fuzz.smtp",
    "milter": "fuzz.milter",
}
"""The module of each harness."""
READERS_OF_MAIL = ("header", "MIME")
"""Those that begin with the messages of the tests."""

_DONE = re.compile(r"Done (\d+) runs in (\d+) second")


class Found(Exception):
    """A fuzzer found an input that breaks a promise; its bytes stand in the output."""


def rows(*, quick: bool) -> Iterator[Row]:
    """How many inputs each harness tried, and that none of them was a find."""
    for name in HARNESSES:
        tried, seconds = fuzzed(name, QUICK if quick else SECONDS)
        yield Row(
            name=f"fuzzing of the {name} reader",
            unit="inputs",
            ours=tried,
            target="nothing raises, hangs or is lost",
            is_met=True,
            bounded_by=f"{seconds} s of time, atheris' tracing",
        )


def fuzzed(name: str, seconds: int) -> tuple[int, int]:
    """Run one harness for so long: inputs tried, seconds taken. Raises Found."""
    with tempfile.TemporaryDirectory(prefix="undisclosed-fuzz-") as folder:
        words = [f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10"]
        words += [f"-artifact_prefix={folder}/"]
        if name in READERS_OF_MAIL:
            words += [folder, *(str(CORPUS / kind) for kind in ("malformed", "leaks"))]
        done = subprocess.run(
            [sys.executable, "-m", HARNESSES[name], "--atheris", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300 + 10 * seconds,
            check=False,
        )
    found = _DONE.search(done.stderr + done.stdout)
    if done.returncode or found is None:
        raise Found(f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return int(found[1]), int(found[2])
