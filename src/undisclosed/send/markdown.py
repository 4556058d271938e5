# SPDX-License-Identifier: Apache-2.0
"""Markdown to HTML and to plain text, with the places where fields stand kept.

Fields and the tags of conditions become words that Markdown leaves alone; the text is
rendered once, and cut at these words. So a row's value is never read as Markdown nor
as HTML: it is written into a place that is known to be text, or part of a link.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from markdown_it import MarkdownIt

from undisclosed.send.plain_text import LINK_BEGINS, LINK_ENDS, plain_text
from undisclosed.send.template import (
    Choice,
    Condition,
    Field,
    Node,
    Nodes,
    TemplateError,
    Text,
)

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)\b[^<>]*>", re.IGNORECASE)
_VOID = frozenset({"br", "hr", "img"})
_IN_LINK = re.compile(rf'(?:\b(?:href|src)="|{LINK_BEGINS})([^"{LINK_ENDS}]*)\Z')
_MARKS = str.maketrans("", "", LINK_BEGINS + LINK_ENDS)
_IN_ATTRIBUTE = re.compile(r'<[^<>]*="[^"]*\Z')
_BLANK = re.compile(r"[ \t]*\Z")
_REST_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_NUMBER = 6
_TORN = "A condition begins and ends in different places of the formatting."


class Where(Enum):
    """What a field's value is written into."""

    TEXT = "text"
    LINK = "link"  # a part of an address of the web
    WHOLE_LINK = "whole link"  # its beginning: the value says where it leads


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands."""

    node: Field
    where: Where = Where.TEXT


@dataclass(frozen=True, slots=True)
class Fork:
    """A condition around rendered pieces."""

    branches: tuple[tuple[Condition, "Pieces"], ...]
    otherwise: "Pieces" = ()


Piece = str | Place | Fork
Pieces = tuple[Piece, ...]


def html_of(tree: Nodes) -> Pieces:
    """The HTML of a template's text. Raises TemplateError."""
    marked = _Marked(tree)
    alone = re.compile(rf"<p>\s*({marked.tag})\s*</p>\n?")
    rendered = alone.sub(r"\1", _MARKDOWN.render(marked.source))
    pieces = marked.cut(rendered)
    _refuse_torn(pieces)
    return pieces


def text_of(tree: Nodes) -> Pieces:
    """The plain text of a template's text: links are spelled out behind their words.

    Raises TemplateError.
    """
    marked = _Marked(tree)
    alone = re.compile(rf"^[ \t]*({marked.tag})[ \t]*\n(?:[ \t]*\n)?", re.MULTILINE)
    rendered = alone.sub(r"\1", plain_text(_MARKDOWN.parse(marked.source)))
    return _without_marks(marked.cut(rendered))


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that stands for a field (V), a branch's beginning (B) or its end (E)."""

    kind: str
    number: int


