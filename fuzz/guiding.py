# SPDX-License-Identifier: Apache-2.0
"""What the harnesses share: inputs by chance, so long or so many, or by coverage.

``python -m fuzz.NAME [SECONDS [SEED]]`` makes inputs by the harness' own means, as
``python -m fuzz.NAME --inputs 1000000 --seed 7`` does for so many; with ``--atheris``
and libFuzzer's options (``-max_total_time=20``) coverage guides the bytes. A find is
printed as the bytes that lead to it; it belongs into a file of
tests/messages/malformed, or a table of the tests.
"""

import argparse
import importlib
import random
import sys
import time
from collections.abc import Callable, Sequence

Check = Callable[[bytes], None]
Inputs = Callable[[random.Random], bytes]
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


def damaged(
    content: bytes, pieces: Sequence[bytes], chance: random.Random, *, longest: int = 80
) -> bytes:
    """The content with some bytes cut, doubled, replaced, or pieces put in.

    At most ``longest`` bytes are cut or doubled at once.
    """
    data = bytearray(content)
    for _ in range(chance.randint(1, 10)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                del data[at : at + chance.randint(1, longest)]
            case 1:
                data[at:at] = chance.choice(pieces) * chance.choice((1, 1, 2, 40))
            case 2:
                data[at:at] = data[at : at + chance.randint(1, longest)]
            case 3:
                piece = chance.choice(pieces)
                data[at : at + len(piece)] = piece
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def mutations(seeds: Sequence[bytes], pieces: Sequence[bytes]) -> Inputs:
    """Inputs that are one of the seeds, damaged."""
    return lambda chance: damaged(chance.choice(seeds), pieces, chance)


def run(
    check: Check,
    inputs: Inputs,
    *,
    seed: int = 1,
    seconds: float = float("inf"),
    most: float = float("inf"),
) -> int:
    """Try inputs for so long, or so many; how many were tried.

    Raises at the first find, after its bytes were printed.
    """
    check, chance = timed(check), random.Random(seed)
    until, tried = time.monotonic() + seconds, 0
    while tried < most and time.monotonic() < until:
        data = inputs(chance)
        try:
            check(data)
        except Exception:
            print(f"input {tried} of seed {seed}: {data!r}", file=sys.stderr)
            raise
        tried += 1
    return tried


def main(check: Check, inputs: Inputs) -> None:
    """Run as the command line says."""
    if "--atheris" in sys.argv:
        # Whoever fuzzes by coverage installs it.
        atheris = importlib.import_module("atheris")

        sys.argv.remove("--atheris")
        atheris.instrument_all()
        atheris.Setup(sys.argv, timed(check))
        atheris.Fuzz()
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float)
    parser.add_argument("seed", nargs="?", type=int, default=time.time_ns())
    parser.add_argument("--seed", dest="seed", type=int)
    parser.add_argument("--inputs", type=int)
    args = parser.parse_args()
    seconds = args.seconds or (float("inf") if args.inputs else 60.0)
    began = time.monotonic()
    most = args.inputs or float("inf")
    count = run(check, inputs, seed=args.seed, seconds=seconds, most=most)
    took = time.monotonic() - began
    print(f"Done {count} runs in {took:.0f} second(s), nothing found")
