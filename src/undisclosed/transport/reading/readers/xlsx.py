# SPDX-License-Identifier: Apache-2.0
"""XLSX and XLSM: every sheet, row and column, the hidden ones by their own channel.

ECMA-376 part 1, §18 (SpreadsheetML). Texts that no cell shows any more (the string
table, pivot caches, external links) are in the file for whoever looks.
"""

import posixpath
import re
from collections.abc import Container
from dataclasses import dataclass, field

from undisclosed.core.text import has_at_sign
from undisclosed.transport.reading.found import BROKEN, Broken, Findings, unescaped
from undisclosed.transport.reading.readers.markup import (
    attribute,
    may_show,
    read_elements,
    show_markup,
    show_source,
)
from undisclosed.transport.reading.readers.package import Package

TABLE = "attached table"
HIDDEN_SHEET = "attached table: hidden sheet"
HIDDEN_ROW = "attached table: hidden row"
HIDDEN_COLUMN = "attached table: hidden column"
DEFINED_NAME = "attached table: defined name"
HEADER_OR_FOOTER = "attached table: header or footer"
LEFT_OVER = "attached table: left-over text"
LINK = "attached table: link"

CHANNELS = (
    (re.compile(r"(?i)/comments|/threadedcomments/|/persons/|vmldrawing"),
     "attached table: comment"),
    (re.compile(r"(?i)/pivot"), "attached table: pivot cache"),
    (re.compile(r"(?i)/externallinks/"), "attached table: external link"),
    (re.compile(r"(?i)docprops/|customxml/"), "attached table: properties"),
    (re.compile(r"(?i)/connections|/querytables/|/slicer"),
     "attached table: data source"),
    (re.compile(r"(?i)/drawings/|/charts/|/diagrams/"), "attached table: drawing"),
    (re.compile(r"(?i)/_rels/|\.rels\Z"), LINK),
)  # fmt: skip
"""Which files of a package show what."""

_LOOKED_AT = 64
_BEFORE_MARKUP = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-Fa-f]{6}|\d+|[A-Za-z])')
_AT_SIGN = re.compile(r"(?i)\b(?:uni)?char\(\s*64\s*\)")
_AT_SIGN_IN_FORMULA = re.compile(rb"[Cc][Hh][Aa][Rr]\(\s*64")
_JOINED = re.compile(r'"\s{0,9}[&,;]\s{0,9}"')
_COLUMN = re.compile(r"[A-Za-z]{1,3}")
_LAST_COLUMN = 16_384
_PLAIN_CELL = re.compile(
    rb'<c r="[A-Z]{1,3}\d{1,7}"(?![^<>]*\bt="s")[^<>@&%\x80-\xff]*>'
    rb"(?:[^<>@&%\x80-\xff]*<(?!/c>|c\b)[^<>@&%\x80-\xff]*>)*"
    rb"[^<>@&%\x80-\xff]*</c>"
)
_SHARED_CELL = re.compile(
    rb'<c r="[A-Z]{1,3}\d{1,7}"[^<>]*\bt="s"[^<>]*><v>(\d{1,9})</v></c>'
)


def channel_of(name: str) -> str:
    """The channel of a file of the package, by its name."""
    for pattern, channel in CHANNELS:
        if pattern.search(name):
            return channel
    return TABLE


def put_together(formula: str) -> str:
    """A formula with the texts that it joins as one: ``"ann" & "@a.example"``.

    Programs work a formula out as they open a file that holds no value for it.
    """
    return _JOINED.sub("", _AT_SIGN.sub('"@"', formula))


def printed(text: str) -> str:
    """A header or footer without the codes of its format (§18.3.1.46)."""
    return _CODE.sub(" ", text)


def is_markup(name: str, content: bytes) -> bool:
    """Whether a file of an office package is XML, whatever it is called there."""
    return name.lower().endswith((".xml", ".rels", ".vml")) or (
        content[:_LOOKED_AT].lstrip(_BEFORE_MARKUP).startswith((b"<?xml", b"<\0?\0x"))
    )