class _Marked:
    """A template whose fields and tags are words, and what each word stands for."""

    def __init__(self, tree: Nodes) -> None:
        self.fields: list[Field] = []
        self.choices: list[Choice] = []
        constant = "".join(_texts(tree))
        self.prefix = "Qf"
        while self.prefix in constant:
            self.prefix += "q"
        self.tag = rf"{self.prefix}[BE]\d{{{_NUMBER}}}"
        self.source = self._marked(tree)

    def cut(self, rendered: str) -> Pieces:
        """The rendered text cut at its words."""
        pieces, rest = self._branch(list(self._parts(rendered)), 0, None)
        if rest >= 0:
            raise TemplateError(_TORN, 1)
        return pieces

    def _word(self, kind: str, number: int) -> str:
        return f"{self.prefix}{kind}{number:0{_NUMBER}d}"

    def _marked(self, tree: Nodes) -> str:
        written = ""
        for position, node in enumerate(tree):
            match node:
                case Text():
                    written += node.text
                case Field():
                    self.fields.append(node)
                    written += self._word("V", len(self.fields) - 1)
                case Choice():
                    is_block = _stands_alone(node, written, tree[position + 1 :])
                    written += self._choice(node, "\n\n" if is_block else "")
        return written

    def _choice(self, node: Choice, space: str) -> str:
        self.choices.append(node)
        number = len(self.choices) - 1
        written = ""
        for branch in (*(branch for _, branch in node.branches), node.otherwise):
            written += f"{space}{self._word('B', number)}{space}{self._marked(branch)}"
        return f"{written}{space}{self._word('E', number)}{space}"

    def _parts(self, rendered: str) -> Iterator[str | _Word]:
        at = 0
        for found in re.finditer(rf"{self.prefix}([VBE])(\d{{{_NUMBER}}})", rendered):
            if found.start() > at:
                yield rendered[at : found.start()]
            yield _Word(found[1], int(found[2]))
            at = found.end()
        if at < len(rendered):
            yield rendered[at:]

    def _branch(
        self, parts: list[str | _Word], at: int, of: int | None
    ) -> tuple[Pieces, int]:
        """Pieces up to the next tag of the choice; -1 at the end of the text."""
        pieces: list[Piece] = []
        before = ""
        while at < len(parts):
            match parts[at]:
                case str() as text:
                    pieces.append(text)
                    before += text
                case _Word("V", number):
                    pieces.append(Place(self.fields[number], _where(before)))
                    before += "x"
                case _Word("B", number) if number != of:
                    if _IN_LINK.search(before) or _IN_ATTRIBUTE.search(before):
                        raise TemplateError("A condition stands inside a link.", 1)
                    fork, at = self._fork(parts, at, number)
                    pieces.append(fork)
                    continue
                case _Word():
                    return tuple(pieces), at
            at += 1
        return tuple(pieces), -1

    def _fork(self, parts: list[str | _Word], at: int, number: int) -> tuple[Fork, int]:
        conditions = [condition for condition, _ in self.choices[number].branches]
        branches: list[Pieces] = []
        for _ in range(len(conditions) + 1):
            if at < 0 or parts[at] != _Word("B", number):
                raise TemplateError(_TORN, 1)
            pieces, at = self._branch(parts, at + 1, number)
            branches.append(pieces)
        if at < 0 or parts[at] != _Word("E", number):
            raise TemplateError(_TORN, 1)
        named = tuple(zip(conditions, branches, strict=False))
        return Fork(named, branches[-1]), at + 1


def _stands_alone(node: Choice, before: str, after: Nodes) -> bool:
    """Whether every tag of a condition stands on a line of its own."""
    branches = [branch for _, branch in node.branches]
    if node.otherwise:
        branches.append(node.otherwise)
    return _BLANK.fullmatch(before.rpartition("\n")[2]) is not None and all(
        map(_begins_line, (*branches, after))
    )


def _begins_line(tree: Nodes) -> bool:
    first = tree[0] if tree else Text("")
    return isinstance(first, Text) and _REST_OF_LINE.match(first.text) is not None


def _where(before: str) -> Where:
    link = _IN_LINK.search(before)
    if link is None:
        return Where.TEXT
    return Where.LINK if link[1] else Where.WHOLE_LINK


def _texts(tree: Sequence[Node]) -> Iterator[str]:
    for node in tree:
        if isinstance(node, Text):
            yield node.text
        elif isinstance(node, Choice):
            for _, branch in node.branches:
                yield from _texts(branch)
            yield from _texts(node.otherwise)


def _refuse_torn(pieces: Pieces) -> None:
    """Each branch closes the tags that it opens, whichever way a row takes."""
    open_tags: list[str] = []
    constant = "".join(
        piece if isinstance(piece, str) else "x" * isinstance(piece, Place)
        for piece in pieces
    )
    for closing, name in _TAG.findall(constant):
        if name in _VOID:
            continue
        if not closing:
            open_tags.append(name)
        elif not open_tags or open_tags.pop() != name:
            raise TemplateError(_TORN, 1)
    if open_tags:
        raise TemplateError(_TORN, 1)
    for piece in pieces:
        if isinstance(piece, Fork):
            for branch in (*(branch for _, branch in piece.branches), piece.otherwise):
                _refuse_torn(branch)


def _without_marks(pieces: Pieces) -> Pieces:
    """The pieces without the signs that say where a link begins and ends."""
    cleaned: list[Piece] = []
    for piece in pieces:
        match piece:
            case str():
                cleaned.append(piece.translate(_MARKS))
            case Fork():
                branches = tuple(
                    (condition, _without_marks(branch))
                    for condition, branch in piece.branches
                )
                cleaned.append(Fork(branches, _without_marks(piece.otherwise)))
            case Place():
                cleaned.append(piece)
    return tuple(cleaned)
