# SPDX-License-Identifier: Apache-2.0
"""Settings as a table that knows the line of every key (TOML 1.0).

``tomllib`` reads the values and says nothing of where they stand. A setting that
is misspelt and ignored lets mail through, so every unknown key and every wrong
value is refused with its line, and the nearest known name is offered.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from undisclosed.errors import UndisclosedError
from undisclosed.formats.configuration_lines import Path, lines_of

_QUOTED_WORDS = re.compile(r"'[^']*\w[^']*'|\"[^\"]*\w[^\"]*\"")
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


class ConfigurationError(UndisclosedError):
    """A setting cannot be used.

    ``message`` is one sentence without an address; ``line`` counts from 1;
    ``key`` is the dotted name of the setting, empty where there is none; ``path``
    the way to what cannot be used, which may spell an address.
    """

    def __init__(
        self, message: str, *, line: int, key: str = "", path: Path = ()
    ) -> None:
        self.line = line
        self.key = key
        self.path = path
        super().__init__(message, line=line)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a TOML document: its values, and where each key stands.

    Every getter returns its default where the key is missing and raises
    ``ConfigurationError`` where the value is of another kind.
    """

    values: Mapping[str, object] = field(repr=False)
    lines: Mapping[Path, int] = field(repr=False)
    path: Path = ()

    def line_of(self, *keys: str | int) -> int:
        """The line of a key below this table; its nearest parent's else."""
        path = self.path + keys
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1

    def name_of(self, *keys: str | int) -> str:
        """The dotted name of a key below this table, without a spelled-out address.

        Places in arrays are left out: the line says which one is meant.
        """
        names = (key for key in self.path + keys if isinstance(key, str))
        return ".".join(_printable(name) for name in names)

    def error(self, sentence: str, *keys: str | int) -> ConfigurationError:
        """The error for a key of this table, to be raised."""
        return ConfigurationError(
            sentence,
            line=self.line_of(*keys),
            key=self.name_of(*keys),
            path=self.path + keys,
        )

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raise for the first key that is not ``known``, with the nearest name."""
        for key in self.values:
            if key not in known:
                near = difflib.get_close_matches(key, sorted(known), n=1)
                hint = f' Did you mean "{near[0]}"?' if near else ""
                raise self.error(
                    f'There is no setting "{self.name_of(key)}".{hint}', key
                )

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text in quotes")
        return value

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings."""
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, list):
            raise self._wrong(key, "a list of texts in quotes")
        for index, item in enumerate(value):
            if not isinstance(item, str):
                raise self._wrong(key, "a list of texts in quotes", index)
        return tuple(value)

    def integer(
        self, key: str, default: int, *, minimum: int = 0, maximum: int | None = None
    ) -> int:
        """A whole number between ``minimum`` and ``maximum``."""
        value = self.values.get(key, default)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or value < minimum or (maximum and value > maximum):  # type: ignore[operator]
            most = "or more" if maximum is None else f"to {maximum:,}"
            raise self._wrong(key, f"a whole number, {minimum:,} {most}")
        return value  # type: ignore[return-value]

    def number(self, key: str, default: float, *, minimum: float = 0.0) -> float:
        """A number, with or without a fraction, not below ``minimum``."""
        value = self.values.get(key, default)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not value >= minimum:  # type: ignore[operator]
            raise self._wrong(key, f"a number, {minimum:g} or more")
        return float(value)  # type: ignore[arg-type]

    def boolean(self, key: str, default: bool) -> bool:
        """``true`` or ``false``."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def table(self, key: str) -> "Table":
        """The table below ``key``; an empty one where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self._wrong(key, f"a table: [{self.name_of(key)}]")
        return Table(value, self.lines, (*self.path, key))

    def tables(self, key: str) -> "tuple[Table, ...]":
        """The array of tables below ``key``, in the order of the file."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(i, dict) for i in value):
            raise self._wrong(key, f"an array of tables: [[{self.name_of(key)}]]")
        return tuple(
            Table(item, self.lines, (*self.path, key, index))
            for index, item in enumerate(value)
        )

    def _wrong(self, key: str, kind: str, *below: int) -> ConfigurationError:
        return self.error(f'"{self.name_of(key)}" must be {kind}.', key, *below)


def parse_toml(text: str) -> Table:
    """Read a TOML document. Raises ConfigurationError with the line of the fault."""
    text = text.replace("\r\n", "\n")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(text, str(error)) from None
    except RecursionError:
        raise ConfigurationError("The file nests too deeply.", line=1) from None
    return Table(values, lines_of(text))


def _syntax_error(text: str, message: str) -> ConfigurationError:
    found = _AT_LINE.search(message)
    line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
    # What tomllib quotes may be a piece of an address, so only its words are kept.
    reason = _QUOTED_WORDS.sub("…", _AT_LINE.sub("", message)).strip()
    return ConfigurationError(f"This is not TOML: {reason}.", line=line)


def _printable(key: str) -> str:
    name, at, domain = key.rpartition("@")
    return f"{name[:1]}…@{domain}" if at else key
