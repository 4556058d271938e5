# SPDX-License-Identifier: Apache-2.0
"""Merge: one template and one row make one message, for one person.

``compile_draft`` reads the template once and cuts it into constant pieces and places.
Each row then costs a join and an encoding. A value is written so that it stays a
value: it cannot begin a header line, a second address, a link or a tag.
"""

import hashlib
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, Row
from undisclosed.send.markdown import Fork, Pieces, Place, Where, html_of, text_of
from undisclosed.send.message import File, Marks, Message, Shape, file_of
from undisclosed.send.template import (
    Choice,
    Field,
    Nodes,
    RowUnfit,
    TemplateError,
    Text,
    field_name,
    fields_of,
    parse,
    value_of,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MARKUP = re.compile(r"[&<>\"']")
_LEADS_TO = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_URL_SIGNS = ":/?#[]@!$&'()*+,;=-._~%"
_PAGE = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "</head>\n<body>\n",
    "</body></html>\n",
)

Values = Mapping[str, str]
Write = Callable[[str, Place, int], str]
Mask = Callable[[str], str]
"""How a value is written for who may not read it."""


class UnsafeValue(RowUnfit):
    """A row's value cannot stand where the template puts it."""

    def __init__(self, name: str, row: int, why: str) -> None:
        super().__init__(f'Row {row}: the value of "{name}" {why}.')
        self.name = name
        self.row = row


class MissingFile(RowUnfit):
    """A row names a file that is not among the campaign's."""

    def __init__(self, column: str, row: int) -> None:
        super().__init__(f'Row {row}: the file that "{column}" names is not there.')
        self.row = row


class NobodyToMail(RowUnfit):
    """A row has no address: this person is phoned or written to."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as people look at it: before it is encoded, and as it travels."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    raw: bytes = field(repr=False)


def compile_draft(
    draft: Draft, columns: Sequence[str], *, hostname: str = "localhost"
) -> "Template":
    """The template of a draft over the columns of a list. Raises TemplateError.

    ``hostname`` is the right side of Message-IDs.
    """
    names = names_of(columns)
    if "\n" in draft.subject.strip():
        raise TemplateError("A subject has one line.", 1)
    subject = parse(draft.subject.strip(), names)
    tree = parse(draft.markdown, names)
    return Template(draft, names, subject, tree, hostname)


def names_of(columns: Sequence[str]) -> Mapping[str, str]:
    """Field names and the columns that they stand for. Raises TemplateError."""
    names: dict[str, str] = {}
    for column in columns:
        name = field_name(column)
        if not name:
            continue
        if name in names:
            raise TemplateError(
                f'Two columns are both called "{name}" in templates.', 1
            )
        names[name] = column
    return MappingProxyType(names)


class Template:
    """A compiled draft. Safe to use from several threads."""

    def __init__(
        self,
        draft: Draft,
        names: Mapping[str, str],
        subject: Nodes,
        tree: Nodes,
        hostname: str,
    ) -> None:
        self.draft = draft
        self.fields = fields_of(subject) | fields_of(tree)
        self.constant_body = not fields_of(tree)
        self._names = names
        self._subject = _headline(subject)
        self._text, self._html = text_of(tree), html_of(tree)
        self._shape = Shape(
            author=draft.author,
            author_name=draft.author_name,
            reply_to=draft.reply_to,
            hostname=hostname,
        )
        self._for_all: list[File] = []
        self._by_column: dict[str, dict[str, File]] = {}
        for attached in draft.attachments:
            self._attach(attached)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns of the list by the names that fields have in templates."""
        return self._names

    def values_of(self, row: Row) -> Values:
        """The row's values by field name."""
        return {
            name: row.values.get(column, "") for name, column in self._names.items()
        }

    def message(self, row: Row, marks: Marks, *, mask: Mask | None = None) -> Message:
        """The row's message.

        With a mask its wording is the row's own, conditions included, and each value
        is written masked; a file of the row's own is there without its content.
        Raises MissingValue, UnsafeValue, MissingFile and NobodyToMail.
        """
        return self._message(row, marks, self._texts(row, mask), mask)

    def preview(self, row: Row, marks: Marks, *, mask: Mask | None = None) -> Preview:
        """What the row's message would be. Raises as ``message`` does."""
        texts = self._texts(row, mask)
        return Preview(*texts, self._message(row, marks, texts, mask).wire)

    def letter(self, row: Row) -> tuple[str, str]:
        """Subject and text, for a person who gets them on paper and needs no address.

        Raises MissingValue and UnsafeValue.
        """
        subject, text, _ = self._texts(row)
        return subject, text

    def own_parts(self, row: Row) -> tuple[bytes, ...]:
        """The attachments of the row's message, encoded as they travel."""
        return tuple(file.part for file in self._files(row))

    def constant_texts(self) -> tuple[str, ...]:
        """Everything that no row decides, as people read it; defaults among it."""
        return (
            *_constants(self._subject),
            *_constants(self._text),
            *map(html.unescape, _constants(self._html)),
        )

    def _message(
        self,
        row: Row,
        marks: Marks,
        texts: tuple[str, str, str],
        mask: Mask | None = None,
    ) -> Message:
        subject, text, page = texts
        files = self._files(row) if mask is None else self._masked_files(row, mask)
        return self._shape.message(_addressee(row), subject, (text, page), files, marks)

    def _texts(self, row: Row, mask: Mask | None = None) -> tuple[str, str, str]:
        values, number = self.values_of(row), row.number
        shown = values
        if mask is not None:
            shown = {name: mask(value) for name, value in values.items()}
        subject = _joined(self._subject, values, shown, number, _in_line)
        text = _joined(self._text, values, shown, number, _in_text)
        inner = _joined(self._html, values, shown, number, _in_html)
        return subject, text, inner.join(_PAGE)

    def _attach(self, attached: Attached) -> None:
        file = file_of(attached, hashlib.sha256(attached.content).digest())
        if attached.column:
            self._by_column.setdefault(attached.column, {})[attached.name] = file
        else:
            self._for_all.append(file)

    def _files(self, row: Row) -> list[File]:
        files = list(self._for_all)
        for column, by_name in self._by_column.items():
            found = by_name.get(row.values.get(column, "").strip())
            if found is None:
                raise MissingFile(column, row.number)
            files.append(found)
        return files

    def _masked_files(self, row: Row, mask: Mask) -> list[File]:
        """The same number of files; those of the row's own named and filled masked."""
        files = self._files(row)[: len(self._for_all)]
        for column in self._by_column:
            name = mask(row.values.get(column, "").strip().rpartition(".")[0])
            stand_in = Attached(name, "application/octet-stream", b"")
            files.append(file_of(stand_in, b""))
        return files


