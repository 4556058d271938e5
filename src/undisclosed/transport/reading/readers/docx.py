# SPDX-License-Identifier: Apache-2.0
"""DOCX and PPTX: text, comments, tracked changes, hidden text, notes, links.

ECMA-376 part 1, §17 (WordprocessingML) and §19 (PresentationML).
"""

import re

from undisclosed.transport.reading.found import BROKEN, Broken, Findings
from undisclosed.transport.reading.readers.markup import (
    attribute,
    may_show,
    read_elements,
    show_markup,
    show_source,
)
from undisclosed.transport.reading.readers.package import Package
from undisclosed.transport.reading.readers.xlsx import is_markup

DOCUMENT = "attached document"
TRACKED_CHANGES = "attached document: tracked changes"
HIDDEN_TEXT = "attached document: hidden text"
FIELD = "attached document: field"
SLIDES = "attached slides"
HIDDEN_SLIDE = "attached slides: hidden slide"

DOCUMENT_CHANNELS = (
    (re.compile(r"(?i)/comments|/people\.xml"), "attached document: comment"),
    (re.compile(r"(?i)/header\d*\.xml|/footer\d*\.xml"),
     "attached document: header or footer"),
    (re.compile(r"(?i)/footnotes|/endnotes"), "attached document: note"),
    (re.compile(r"(?i)/_rels/|\.rels\Z"), "attached document: link"),
    (re.compile(r"(?i)docprops/|customxml/|/settings"),
     "attached document: properties"),
    (re.compile(r"(?i)recipientdata|/mailmerge"), "attached document: mail merge"),
)  # fmt: skip
"""Which files of a text document show what."""

SLIDE_CHANNELS = (
    (re.compile(r"(?i)/comments|/commentauthors|/authors"), "attached slides: comment"),
    (re.compile(r"(?i)/notesslides/|/notesmasters/"), "attached slides: notes"),
    (re.compile(r"(?i)/_rels/|\.rels\Z"), "attached slides: link"),
    (re.compile(r"(?i)docprops/|customxml/"), "attached slides: properties"),
)
"""Which files of a presentation show what."""

_SLIDE = re.compile(r"(?i)ppt/slides/[^/]*\.xml\Z")
_IS_HIDDEN_SLIDE = re.compile(rb'<(?:\w+:)?sld\b[^>]*\sshow="(?:0|false)"')
_SYMBOL = re.compile(rb"<(?:\w{1,20}:)?sym\b[^<>]*40[\"']")
_OFF = ("0", "false", "off", "none")


def read_docx(package: Package) -> None:
    """Read a text document."""
    findings = package.findings
    for name, content in package.files():
        channel = _channel(name, DOCUMENT_CHANNELS, DOCUMENT)
        if not is_markup(name, content):
            findings.open(channel, name, content)
        elif name.lower().startswith("word/") and "/_rels/" not in name.lower():
            _read_story(content, findings, channel)
        else:
            show_markup(content, findings, channel)


def read_pptx(package: Package) -> None:
    """Read a presentation."""
    findings = package.findings
    for name, content in package.files():
        channel = _channel(name, SLIDE_CHANNELS, SLIDES)
        if _SLIDE.search(name) and _IS_HIDDEN_SLIDE.search(content[:8192]):
            channel = HIDDEN_SLIDE
        if is_markup(name, content):
            show_markup(content, findings, channel)
        else:
            findings.open(channel, name, content)


def _channel(
    name: str, channels: tuple[tuple[re.Pattern[str], str], ...], other: str
) -> str:
    for pattern, channel in channels:
        if pattern.search(name):
            return channel
    return other


def _read_story(content: bytes, findings: Findings, channel: str) -> None:
    if not (may_show(content) or _SYMBOL.search(content)):
        return
    story = _Story(findings, channel)
    try:
        read_elements(content, story)
    except Broken:
        findings.doubt(BROKEN)
        show_source(content, findings, channel)
    story.close()


class _Story:
    """The paragraphs of one part, with what was deleted, hidden or is a field."""

    def __init__(self, findings: Findings, channel: str) -> None:
        self._findings = findings
        self._channel = channel
        self._visible: list[str] = []
        self._everything: list[str] = []
        self._fields: list[str] = []
        self._reads = ""
        self._has_deleted = self._has_hidden = self._is_hidden = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("t", "delText", "instrText", "delInstrText"):
            self._reads = name
        elif name == "r":
            self._is_hidden = False
        elif name in ("vanish", "webHidden"):
            self._is_hidden = attribute(attributes, "val").lower() not in _OFF
        elif name in ("tab", "br", "cr"):
            self._visible.append(" ")
            self._everything.append(" ")
        elif name == "sym":
            self._symbol(attribute(attributes, "char"))
        elif name == "p":
            self.close()
        for value in attributes.values():
            if "@" in value or "%40" in value:
                self._findings.show(self._channel, value)

    def _symbol(self, number: str) -> None:
        """A character by its number (§17.3.3.30); F000 and up are those of a font."""
        try:
            shown = chr(int(number, 16) & 0xFF)
        except ValueError:
            return
        self._everything.append(shown)
        if not self._is_hidden:
            self._visible.append(shown)

    def text(self, text: str) -> None:
        match self._reads:
            case "t":
                self._everything.append(text)
                self._has_hidden |= self._is_hidden
                if not self._is_hidden:
                    self._visible.append(text)
            case "delText":
                self._everything.append(text)
                self._has_deleted = True
            case "instrText" | "delInstrText":
                self._fields.append(text)
            case _:
                # Other vocabularies: equations, properties, what an extension adds.
                self._findings.show(self._channel, text)

    def end(self, name: str) -> None:
        if name == self._reads:
            self._reads = ""
        elif name == "p":
            self.close()

    def close(self) -> None:
        """A paragraph is over: show it as it is, and with what is not seen in it."""
        show = self._findings.show
        show(self._channel, "".join(self._visible))
        if self._has_deleted or self._has_hidden:
            unseen = TRACKED_CHANGES if self._has_deleted else HIDDEN_TEXT
            show(unseen, "".join(self._everything))
        show(FIELD, "".join(self._fields))
        self._visible.clear()
        self._everything.clear()
        self._fields.clear()
        self._has_deleted = self._has_hidden = False
