# SPDX-License-Identifier: Apache-2.0
"""ODS, ODT, ODP and other OpenDocument packages (ISO/IEC 26300, OASIS ODF 1.3).

Tables that a style hides, rows and columns that are collapsed or filtered away,
annotations and tracked changes have channels of their own.
"""

from undisclosed.transport.reading.found import (
    BROKEN,
    PROTECTED,
    Broken,
    Findings,
)
from undisclosed.transport.reading.readers.markup import (
    attribute,
    may_show,
    read_elements,
    show_markup,
    show_source,
)
from undisclosed.transport.reading.readers.package import Package
from undisclosed.transport.reading.readers.xlsx import is_markup, put_together

KINDS = {"spreadsheet": "table", "presentation": "slides", "graphics": "drawing"}
"""What users call each type; others are a document."""

_SPACES = frozenset({"tab", "line-break", "s"})
_INLINE = _SPACES | {
    "span", "a", "bookmark", "bookmark-start", "bookmark-end", "soft-page-break",
    "change", "change-start", "change-end", "reference-mark", "reference-mark-start",
    "reference-mark-end", "ruby", "ruby-base", "annotation-end",
}  # fmt: skip
"""Elements inside a paragraph at whose end a word goes on."""

_APART = {
    "annotation": "comment",
    "tracked-changes": "tracked changes",
    "named-expressions": "defined name",
    "note": "note",
    "ruby-text": "note",
}
"""What stands inside the text without being part of it, and what users call it."""

_MOST_REPEATED = 1_048_576


def read_odf(package: Package) -> None:
    """Read an OpenDocument package."""
    findings = package.findings
    mimetype = package.file("mimetype").decode("latin-1")
    kind = next((word for name, word in KINDS.items() if name in mimetype), "document")
    channel = f"attached {kind}"
    if b"encryption-data" in package.file("META-INF/manifest.xml"):
        findings.doubt(PROTECTED)
    for name, content in package.files():
        place = name.lower()
        if not is_markup(place, content):
            findings.open(channel, name, content)
        elif place.endswith("content.xml"):
            _read_content(content, findings, channel)
        elif place.endswith("styles.xml"):
            show_markup(content, findings, f"{channel}: header or footer")
        elif place.endswith("meta.xml"):
            show_markup(content, findings, f"{channel}: properties")
        else:
            show_markup(content, findings, channel)


def _read_content(content: bytes, findings: Findings, channel: str) -> None:
    if not may_show(content):
        return
    elements = _Content(findings, channel)
    try:
        read_elements(content, elements)
    except Broken:
        findings.doubt(BROKEN)
        show_source(content, findings, channel)


class _Content:
    """The body of a document, paragraph by paragraph, with what hides each."""

    def __init__(self, findings: Findings, channel: str) -> None:
        self._findings = findings
        self._channel = channel
        self._hiding_styles: set[str] = set()
        self._style = ""
        self._pieces: list[str] = []
        self._inside: list[tuple[str, list[str]]] = []
        self._is_hidden_table = self._is_hidden_row = False
        self._hidden_columns: list[tuple[int, int]] = []
        self._columns = self._column = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A style, a part of a table, or something apart inside a paragraph."""
        if name in _APART:
            self._inside.append((name, self._pieces))
            self._pieces = []
        elif name in _SPACES:
            self._pieces.append(" ")
        elif name.startswith("table") or name == "covered-table-cell":
            self._table(name, attributes)
        elif name == "style":
            self._style = attribute(attributes, "name")
        for value in attributes.values():
            if "@" in value or "%40" in value:
                self._findings.show(self._where(), value)
                self._findings.show(self._where(), put_together(value))

    def _table(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "table-properties":
                if attribute(attributes, "display") == "false":
                    self._hiding_styles.add(self._style)
            case "table":
                hiding = attribute(attributes, "style-name") in self._hiding_styles
                self._is_hidden_table = hiding
                self._hidden_columns, self._columns = [], 0
            case "table-column":
                self._add_columns(attributes)
            case "table-row":
                self._is_hidden_row = _is_hidden(attributes)
                self._column = 0
            case "table-cell" | "covered-table-cell":
                self._column += _repeated(attributes)
            case _:
                pass

    def text(self, text: str) -> None:
        """A piece of a paragraph."""
        self._pieces.append(text)

    def end(self, name: str) -> None:
        """The end of a paragraph, or of what stands apart in one."""
        if name not in _INLINE:
            self._findings.show(self._where(), "".join(self._pieces))
            self._pieces.clear()
        if self._inside and name == self._inside[-1][0]:
            _, self._pieces = self._inside.pop()
        if name == "table":
            self._is_hidden_table = False

    def _add_columns(self, attributes: dict[str, str]) -> None:
        number = _repeated(attributes)
        if _is_hidden(attributes):
            self._hidden_columns.append((self._columns + 1, self._columns + number))
        self._columns += number

    def _where(self) -> str:
        if self._inside:
            return f"{self._channel}: {_APART[self._inside[-1][0]]}"
        if self._is_hidden_table:
            return f"{self._channel}: hidden sheet"
        if self._is_hidden_row:
            return f"{self._channel}: hidden row"
        if any(first <= self._column <= last for first, last in self._hidden_columns):
            return f"{self._channel}: hidden column"
        return self._channel


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attribute(attributes, "visibility") in ("collapse", "filter")


def _repeated(attributes: dict[str, str]) -> int:
    try:
        number = int(attribute(attributes, "number-columns-repeated") or 1)
    except ValueError:
        return 1
    return min(max(number, 1), _MOST_REPEATED)
