# SPDX-License-Identifier: Apache-2.0
"""``undisclosed keys``: exchange the master key.

In two steps, because a running part opens only what the keys that it began with sealed:
``rotate`` puts a new key before the others in the key file; when every part was
started again, ``reseal`` seals anew what is kept for long.
"""

import argparse

from undisclosed.cli import options, wiring
from undisclosed.store import crypto, master_key, resealing


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("keys", help="exchange the master key")
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    rotate = deeds.add_parser(
        "rotate",
        help="make a new master key; what is new is sealed with it",
        description="Put a new master key before those in the key file. Start every "
        "part again after it, then run `undisclosed keys reseal`.",
    )
    reseal = deeds.add_parser(
        "reseal", help="seal anew, with the newest key, what an earlier one sealed"
    )
    listed = deeds.add_parser("list", help="print what names each key, newest first")
    for deed in (rotate, reseal, listed):
        options.add_settings(deed)


def run(args: argparse.Namespace) -> int:
    """Do the deed. Raises KeyIsGiven, and TransientError while the store is away."""
    settings = wiring.load(args.settings)
    if args.deed == "rotate":
        master_key.add(settings)
        print(f"A new key stands first in {master_key.file_of(settings.store.data)}.")
        print("Back it up, start every part again, then run `undisclosed keys reseal`.")
        return 0
    wiring.configure(settings)
    if args.deed == "list":
        print("\n".join(crypto.keys().ids))
        return 0
    done = resealing.reseal(by="command line")
    print(f"{done:,} values were sealed anew with the key {crypto.keys().ids[0]}.")
    return 0
