# SPDX-License-Identifier: Apache-2.0
"""TNEF and MSG: Outlook's messages, shown as the messages that they are.

Who wrote a message and to whom is given as a header block (RFC 5322), so that it is
read like that of any attached message; the rest as text.
"""

import re

import olefile  # type: ignore[import-untyped]

from undisclosed.core.recall import is_recall_class
from undisclosed.formats import mapi
from undisclosed.formats.rtf import decompress
from undisclosed.formats.tnef import read_tnef as tnef_of
from undisclosed.transport.reading.found import BROKEN, Broken, Findings, TooMuch
from undisclosed.transport.reading.readers.compound import read_stream
from undisclosed.transport.reading.readers.plain import show_text
from undisclosed.transport.reading.readers.rtf import show_rtf
from undisclosed.transport.reading.readers.sweep import sweep, texts_in

CUT = "Outlook's own data in it could not be read whole."
ATTACHMENT = "attached message: attachment"
PROPERTIES = "attached message: properties"
TEXT = "attached message: text"

_LINE_ENDS = re.compile(r"[\r\n\0]+")
_KEY = re.compile(r"\A(?:smtp|mailto):", re.IGNORECASE)
_DEEPEST = 8
_HEADER = 32
"""Bytes before the numbers of a message file (MS-OXMSG §2.4.1.1)."""

_RECIPIENTS, _ATTACHMENTS = "__recip_version1.0_#", "__attach_version1.0_#"
_VALUES, _FIXED_VALUES = "__substg1.0_", "__properties_version1.0"
_FIXED_SIZE = 16


def read_tnef(content: bytes, findings: Findings) -> None:
    """Read ``winmail.dat``."""
    message = tnef_of(content)
    if is_recall_class(message.text(mapi.MESSAGE_CLASS)):
        findings.recall()
    if message.is_cut:
        findings.doubt(CUT)
        sweep(content, findings, PROPERTIES)
    show_message(message, findings)


def read_msg(file: olefile.OleFileIO, findings: Findings) -> None:
    """Read a message file (MS-OXMSG), opened as a compound file."""
    message = _message(_Storage(file, findings), (), 0)
    if message.is_cut:
        findings.doubt(BROKEN)
    show_message(message, findings)


def show_message(message: mapi.MapiMessage, findings: Findings) -> None:
    """Show a message: its header block, its texts, what is attached to it."""
    header = header_of(message)
    if header:
        findings.message(header)
    headers = message.text(mapi.TRANSPORT_HEADERS)
    if headers:
        findings.message(headers.encode("utf-8", "replace"))
    for number, values in message.properties.items():
        for value in values:
            _show_value(number, value, findings)
    for attachment in message.attachments:
        findings.show(ATTACHMENT, attachment.name)
        if attachment.message is not None:
            show_message(attachment.message, findings)
        else:
            findings.open(ATTACHMENT, attachment.name, attachment.content)


def _show_value(number: int, value: mapi.Value, findings: Findings) -> None:
    if number in (mapi.TRANSPORT_HEADERS, *mapi.FIELDS_OF_PROPERTIES):
        return
    if isinstance(value, bytes):
        if number == mapi.COMPRESSED_RTF:
            show_rtf(decompress(value), findings, TEXT)
        elif number == mapi.HTML_BODY:
            show_text(value, findings, TEXT)
        elif number not in (mapi.ATTACH_DATA, mapi.MESSAGE_RECIPIENTS):
            sweep(value, findings, PROPERTIES)
    elif isinstance(value, str):
        body = number in (mapi.BODY, mapi.HTML_BODY)
        if body:
            show_text(value.encode("utf-8", "replace"), findings, TEXT)
        else:
            findings.show(PROPERTIES, value)