def read_xlsx(package: Package) -> None:
    """Read a workbook of XML parts."""
    findings = package.findings
    workbook = _Workbook()
    _read(package.file("xl/workbook.xml"), workbook, findings)
    for text in workbook.names:
        findings.show(DEFINED_NAME, text)
    states = _states(package, workbook)
    strings = _Strings()
    _read(package.file("xl/sharedStrings.xml"), strings, findings)
    shown: set[int] = set()
    for name, content in package.files():
        place = name.lower()
        if re.search(r"/(?:worksheets|dialogsheets|macrosheets)/[^/]*\.xml\Z", place):
            sheet = _Sheet(findings, strings.texts, states.get(place, TABLE), shown)
            if (
                strings.texts
                or may_show(content)
                or _AT_SIGN_IN_FORMULA.search(content)
            ):
                _read(without_plain_cells(content, strings.texts), sheet, findings)
        elif place in ("xl/sharedstrings.xml", "xl/workbook.xml"):
            continue
        elif is_markup(place, content):
            show_markup(content, findings, channel_of(place))
        else:
            findings.open(channel_of(place), name, content)
    for number, text in strings.texts.items():
        if number not in shown:
            findings.show(LEFT_OVER, text)


def without_plain_cells(sheet: bytes, strings: Container[int]) -> bytes:
    """The XML of a sheet less the cells that name their place and hold no at sign.

    ``strings`` are the numbers of the shared strings with one. Most cells of a table
    hold none, and every element of XML costs a call.
    """

    def kept(cell: re.Match[bytes]) -> bytes:
        return cell[0] if int(cell[1]) in strings else b""

    if b"_x" in sheet or _AT_SIGN_IN_FORMULA.search(sheet):
        return sheet
    return _SHARED_CELL.sub(kept, _PLAIN_CELL.sub(b"", sheet))


def _read(
    content: bytes, elements: "_Workbook | _Strings | _Sheet", findings: Findings
) -> None:
    if not content:
        return
    try:
        read_elements(content, elements)
    except Broken:
        findings.doubt(BROKEN)
        show_source(content, findings, TABLE)


def _states(package: Package, workbook: "_Workbook") -> dict[str, str]:
    """The channel of each sheet's file, lower-case, that is not shown as it opens."""
    targets = sheet_targets(package, "xl/_rels/workbook.xml.rels")
    return {
        targets.get(relation, ""): HIDDEN_SHEET
        for relation, state in workbook.sheets
        if state != "visible"
    }


def sheet_targets(package: Package, name: str) -> dict[str, str]:
    """Which file, lower-case, each relation of a workbook leads to."""
    targets = _Targets()
    content = package.file(name)
    try:
        read_elements(content, targets)
    except Broken:
        if content:
            package.findings.doubt(BROKEN)
    places = {}
    for relation, target in targets.of.items():
        place = target if target.startswith("/") else f"xl/{target}"
        places[relation] = posixpath.normpath(place).lstrip("/").lower()
    return places


