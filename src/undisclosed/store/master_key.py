# SPDX-License-Identifier: Apache-2.0
"""The master key: from the environment, else a file that only its owner may read.

Losing it loses held mail for good; it belongs in a backup of its own, apart from
the database.
"""

import contextlib
import os
from pathlib import Path

from undisclosed.errors import UndisclosedError
from undisclosed.store.crypto import KEY_SIZE, new_master_key
from undisclosed.store.settings_values import Settings


def parse(text: str, source: str) -> bytes:
    """The key out of its 64 hexadecimal digits. Raises UndisclosedError."""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise UndisclosedError(
            f"{source} must be {2 * KEY_SIZE} hexadecimal digits, as from "
            f"`openssl rand -hex {KEY_SIZE}`."
        )
    return key


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
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(new_master_key().hex() + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
