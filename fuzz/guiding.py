# SPDX-License-Identifier: Apache-2.0
"""What the harnesses share: inputs by chance for so many seconds, or by coverage.

``python -m fuzz.NAME SECONDS [SEED]`` mutates the harness' own seeds; with
``--atheris`` and libFuzzer's options (``-max_total_time=20``) coverage guides the
bytes. A find is printed as the bytes that lead to it; it belongs into a file of
tests/messages/malformed, or a table of the tests.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

Check = Callable[[bytes], None]
LONGEST_SECONDS = 2.0


class TooSlow(AssertionError):
    """One input took longer than a reader may take."""


def timed(check: Check) -> Check:
    """The check, which also fails where it takes too long (CPU seconds)."""

    def measured(data: bytes) -> None:
        began = time.process_time()
        check(data)
        if time.process_time() - began > LONGEST_SECONDS:
            raise TooSlow

    return measured


def mutated(
    chance: random.Random, seeds: Sequence[bytes], pieces: Sequence[bytes]
) -> bytes:
    """A seed with some of its bytes cut, doubled, replaced, or pieces put in."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 10)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                del data[at : at + chance.randint(1, 30)]
            case 1:
                data[at:at] = chance.choice(pieces) * chance.choice((1, 1, 2, 40))
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 80)]
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def run(
    check: Check,
    seeds: Sequence[bytes],
    pieces: Sequence[bytes],
    seconds: float,
    seed: int = 1,
) -> int:
    """Try inputs for so long; how many were tried. Raises at the first find."""
    check, chance = timed(check), random.Random(seed)
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutated(chance, seeds, pieces)
        try:
            check(data)
        except Exception:
            print(f"found by {data!r}", file=sys.stderr)
            raise
        tried += 1
    return tried


def main(check: Check, seeds: Sequence[bytes], pieces: Sequence[bytes]) -> None:
    """Run as the command line says."""
    if "--atheris" in sys.argv:
        sys.argv.remove("--atheris")
        atheris.instrument_all()
        atheris.Setup(sys.argv, timed(check))
        atheris.Fuzz()
        return
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    count = run(check, seeds, pieces, seconds, seed)
    print(f"Done {count} runs in {seconds:.0f} second(s), nothing found")
