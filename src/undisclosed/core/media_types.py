# SPDX-License-Identifier: Apache-2.0
"""Media types (RFC 2045 §5): what a part is to a reader, by its type and its names.

A type that is none, or that says no more than ``application/octet-stream``, weighs
less than the name of the file. The parameters are read in every form in which mail
readers take them (RFC 2231), all values of one that is given twice.
"""

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from undisclosed.core.charsets import decode
from undisclosed.core.encoded_words import decode_words

MOST_READINGS = 3
"""Ways of reading one part that contradicts itself."""

_PARAMETER = re.compile(
    rb';\s*([^\s=;"]+?)\s*=\s*("[^"\\]*+(?:\\.[^"\\]*+)*"?|[^\s;]*)', re.DOTALL
)
_MEDIA_TYPE = re.compile(rb"[\s,]*([^\s;/,]+)\s*/\s*([^\s;/,]+)")
_AROUND_MEDIA_TYPE = re.compile(rb"\([^()]*\)|[\"'\x00-\x08\x0e-\x1f\x7f]")
# The media type of most texts, in which the charset is the only parameter.
_USUAL_CHARSET = re.compile(
    rb'\s*text/[a-z]+\s*;\s*charset=(?:([\w.-]+)|"([\w.-]+)")\s*', re.IGNORECASE
)
_UNFOLD = re.compile(rb"[\r\n]+")
_MESSAGE_SUFFIXES = (".eml", ".mht", ".mhtml", ".nws")


UNREADABLE_TYPE = "text/*"
"""Stands for a type that is none: some readers guess what it is."""

_TOP_LEVEL_TYPES = frozenset(
    {"application", "audio", "font", "image", "model", "video", "chemical", "x-world"}
)
_TEXT_TYPES = (
    "application/json", "application/xml", "application/rtf", "application/x-sh",
    "application/csv", "application/sql", "application/x-yaml", "application/yaml",
)  # fmt: skip
_TEXT_NAMES = (
    ".txt", ".text", ".csv", ".tsv", ".tab", ".log", ".md", ".asc", ".json", ".xml",
    ".yml", ".yaml", ".ini", ".lst", ".sql", ".rtf", ".ldif",
)  # fmt: skip
_HTML_NAMES = (".htm", ".html", ".xhtml", ".shtml", ".svg")
_REPORTS_IN_TEXT = ("message/feedback-report", "message/tracking-status")


class Kind(Enum):
    """What a part is to a reader."""

    TEXT = "text"
    HTML = "html"
    MESSAGE = "message"  # an attached message; its header block is in ``header``
    REPORT = "report"  # fields of a delivery report (RFC 3464 §2)
    NAMES = "names"  # the fields of a part, with its file name and description
    PROTECTED = "protected"  # fields shown instead of the message's own (RFC 9788)
    CALENDAR = "calendar"  # iCalendar (RFC 5545)
    CARD = "card"  # vCard (RFC 6350)
    CMS = "cms"  # signed or encrypted with S/MIME (RFC 8551)
    OPENPGP = "openpgp"  # encrypted, a key or a signature (RFC 9580)
    UNREAD = "unread"


_KINDS = {
    media_type: kind
    for kind, types in {
        Kind.HTML: ("text/html", "application/xhtml+xml", "image/svg+xml"),
        Kind.REPORT: (
            "message/delivery-status", "message/global-delivery-status",
            "message/disposition-notification",
            "message/global-disposition-notification",
        ),
        Kind.CALENDAR: ("text/calendar", "application/ics", "text/x-vcalendar"),
        Kind.CARD: (
            "text/vcard", "text/x-vcard", "text/directory", "application/vcard",
        ),
        Kind.CMS: (
            "application/pkcs7-mime", "application/x-pkcs7-mime", "application/cms",
            "application/pkcs7-signature", "application/x-pkcs7-signature",
        ),
        Kind.OPENPGP: (
            "application/pgp-encrypted", "application/pgp-keys",
            "application/pgp-signature", "application/pgp",
        ),
    }.items()
    for media_type in types
}  # fmt: skip
_KINDS_OF_NAMES = (
    (_HTML_NAMES, Kind.HTML),
    ((".ics", ".ical", ".vcs", ".ifb"), Kind.CALENDAR),
    ((".vcf", ".vcard"), Kind.CARD),
    ((".p7m", ".p7s", ".p7c", ".p7b", ".p7z"), Kind.CMS),
    ((".asc", ".gpg", ".pgp", ".sig"), Kind.OPENPGP),
)
_ENCRYPTED = "multipart/encrypted"  # RFC 3156 §4: OpenPGP, whatever it is called
BINARY = (Kind.UNREAD, Kind.CMS, Kind.OPENPGP)
"""Kinds whose bytes are no text."""


