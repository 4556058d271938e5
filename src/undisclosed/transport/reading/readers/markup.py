# SPDX-License-Identifier: Apache-2.0
"""XML of office documents, read as a stream of elements without their namespaces.

Entities of a document's own are refused: no office program writes them, and they
unfold to any size.
"""

from collections.abc import Callable
from typing import Protocol
from xml.parsers import expat

from undisclosed.core.text import html_has_at_sign, html_sources
from undisclosed.transport.reading.found import BROKEN, Broken, Findings
from undisclosed.transport.reading.readers.plain import text_of

INLINE = frozenset(
    {
        "t", "r", "span", "a", "font", "b", "i", "u", "s", "ins", "del", "hyperlink",
        "fld", "smartTag", "rPh", "ss",
    }
)  # fmt: skip
"""Elements at whose end a word may go on: runs of one paragraph."""


_SIGNS = (b"@", b"%40", b"&#", b"_x")
"""An at sign, or what may stand for one."""


class Elements(Protocol):
    """What is told the elements of a stream."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, text: str) -> None:
        """Characters between tags; a text may come in several pieces."""

    def end(self, name: str) -> None:
        """An element ends."""


def read_elements(content: bytes, elements: Elements) -> None:
    """Tell every element of an XML document. Raises Broken at its first fault."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.EntityDeclHandler = _refuse_entities
    start, end, known = elements.start, elements.end, _LocalNames()
    parser.StartElementHandler = lambda name, attributes: start(known[name], attributes)
    parser.EndElementHandler = lambda name: end(known[name])
    parser.CharacterDataHandler = elements.text
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError):
        raise Broken from None


class _LocalNames(dict[str, str]):
    """Names of elements without their prefix; there are few, and they come often."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name[name.find(":") + 1 :]
        return local


def _refuse_entities(*_: object) -> None:
    raise Broken


def attribute(attributes: dict[str, str], name: str) -> str:
    """An attribute's value, whatever its namespace; empty where there is none."""
    for given, value in attributes.items():
        if given[given.find(":") + 1 :] == name:
            return value
    return ""


class Paragraphs:
    """Every text and every attribute of a document, paragraph by paragraph.

    A text ends with the element that it stands in, unless that is one of ``INLINE``;
    elements without text (formats) end nothing.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._pieces: list[str] = []
        self._said = 0
        self._before: list[int] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Attributes hold addresses, too: targets of links, authors, tool tips."""
        self._before.append(self._said)
        for value in attributes.values():
            if "@" in value or "%40" in value or not value.isascii():
                self._show(value)

    def text(self, text: str) -> None:
        """A piece of a paragraph."""
        self._pieces.append(text)
        self._said += not text.isspace()

    def end(self, name: str) -> None:
        """An element that held text and is more than a run ends a paragraph."""
        if self._before.pop() < self._said and name not in INLINE:
            self.close()

    def close(self) -> None:
        """A paragraph is over."""
        self._show("".join(self._pieces))
        self._pieces.clear()


def show_markup(content: bytes, findings: Findings, channel: str) -> None:
    """Show everything that an XML document says; broken ones as far as they go."""
    if not may_show(content):
        return
    paragraphs = Paragraphs(lambda text: findings.show(channel, text))
    try:
        read_elements(content, paragraphs)
    except Broken:
        findings.doubt(BROKEN)
        show_source(content, findings, channel)
    paragraphs.close()


def show_source(content: bytes, findings: Findings, channel: str) -> None:
    """Show the source of XML that no parser reads."""
    findings.show(channel, html_sources(text_of(content)))


def may_show(content: bytes) -> bool:
    """Whether an at sign may be in it: most files of a package hold none."""
    if any(sign in content for sign in _SIGNS):
        return True
    return not content.isascii() and html_has_at_sign(text_of(content))
