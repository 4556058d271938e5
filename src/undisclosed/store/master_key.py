# SPDX-License-Identifier: Apache-2.0
"""The master key: from the environment, else a file that only its owner may read.

Losing it loses held mail for good; it belongs in a backup of its own, apart from
the database.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from undisclosed.errors import UndisclosedError
from undisclosed.store.crypto import KEY_SIZE, new_master_key
from undisclosed.store.settings_values import Settings


class KeyIsGiven(UndisclosedError):
    """The master key comes from the environment: only who gives it can add another.

    Put a new one before it, apart by a blank, as from `openssl rand -hex 32`.
    """


def parse(text: str, source: str) -> bytes:
    """The key out of its 64 hexadecimal digits. Raises UndisclosedError.

    Several, apart by blanks or lines, are keys that follow one another: the newest
    first (``store.crypto.Keys``).
    """
    try:
        found = [bytes.fromhex(word) for word in text.split()]
    except ValueError:
        found = []
    if not found or any(len(key) != KEY_SIZE for key in found):
        raise UndisclosedError(
            f"{source} must be {2 * KEY_SIZE} hexadecimal digits, as from "
            f"`openssl rand -hex {KEY_SIZE}`."
        )
    return b"".join(found)


def file_of(data: Path) -> Path:
    """Where the key lies when the environment does not give it."""
    return data / "master.key"


def of(settings: Settings, *, may_make: bool = False) -> bytes:
    """The master key of this installation.

    ``may_make``: a first key is made where there is none. Only the commands that make
    the tables may: a part that made itself a key would seal mail that nobody else can
    open. Two processes that make it at once end with the same one. Raises
    UndisclosedError where it is missing, for a file that others may read, or that
    holds no key.
    """
    if settings.master_key is not None:
        return settings.master_key
    file = file_of(settings.store.data)
    if not file.exists():
        if not may_make:
            raise UndisclosedError(
                f"The master key is missing: {file} does not exist. Name it with "
                "UNDISCLOSED_MASTER_KEY_FILE; the first one is made by "
                "`undisclosed run` or `undisclosed migrate`."
            )
        _make(file)
    if file.stat().st_mode & 0o077:
        raise UndisclosedError(f"Others may read {file}: chmod 600 it.")
    try:
        return parse(file.read_text("ascii"), str(file))
    except (OSError, UnicodeDecodeError):
        raise UndisclosedError(f"{file} cannot be read.") from None


def _make(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    _write(fresh, new_master_key().hex() + "\n")
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()


def add(settings: Settings) -> None:
    """Put a new key before those in the key file, durably, or leave it as it was.

    Raises KeyIsGiven.
    """
    _replace(settings, lambda kept: [new_master_key(), *kept])


def look_up_with_newest(settings: Settings) -> None:
    """Put the newest key last as well: it makes the hashes that are looked up.

    Raises KeyIsGiven.
    """

    def turned(kept: list[bytes]) -> list[bytes]:
        every = list(dict.fromkeys(kept))
        return every if len(every) == 1 else [*every, every[0]]

    _replace(settings, turned)


def drop(settings: Settings, key: bytes) -> None:
    """Take a key out of the file for good. Raises KeyIsGiven."""

    def without(kept: list[bytes]) -> list[bytes]:
        left = [one for one in kept if one != key]
        return left if len(set(left)) > 1 else left[:1]

    _replace(settings, without)


def _replace(settings: Settings, change: Callable[[list[bytes]], list[bytes]]) -> None:
    if settings.master_key is not None:
        raise KeyIsGiven
    kept, file = of(settings), file_of(settings.store.data)
    keys = [kept[at : at + KEY_SIZE] for at in range(0, len(kept), KEY_SIZE)]
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    _write(fresh, "".join(f"{key.hex()}\n" for key in change(keys)))
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