def media_type_of(content_type: bytes) -> str:
    """Type and subtype, lower-case; empty where there is none (RFC 2045 §5.1)."""
    found = _MEDIA_TYPE.match(content_type)
    if found is None or not _is_plain(found[0]):
        found = _MEDIA_TYPE.match(_AROUND_MEDIA_TYPE.sub(b"", content_type[:1024]))
    return (found[1] + b"/" + found[2]).decode("latin-1").lower() if found else ""


def _is_plain(media_type: bytes) -> bool:
    return _AROUND_MEDIA_TYPE.search(media_type) is None and b"(" not in media_type


def parameters(body: bytes, name: str) -> list[str]:
    """Every value that a parameter is given, in each form (RFC 2045 §5.1, RFC 2231)."""
    if b";" not in body or name.encode() not in body.lower():
        return []
    values: list[str] = []
    pieces: list[str] = []
    for match in _PARAMETER.finditer(_UNFOLD.sub(b" ", body)):
        given = match[1].decode("latin-1").lower()
        base, _, section = given.partition("*")
        if base != name:
            continue
        value = _parameter_value(match[2], is_extended=given.endswith("*"))
        if section.rstrip("*").isdigit():
            pieces.append(value)
        else:
            values.append(value)
    return [*values, "".join(pieces)] if pieces else values


def _parameter_value(raw: bytes, *, is_extended: bool) -> str:
    if raw.startswith(b'"'):
        raw = re.sub(rb"\\(.)", rb"\1", raw[1:-1] if raw[-1:] == b'"' else raw[1:])
    if not is_extended:
        return decode(raw)
    charset, quote, rest = raw.partition(b"'")
    if not quote:
        return decode(unquote_to_bytes(raw))
    return decode(unquote_to_bytes(rest.partition(b"'")[2]), charset.decode("latin-1"))


def charsets_of(content_type: bytes) -> list[str]:
    """Every charset that a media type names; an empty one where it names none."""
    usual = _USUAL_CHARSET.fullmatch(content_type)
    if usual:
        return [(usual[1] or usual[2] or b"").decode("ascii")]
    return list(dict.fromkeys(parameters(content_type, "charset")))[:MOST_READINGS] or [
        ""
    ]


def kind_of(media_type: str, names: list[str], parent: str = "") -> Kind:
    """What a part is by its type, its plain file names and the multipart around it."""
    if media_type == "text/plain" and not names and parent != _ENCRYPTED:
        return Kind.TEXT
    kind = _KINDS.get(media_type)
    if kind is not None:
        return kind
    for name in names:
        for endings, kind_of_name in _KINDS_OF_NAMES:
            if name.endswith(endings):
                return kind_of_name
    if parent == _ENCRYPTED:
        return Kind.OPENPGP
    is_text = (
        media_type.partition("/")[0] not in _TOP_LEVEL_TYPES
        or media_type in _TEXT_TYPES
        or media_type.endswith(("+xml", "+json"))
        or any(name.endswith(_TEXT_NAMES) for name in names)
    )
    return Kind.TEXT if is_text else Kind.UNREAD


def plain_name(name: str) -> str:
    """A file name as it ends up on a disk: no encoded words, no dot at its end."""
    return (decode_words(name) if "=?" in name else name).strip(" .\"'\t").lower()


def is_message(media_type: str, names: list[str]) -> bool:
    """Whether a part is an attached message, by its type or its file names."""
    if media_type.startswith("message/"):
        return (
            media_type not in _REPORTS_IN_TEXT
            and _KINDS.get(media_type) is not Kind.REPORT
        )
    return media_type in (
        "text/rfc822-headers",
        "text/rfc822",
        "application/x-message",
    ) or any(name.endswith(_MESSAGE_SUFFIXES) for name in map(plain_name, names))