def _addressee(row: Row) -> Address:
    if row.address is None:
        raise NobodyToMail(row=row.number)
    return row.address


def _headline(tree: Nodes) -> Pieces:
    """A subject's pieces: there is no formatting in it."""
    pieces: list[str | Place | Fork] = []
    for node in tree:
        match node:
            case Text():
                pieces.append(node.text)
            case Field():
                pieces.append(Place(node))
            case Choice():
                named = tuple(
                    (test, _headline(branch)) for test, branch in node.branches
                )
                pieces.append(Fork(named, _headline(node.otherwise)))
    return tuple(pieces)


def _joined(
    pieces: Pieces, values: Values, shown: Values, row: int, write: Write
) -> str:
    """The text: conditions ask ``values``, places have those that are ``shown``."""
    written: list[str] = []
    _write_into(written, pieces, values, shown, row, write)
    return "".join(written)


def _write_into(
    written: list[str],
    pieces: Pieces,
    values: Values,
    shown: Values,
    row: int,
    write: Write,
) -> None:
    for piece in pieces:
        if isinstance(piece, str):
            written.append(piece)
        elif isinstance(piece, Place):
            written.append(write(value_of(piece.node, shown, row), piece, row))
        else:
            branch = next(
                (branch for test, branch in piece.branches if test.holds(values)),
                piece.otherwise,
            )
            _write_into(written, branch, values, shown, row, write)


def _in_line(value: str, place: Place, row: int) -> str:
    if not value.isprintable() and _LINE.search(value):
        raise UnsafeValue(place.node.name, row, "has a line break or a control sign")
    return value


def _in_text(value: str, place: Place, row: int) -> str:
    # What is printable, as nearly everything, has no control sign: asked much quicker.
    if not value.isprintable() and _CONTROL.search(value):
        raise UnsafeValue(place.node.name, row, "holds a control sign")
    if place.where is Where.TEXT:
        return value
    return _in_link(value, place, row)


def _in_html(value: str, place: Place, row: int) -> str:
    written = _in_text(value, place, row)
    if _MARKUP.search(written):
        written = html.escape(written)
    return written.replace("\n", "<br>\n") if place.where is Where.TEXT else written


def _in_link(value: str, place: Place, row: int) -> str:
    if place.where is Where.LINK:
        return quote(value, safe="")
    if not _LEADS_TO.match(value) or _LINE.search(value) or " " in value:
        raise UnsafeValue(place.node.name, row, "is no link (https://…)")
    return quote(value, safe=_URL_SIGNS)


def _constants(pieces: Pieces) -> list[str]:
    found: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            found.append(piece)
        elif isinstance(piece, Fork):
            for branch in (*(branch for _, branch in piece.branches), piece.otherwise):
                found += _constants(branch)
        elif piece.node.default is not None:
            found.append(value_of(piece.node, {}, 0))
    return found
