# SPDX-License-Identifier: Apache-2.0
"""``undisclosed campaign proof``: written, verified, and what verifies it elsewhere."""

import argparse
import inspect
import os
import sys
from pathlib import Path
from typing import Final

from undisclosed.cli import wiring
from undisclosed.cli.campaign_acting import allowed
from undisclosed.errors import UndisclosedError
from undisclosed.send import proof_verifier

VERIFY: Final = "verify-proof"
VERIFIER: Final = "proof-verifier"


def add_parsers(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the acts that need no campaign, and no store, to the command line."""
    act = acts.add_parser(VERIFY, help="was anything in a proof changed?")
    act.add_argument("file", type=Path, help="the ZIP, or the proof.jsonl in it")
    act.add_argument(
        "--journal", type=Path, metavar="FILE", help="as `journal export` writes it"
    )
    acts.add_parser(
        VERIFIER, help="print the stand-alone verifier (one file of plain Python)"
    )


def write(args: argparse.Namespace) -> None:
    """Write the bundle into a new file that nobody else can read; whole or not at all.

    Raises UndisclosedError where there is a file.
    """
    from undisclosed.send import proof  # noqa: PLC0415

    _, account = allowed(args, lambda may: True)
    pieces = proof.bundle(args.id, by=account.pk, now=wiring.utc_now())
    first = next(pieces)
    try:
        number = os.open(args.output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UndisclosedError(f"{args.output}: is there already.") from None
    try:
        with os.fdopen(number, "wb") as file:
            file.write(first)
            file.writelines(pieces)
    except BaseException:
        # Half a proof proves nothing, and would be in the way of the whole one.
        args.output.unlink(missing_ok=True)
        raise
    print(f"{args.output}: the proof, and what verifies it on any machine with Python.")


def verify(args: argparse.Namespace) -> int:
    """Say whether a proof holds: 0, 3, or 65 where it is none."""
    journal = ["--journal", str(args.journal)] if args.journal else []
    return proof_verifier.main([str(args.file), *journal])


def print_verifier() -> int:
    """Print the verifier; 0."""
    sys.stdout.write(inspect.getsource(proof_verifier))
    return 0
