# SPDX-License-Identifier: Apache-2.0
"""Text of any charset: CSV and TSV, HTML, messages, calendars under any name."""

import re

from undisclosed.core.charsets import decode
from undisclosed.core.text import html_sources, html_visible_text
from undisclosed.transport.reading.found import BROKEN, Findings
from undisclosed.transport.reading.readers.sweep import sweep

TABLE = "attached table"
TEXT = "attached text"

_LOOKED_AT = 4096
_MOST_NULS = 0.2
"""Share of zero bytes above which text is UTF-16: other text has none."""

_MESSAGES = (".eml", ".mht", ".mhtml", ".nws", ".mbox")
_SIGNED = (".p7m", ".p7s")
_SIGNED_FIELDS = (
    b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"
)
_FIELDS = (
    b"content-type:", b"mime-version:", b"received:", b"return-path:", b"from:",
    b"date:", b"to:", b"subject:", b"message-id:", b"delivered-to:",
)  # fmt: skip
"""How messages begin that have another name: signed ones, say."""

# RFC 4155: a mailbox of several messages. Apple Mail puts their length before them.
_MAILBOX_LINE = re.compile(rb"(?:\A|(?<=\n))From [^\r\n]*\r?\n")
_NUMBER = re.compile(rb"\s{0,9}\d{1,12}[ \t]{0,9}\r?\n")
_OTHER_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}[ \t]{0,9}:")
_SOME_FIELD = re.compile(rb"(?im)^(?:content-type|content-transfer-encoding|from):")
_TABLES = (".csv", ".tsv", ".tab", ".xls", ".xlsx", ".ods")
_PICTURES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic",
    ".ico", ".emf", ".wmf", ".svgz", ".mp3", ".mp4", ".avi", ".mov", ".wav", ".ogg",
    ".ttf", ".otf", ".woff", ".exe", ".dll", ".so", ".class", ".bin",
)  # fmt: skip
_CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_FOLD = re.compile(r"\r?\n[ \t]")
_FLOWED = re.compile(r"=\r?\n")
_HTML = re.compile(r"<(?:!doctype|html|head|body|table|div|p|a|span|br|td)\b", re.I)
_BYTE_ORDER_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xef\xbb\xbf", "utf-8"),
)


def read_plain(name: str, content: bytes, findings: Findings) -> None:
    """Read a file that is no document of a known form: text, or not read at all."""
    name = name.lower()
    if name.endswith(_MESSAGES):
        findings.message(content)
    elif is_text(content):
        _read_text(content, findings, TABLE if name.endswith(_TABLES) else TEXT)
    elif name.endswith(_SIGNED):
        # The core reads what S/MIME wraps, where a field says that it is that.
        findings.message(_SIGNED_FIELDS + content)
    elif not name.endswith(_PICTURES):
        sweep(content, findings, "attached file")


def read_masked(content: bytes, findings: Findings) -> None:
    """Read what is said to be a document and is of no known form.

    Text is read as a table, which it mostly is: spreadsheet programs open CSV and
    HTML under any name. Other bytes are a document that is broken.
    """
    if is_text(content):
        _read_text(content, findings, TABLE)
        return
    sweep(content, findings, "attached document")
    findings.doubt(BROKEN)


def _read_text(content: bytes, findings: Findings, channel: str) -> None:
    if content[:32].lstrip().lower().startswith(_FIELDS):
        findings.message(content)
        return
    if content.startswith(b"From "):
        for message in _MAILBOX_LINE.split(content):
            findings.message(message)
    elif (behind := _NUMBER.match(content)) or _OTHER_FIELD.match(content):
        rest = content[behind.end() :] if behind else content
        if _SOME_FIELD.search(rest, 0, _LOOKED_AT):
            findings.message(rest)
    show_text(content, findings, channel)


def is_text(content: bytes) -> bool:
    """Whether these bytes are text of some charset."""
    beginning = content[:_LOOKED_AT]
    if any(beginning.startswith(mark) for mark, _ in _BYTE_ORDER_MARKS):
        return True
    if beginning.count(0) > _MOST_NULS * len(beginning):
        wide = _wide_charset(beginning)
        text = beginning.decode(wide or "latin-1", "replace")
        return wide != "" and _CONTROL.search(text) is None
    return len(beginning.translate(None, _CONTROLS)) == len(beginning)


def _wide_charset(beginning: bytes) -> str:
    """UTF-16 without a byte order mark, by where its zero bytes stand; or nothing."""
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    half = len(beginning) // 2 + 1
    if odd > _MOST_NULS * half and even < odd // 8 + 1:
        return "utf-16-le"
    if even > _MOST_NULS * half and odd < even // 8 + 1:
        return "utf-16-be"
    return ""


def text_of(content: bytes) -> str:
    """The text of these bytes."""
    for mark, charset in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(charset, "replace")
    if content[:_LOOKED_AT].count(0) and (wide := _wide_charset(content[:_LOOKED_AT])):
        return content.decode(wide, "replace")
    return decode(content.translate(None, b"\0"))


def show_text(content: bytes, findings: Findings, channel: str) -> None:
    """Show a text, and what it is once lines are unfolded and references resolved."""
    text = text_of(content)
    findings.show(channel, text)
    # Calendars and cards fold their lines (RFC 5545 §3.1); quoted-printable does.
    for folds in (_FOLD, _FLOWED):
        unfolded = folds.sub("", text) if "\n" in text else text
        if unfolded != text:
            findings.show(channel, unfolded)
    is_html = "<" in text and ("&" in text or "</" in text or _HTML.search(text))
    if is_html or "&#" in text or "&commat" in text:
        findings.show(channel, html_visible_text(text))
        findings.show(channel, html_sources(text))
