# SPDX-License-Identifier: Apache-2.0
"""The settings of the guard's milter: where an MTA finds it, and who may connect."""

import re
from pathlib import Path
from typing import Any, Protocol

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_values import HostPort, MilterSettings

_MODE = re.compile(r"0?[0-7]{3}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?|")


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def path(self, name: str) -> Path | None:
        """A file, from the folder of the settings on; None where it is empty."""

    def host_port(self, name: str) -> HostPort | None:
        """host:port; None where it is empty."""

    def error(self, name: str, sentence: str) -> UndisclosedError:
        """What is wrong with a setting, with its line."""


def milter(reader: Reader) -> MilterSettings:
    """Where the milter listens. Raises UndisclosedError."""
    mode = reader.values["guard.milter.mode"]
    if not _MODE.fullmatch(mode):
        raise reader.error(
            "guard.milter.mode", 'must be permissions in octal, as in "0660"'
        )
    listen = _where(reader, "guard.milter.listen")
    inbound = _where(reader, "guard.milter.inbound_listen")
    if listen is not None and listen == inbound:
        raise reader.error(
            "guard.milter.inbound_listen", "must not be guard.milter.listen"
        )
    return MilterSettings(
        listen=listen,
        inbound_listen=inbound,
        mode=int(mode, 8),
        owner=_name(reader, "guard.milter.owner"),
        group=_name(reader, "guard.milter.group"),
    )


def _where(reader: Reader, name: str) -> Path | HostPort | None:
    """A path where there is a slash in it, else host:port."""
    if "/" in reader.values[name]:
        return reader.path(name)
    return reader.host_port(name)


def _name(reader: Reader, name: str) -> str:
    text: str = reader.values[name]
    if not _NAME.fullmatch(text):
        raise reader.error(name, "must be a name of this system")
    return text
