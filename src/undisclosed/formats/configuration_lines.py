# SPDX-License-Identifier: Apache-2.0
"""Where every key of a TOML document stands (TOML 1.0, keys and tables).

Only text that ``tomllib`` has accepted is walked: the grammar need not be checked
again, only followed far enough to know which brackets and quotes belong to keys.
"""

import re
import tomllib

Path = tuple[str | int, ...]
"""The way to a value: table and key names, and places in arrays from 0."""

_GAP = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_TEXT = re.compile(
    r'''"""(?s:(?:[^\\]|\\.)*?)"{3,5}|\'\'\'(?s:.*?)'{3,5}'''
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
)
_BARE = re.compile(r"[^,\]}\n#]+")


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of every key of a valid document; its first one where
    a table is opened more than once."""
    return _Walk(text).lines


class _Walk:
    """One pass over the text; ``position`` only ever grows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.lines: dict[Path, int] = {}
        self._counted, self._line = 0, 1
        self._arrays: dict[Path, int] = {}
        table: Path = ()
        self._skip(_GAP)
        while self.position < len(text):
            if text[self.position] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_GAP)

    def _header(self) -> Path:
        is_array = self.text.startswith("[[", self.position)
        self.position += 2 if is_array else 1
        self._skip(_GAP)
        line = self._here()
        path: Path = ()
        for key in self._keys():
            # A header below an array of tables means its last element.
            path = (*path, key)
            self.lines.setdefault(path, line)
            if path in self._arrays:
                path = (*path, self._arrays[path])
        if is_array:
            path = self._next_element(path)
            self.lines[path] = line
        self._skip(_GAP)
        self.position += 2 if is_array else 1
        return path

    def _next_element(self, path: Path) -> Path:
        if path and isinstance(path[-1], int):
            path = path[:-1]
        self._arrays[path] = self._arrays.get(path, -1) + 1
        return (*path, self._arrays[path])

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._skip(_GAP)
        self.position += 1  # the equals sign
        self._skip(_GAP)
        self._value(path)

    def _value(self, path: Path) -> None:
        match self.text[self.position]:
            case '"' | "'":
                self._skip(_TEXT)
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._skip(_BARE)

    def _array(self, path: Path) -> None:
        self.position += 1
        index = 0
        self._skip(_GAP)
        while self.text[self.position] != "]":
            self.lines[(*path, index)] = self._here()
            self._value((*path, index))
            index += 1
            self._comma()
        self.position += 1

    def _inline_table(self, path: Path) -> None:
        self.position += 1
        self._skip(_GAP)
        while self.text[self.position] != "}":
            self._pair(path)
            self._comma()
        self.position += 1

    def _comma(self) -> None:
        self._skip(_GAP)
        if self.text[self.position] == ",":
            self.position += 1
            self._skip(_GAP)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        while self._skip(_DOT):
            keys.append(self._key())
        return keys

    def _key(self) -> str:
        written = self._skip(_KEY)
        if written[0] in "\"'":
            # Only the TOML reader itself undoes the escapes of a quoted key.
            return next(iter(tomllib.loads(f"{written} = 0")))
        return written

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def _here(self) -> int:
        """The line of the position; counted once over the whole walk."""
        self._line += self.text.count("\n", self._counted, self.position)
        self._counted = self.position
        return self._line