class _Targets:
    """Which file each relation leads to (ECMA-376 part 2, §9.3)."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            self.of[attributes.get("Id", "")] = attributes.get("Target", "")

    def text(self, text: str) -> None:
        """Relations hold no text."""

    def end(self, name: str) -> None:
        """Nothing ends."""


@dataclass
class _Workbook:
    """The sheets with their state (§18.2.19), and what names stand for (§18.2.5)."""

    sheets: list[tuple[str, str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    _pieces: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            state = attributes.get("state", "visible")
            self.sheets.append((attribute(attributes, "id"), state))
        elif name == "definedName":
            self._pieces = []
        self.names += [value for value in attributes.values() if has_at_sign(value)]

    def text(self, text: str) -> None:
        if self._pieces is not None:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        if name == "definedName" and self._pieces is not None:
            self.names.append("".join(self._pieces))
            self._pieces = None


class _Strings:
    """The strings of the table that hold an at sign, by their number (§18.4.9)."""

    def __init__(self) -> None:
        self.texts: dict[int, str] = {}
        self._number = 0
        self._pieces: list[str] = []
        self._readings: list[str] = []
        self._is_reading = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._pieces.clear()
            self._readings.clear()
        elif name == "rPh":
            # How the text is read aloud (§18.4.6) stands above it, not in it.
            self._is_reading = True
            self._readings.append("\n")

    def text(self, text: str) -> None:
        (self._readings if self._is_reading else self._pieces).append(text)

    def end(self, name: str) -> None:
        if name == "rPh":
            self._is_reading = False
        if name != "si":
            return
        text = "".join(self._pieces + self._readings)
        if has_at_sign(unescaped(text)):
            self.texts[self._number] = text
        self._number += 1


class _Sheet:
    """One sheet (§18.3): its cells, by what hides them."""

    def __init__(
        self,
        findings: Findings,
        strings: dict[int, str],
        channel: str,
        shown: set[int],
    ) -> None:
        self._findings = findings
        self._strings = strings
        self._channel = channel
        self._shown = shown
        self._hidden_columns: list[tuple[int, int]] = []
        self._is_hidden_row = False
        self._column = 0
        self._kind = ""
        self._pieces: list[str] = []
        self._formula = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "c":
                self._cell(attributes)
            case "row":
                self._is_hidden_row = _is_true(attributes.get("hidden", ""))
                self._column = 0
                self._pieces.clear()
            case "col":
                self._hide(attributes)
            case "v" | "f":
                self._pieces.clear()
            case "hyperlink" | "dataValidation" | "filter" | "customFilter":
                for value in attributes.values():
                    self._findings.show(self._channel, value)
            case _:
                pass

    def text(self, text: str) -> None:
        self._pieces.append(text)

    def end(self, name: str) -> None:
        if name == "v":
            self._value("".join(self._pieces))
        elif name in ("is", "f", "formula1", "formula2"):
            text = "".join(self._pieces)
            self._findings.show(self._where(), text)
            if name != "is" and (made := put_together(text)) != text:
                self._findings.show(self._where(), made)
        elif name.endswith(("Header", "Footer")):
            self._findings.show(HEADER_OR_FOOTER, printed("".join(self._pieces)))
        elif name in ("t", "r", "rPr"):
            return  # One text may be made of several runs.
        self._pieces.clear()

    def _cell(self, attributes: dict[str, str]) -> None:
        self._kind = attributes.get("t", "")
        letters = _COLUMN.match(attributes.get("r", ""))
        self._column = _number_of(letters[0]) if letters else self._column + 1
        self._pieces.clear()

    def _hide(self, attributes: dict[str, str]) -> None:
        if not _is_true(attributes.get("hidden", "")):
            return
        try:
            first = int(attributes.get("min", "1"))
            last = int(attributes.get("max", str(_LAST_COLUMN)))
        except ValueError:
            first, last = 1, _LAST_COLUMN
        self._hidden_columns.append((first, last))

    def _value(self, value: str) -> None:
        if self._kind != "s":
            self._findings.show(self._where(), value)
            return
        try:
            number = int(value)
        except ValueError:
            return
        if number in self._strings:
            self._shown.add(number)
            self._findings.show(self._where(), self._strings[number])

    def _where(self) -> str:
        """The channel of the cell that is read."""
        if self._channel != TABLE:
            return self._channel
        if self._is_hidden_row:
            return HIDDEN_ROW
        if any(first <= self._column <= last for first, last in self._hidden_columns):
            return HIDDEN_COLUMN
        return self._channel


def _is_true(value: str) -> bool:
    return value in ("1", "true")


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
