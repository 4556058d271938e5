# SPDX-License-Identifier: Apache-2.0
"""``undisclosed keys``: exchange the master key, until nothing needs the old one.

In steps, because a running part opens only what the keys that it began with sealed:
``rotate`` puts a new key before the others in the key file; when every part was
started again, ``reseal`` seals everything anew; while every part is stopped, ``rehash``
exchanges what addresses are looked up by. ``status`` says what is still waited for,
and ``drop`` takes the old key away when that is over.
"""

import argparse
from collections.abc import Iterator

from undisclosed.cli import options, wiring
from undisclosed.store import crypto, key_use, master_key, rehashing, resealing
from undisclosed.store.key_use import Use
from undisclosed.store.settings import Settings

FOUND = 3


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
    rehash = deeds.add_parser(
        "rehash",
        help="hash anew what addresses are looked up by; every part must be stopped",
        description="Exchange the keyed hashes by which addresses are looked up, all "
        "in one transaction. Nothing is changed where another process is connected.",
    )
    listed = deeds.add_parser("list", help="print what names each key, newest first")
    status = deeds.add_parser(
        "status", help="print what still needs which key; 3 where an earlier one is"
    )
    drop = deeds.add_parser(
        "drop", help="take a key out of the key file, once nothing needs it"
    )
    drop.add_argument("key", metavar="KEY", help="what `keys list` prints")
    for deed in (rotate, reseal, rehash, listed, status, drop):
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
    match args.deed:
        case "list":
            print("\n".join(crypto.keys().ids))
        case "reseal":
            done = resealing.reseal(by="command line")
            key = crypto.keys().ids[0]
            print(f"{done:,} values were sealed anew with the key {key}.")
        case "rehash":
            return _rehash(settings)
        case "status":
            return _status(settings)
        case "drop":
            key_use.drop(settings, args.key, wiring.utc_now(), by="command line")
            print(f"The key {args.key} is no longer in the key file.")
            print("Destroy its copies when no backup needs it any more.")
    return 0


def _rehash(settings: Settings) -> int:
    found = rehashing.rehash(wiring.utc_now(), by="command line")
    print(f"{found:,} addresses were hashed anew.")
    if settings.master_key is None:
        master_key.look_up_with_newest(settings)
    elif crypto.keys().id != crypto.keys().ids[0]:
        print("Put the newest key last as well where the environment gives the keys.")
    print("Back up the keys, then start every part again.")
    return 0


def _status(settings: Settings) -> int:
    uses = key_use.uses(settings, wiring.utc_now())
    print("\n".join(_lines(uses)))
    return FOUND if len({one.key_id for one in uses}) > 1 else 0


def _lines(uses: list[Use]) -> Iterator[str]:
    for key_id in crypto.keys().ids:
        mine = [one for one in uses if one.key_id == key_id]
        if not mine:
            yield f"{key_id}: nothing needs it; `undisclosed keys drop {key_id}`"
        for one in mine:
            many = f"{one.many:,} " if one.many else ""
            until = f" until {one.until:%Y-%m-%d}" if one.until else ""
            yield f"{key_id}: {many}{one.what}{until}"