def header_of(message: mapi.MapiMessage) -> bytes:
    """Senders, recipients and subject as fields; empty where nobody is named."""
    named: dict[str, dict[str, None]] = {}
    for number, value in mapi.texts(message.properties):
        name = mapi.FIELDS_OF_PROPERTIES.get(number)
        if name and "@" in value:
            named.setdefault(name, {})[_in_one_line(value)] = None
    for recipient in message.recipients:
        kinds = recipient.get(mapi.RECIPIENT_TYPE, [1])
        kind = kinds[0] if kinds and isinstance(kinds[0], int) else 1
        name = mapi.FIELDS_OF_RECIPIENTS.get(kind & 0xF, "To")
        for value in _names_of(recipient):
            named.setdefault(name, {})[value] = None
    lines = [
        f"{name}: " + ",\r\n ".join(values) for name, values in sorted(named.items())
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") if lines else b""


def _names_of(recipient: mapi.Properties) -> list[str]:
    """Every spelling of a recipient that names an address."""
    found: dict[str, None] = {}
    # An identifier of an entry holds its address in so many letters
    # (MS-OXCDATA §2.2.5.1), and may be all that is there.
    identifiers = (
        text
        for values in recipient.values()
        for value in values
        if isinstance(value, bytes)
        for text in texts_in(value)
    )
    for value in (*(text for _, text in mapi.texts(recipient)), *identifiers):
        plain = _KEY.sub("", _in_one_line(value))
        if "@" in plain:
            found[plain] = None
    return list(found)


def _in_one_line(text: str) -> str:
    return _LINE_ENDS.sub(" ", text).strip()


class _Storage:
    """The streams of a message file, by the storage that holds them."""

    def __init__(self, file: olefile.OleFileIO, findings: Findings) -> None:
        self.file = file
        self.findings = findings
        self.streams: dict[tuple[str, ...], list[str]] = {}
        for path in file.listdir(streams=True, storages=False):
            self.streams.setdefault(tuple(path[:-1]), []).append(path[-1])
            for end in range(len(path) - 1):
                self.streams.setdefault(tuple(path[:end]), [])

    def inside(self, storage: tuple[str, ...], prefix: str) -> list[tuple[str, ...]]:
        """The storages in this one whose name begins so."""
        size = len(storage)
        found = {
            path[: size + 1]: None
            for path in self.streams
            if path[:size] == storage
            and len(path) > size
            and path[size].startswith(prefix)
        }
        return list(found)

    def read(self, path: tuple[str, ...]) -> bytes:
        """The bytes of a stream. Raises Broken and TooMuch."""
        return read_stream(self.file, path, self.findings)


def _message(
    source: _Storage, storage: tuple[str, ...], depth: int
) -> mapi.MapiMessage:
    if depth > _DEEPEST:
        raise TooMuch
    properties, is_cut = _properties(source, storage)
    recipients = []
    for one in source.inside(storage, _RECIPIENTS):
        recipient, is_broken = _properties(source, one)
        is_cut |= is_broken
        recipients.append(recipient)
    attachments = []
    for one in source.inside(storage, _ATTACHMENTS):
        source.findings.budget.open()
        attachment = _attachment(source, one, depth)
        is_cut |= bool(attachment.message and attachment.message.is_cut)
        attachments.append(attachment)
    return mapi.MapiMessage(properties, tuple(recipients), tuple(attachments), is_cut)


def _attachment(
    source: _Storage, storage: tuple[str, ...], depth: int
) -> mapi.Attachment:
    properties, _ = _properties(source, storage)
    name = mapi.first_text(properties, mapi.ATTACH_LONG_FILE_NAME)
    name = name or mapi.first_text(properties, mapi.ATTACH_FILE_NAME)
    name = name or mapi.first_text(properties, mapi.DISPLAY_NAME)
    for inner in source.inside(storage, f"{_VALUES}3701000D"):
        return mapi.Attachment(name, message=_message(source, inner, depth + 1))
    for value in properties.get(mapi.ATTACH_DATA, ()):
        if isinstance(value, bytes):
            return mapi.Attachment(name, value)
    return mapi.Attachment(name)


def _properties(
    source: _Storage, storage: tuple[str, ...]
) -> tuple[mapi.Properties, bool]:
    """The properties of a storage, and whether some of them could not be read."""
    properties: mapi.Properties = {}
    is_cut = False
    names = source.streams.get(storage, [])
    if _FIXED_VALUES in names:
        try:
            _fixed(properties, source.read((*storage, _FIXED_VALUES)))
        except Broken:
            is_cut = True
    charset = mapi.code_page_name(_code_page(properties))
    for name in names:
        tag = name[len(_VALUES) : len(_VALUES) + 8]
        if not name.startswith(_VALUES):
            continue
        try:
            number, kind = int(tag[:4], 16), int(tag[4:], 16)
            value = source.read((*storage, name))
        except (ValueError, Broken):
            is_cut = True
            continue
        properties.setdefault(number, []).append(_value(kind, value, charset))
    return properties, is_cut


def _value(kind: int, value: bytes, charset: str) -> mapi.Value:
    base = kind & ~mapi.MULTIPLE
    if base == mapi.UNICODE:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    if base == mapi.STRING8:
        return value.decode(charset, "replace").rstrip("\0")
    return value


def _code_page(properties: mapi.Properties) -> int:
    for number in (mapi.CODE_PAGE, mapi.INTERNET_CODE_PAGE):
        for value in properties.get(number, ()):
            if isinstance(value, int):
                return value
    return 1252


def _fixed(properties: mapi.Properties, stream: bytes) -> None:
    """Numbers: entries of 16 bytes behind a head (MS-OXMSG §2.4.1, §2.4.2).

    The head has 32 bytes in a file, 8 in a recipient and an attachment, 24 in a
    message inside: there one entry more is read, which says nothing.
    """
    head = _HEADER if len(stream) % _FIXED_SIZE == 0 else 8
    for at in range(head, len(stream) - _FIXED_SIZE + 1, _FIXED_SIZE):
        kind = int.from_bytes(stream[at : at + 2], "little")
        number = int.from_bytes(stream[at + 2 : at + 4], "little")
        if kind in (0x0003, 0x000B, 0x0002):
            value = int.from_bytes(stream[at + 8 : at + 12], "little")
            properties.setdefault(number, []).append(value)
