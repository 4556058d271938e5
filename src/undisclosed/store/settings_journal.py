# SPDX-License-Identifier: Apache-2.0
"""The settings of the journal: their table, and how they are read together."""

from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_kinds import Kind, Setting
from undisclosed.store.settings_values import JournalSettings

JOURNAL: Final = (
    Setting(
        "journal.timestamp_url",
        Kind.TEXT,
        "",
        "A time-stamping authority (RFC 3161), as in "
        '"https://tsa.example/": it is shown the hash of each day\'s seal. Empty: '
        "nobody is asked.",
    ),
    Setting(
        "journal.timestamp_ca",
        Kind.TEXT,
        "",
        "File of the authority's root certificates (PEM): a timestamp has to lead to "
        "one of them.",
    ),
)


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def path(self, name: str) -> Path | None:
        """A file, from the folder of the settings on; None where it is empty."""

    def error(self, name: str, sentence: str) -> UndisclosedError:
        """What is wrong with a setting, with its line."""
        ...


def journal(reader: Reader) -> JournalSettings:
    """Who is asked for timestamps. Raises UndisclosedError."""
    url, ca = (
        reader.values["journal.timestamp_url"],
        reader.path("journal.timestamp_ca"),
    )
    if url and not _is_web(url):
        raise reader.error(
            "journal.timestamp_url", "must begin with http:// or https://"
        )
    if url and ca is None:
        raise reader.error("journal.timestamp_url", "needs journal.timestamp_ca")
    return JournalSettings(url, ca)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
