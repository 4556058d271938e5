# SPDX-License-Identifier: Apache-2.0
"""A mail that is not written yet: what a mail client knows of it before sending.

It becomes a message as a mail client would write it (RFC 5322, RFC 2045), so that
nothing reads it but the reader that reads all mail.
"""

import base64
import re
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
_BOUNDARY = b"=_undisclosed_draft"
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class DraftFile:
    """An attached file: its name, its media type and its bytes."""

    name: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a mail before it is sent.

    ``fields`` are the address fields as they will be shown, name and body, for example
    ``("To", "Ann <ann@a.example>")``; Bcc is none of them. ``recipients`` is everybody
    who will receive it, Bcc among them. ``plain`` and ``html`` are the two ways in
    which the text may be written; None where it is not written that way.
    """

    sender: Address
    recipients: tuple[Address, ...] = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    subject: str = field(default="", repr=False)
    plain: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    files: tuple[DraftFile, ...] = field(default=(), repr=False)


def mail_of(draft: Draft) -> Mail:
    """The draft as a mail; its envelope names the recipients."""
    texts = [
        _text_part(text, subtype)
        for text, subtype in ((draft.plain, "plain"), (draft.html, "html"))
        if text is not None
    ] or [_text_part("", "plain")]
    body = _joined(b"alternative", texts)
    if draft.files:
        body = _joined(b"mixed", [body, *map(_file_part, draft.files)])
    fields = [*draft.fields, ("Subject", draft.subject)]
    if not any(name.lower() == "from" for name, _ in draft.fields):
        fields.insert(0, ("From", f"<{draft.sender.spelled_out()}>"))
    header = b"".join(_line(name, text) for name, text in fields)
    recipients = tuple(map(Recipient, dict.fromkeys(draft.recipients)))
    return Mail(
        Envelope(draft.sender, recipients), header + b"MIME-Version: 1.0\r\n" + body
    )


def _line(name: str, text: str) -> bytes:
    """A field in UTF-8 (RFC 6532 §3.2); nothing in it begins another one."""
    return f"{name}: {_CONTROLS.sub(' ', text)}\r\n".encode("utf-8", "surrogatepass")


def _text_part(text: str, subtype: str) -> bytes:
    lines = _LINE_ENDS.sub("\r\n", text).encode("utf-8", "surrogatepass")
    return _encoded(f"Content-Type: text/{subtype}; charset=utf-8", lines)


def _file_part(file: DraftFile) -> bytes:
    media_type = file.media_type.strip().lower()
    if not _MEDIA_TYPE.fullmatch(media_type) or media_type.startswith("multipart/"):
        media_type = _UNKNOWN
    name = re.sub(r'["\\]', "_", _CONTROLS.sub(" ", file.name))
    fields = (
        f"Content-Type: {media_type}\r\n"
        f'Content-Disposition: attachment; filename="{name}"'
    )
    return _encoded(fields, file.content)


def _encoded(fields: str, content: bytes) -> bytes:
    """A part in Base64 (RFC 2045 §6.8): whatever it holds ends no part early."""
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = fields.encode("utf-8", "surrogatepass")
    return head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded


def _joined(subtype: bytes, parts: list[bytes]) -> bytes:
    """Several parts as one (RFC 2046 §5.1); a single one stays alone."""
    if len(parts) == 1:
        return parts[0]
    boundary = _BOUNDARY + b"_" + subtype
    pieces = [
        b'Content-Type: multipart/%b; boundary="%b"\r\n' % (subtype, boundary),
        *(b"\r\n--%b\r\n%b" % (boundary, part) for part in parts),
        b"\r\n--%b--\r\n" % boundary,
    ]
    return b"".join(pieces)
