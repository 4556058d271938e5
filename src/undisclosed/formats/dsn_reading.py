# SPDX-License-Identifier: Apache-2.0
"""Delivery reports that others wrote (RFC 3464), and replies as they stand in text.

Read leniently: groups that no empty line parts, lines that are no field, line ends of
any kind, addresses in angle brackets or in xtext. Never raises, linear in the size of
what is read; what is beyond the limits is left out.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from undisclosed.formats.dsn import DeliveryAction

LONGEST: Final = 256 * 1024
"""Bytes of a report's fields that are read."""

MOST_RECIPIENTS: Final = 1_000

_LINE: Final = re.compile(r"\r\n|\n|\r")
_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)", re.DOTALL)
_TYPED: Final = re.compile(r"\s*([A-Za-z0-9-]{1,40})\s*;\s*(.*)", re.DOTALL)
_COMMENT: Final = re.compile(r"\([^()]*\)")
_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY: Final = re.compile(
    r"(?<![\d.])([245]\d\d)(?:[ -]+#?([245]\.\d{1,3}\.\d{1,3})\b|(?![\d.]*\d))"
)
_MISSPELT: Final = {"failure": "failed", "fail": "failed", "expired": "failed"}
"""Words that mail servers write for those of RFC 3464 §2.3.3."""

_LARGEST: Final = 0x10FFFF
_PER_RECIPIENT: Final = frozenset(
    {"final-recipient", "original-recipient", "action", "status"}
)


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient's group of fields (RFC 3464 §2.3), as somebody wrote it.

    ``original`` and ``final`` are addresses without their types, empty where there is
    none. ``action`` is None where it is no word of §2.3.3. ``status`` is an enhanced
    status code (RFC 3463) or empty, ``diagnostic`` what the next hop said.
    """

    original: str = field(default="", repr=False)
    final: str = field(default="", repr=False)
    action: DeliveryAction | None = None
    status: str = ""
    diagnostic: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ReportedDelivery:
    """A whole report: the ENVID that it names, and its recipients."""

    envelope_id: str = field(default="", repr=False)
    recipients: tuple[ReportedRecipient, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplyInText:
    """A reply as it stands in a text: its code (RFC 5321 §4.2), its status or both."""

    code: int | None
    status: str


def read_delivery_status(content: bytes) -> ReportedDelivery:
    """Read a message/delivery-status (or its utf-8 form, RFC 6533 §4), decoded."""
    groups: list[dict[str, str]] = [{}]
    for name, body in _fields(content[:LONGEST].decode("utf-8", "replace")):
        if not name:
            groups.append({})
        elif name in groups[-1] and name in _PER_RECIPIENT:
            # No empty line parted it from the recipient before.
            groups.append({name: body})
        else:
            groups[-1].setdefault(name, body)
        if len(groups) > 2 * MOST_RECIPIENTS:
            break
    found = [_recipient(group) for group in groups if _PER_RECIPIENT & group.keys()]
    ids = filter(None, (group.get("original-envelope-id") for group in groups))
    envelope_id = next(ids, "")
    return ReportedDelivery(envelope_id, tuple(found[:MOST_RECIPIENTS]))


def reply_in(text: str) -> ReplyInText | None:
    """The reply that a text tells of: the first with a code and a status, else any."""
    first: ReplyInText | None = None
    for found in _REPLY.finditer(text):
        reply = ReplyInText(int(found[1]), found[2] or "")
        if reply.status:
            return reply
        first = first or reply
    status = _STATUS.search(text)
    if status is None:
        return first
    code = first.code if first else None
    return ReplyInText(code, ".".join(status.groups()))


def exact_status(status: str, diagnostic: str) -> str:
    """The status code that says more: many write 5.0.0 above a reply that has one."""
    stated = _status(status)
    if stated and not stated.endswith(".0.0"):
        return stated
    reply = reply_in(diagnostic)
    if reply is None:
        return stated
    if reply.status:
        return reply.status
    return stated or f"{(reply.code or 0) // 100}.0.0"


def _fields(text: str) -> list[tuple[str, str]]:
    """The fields in their order, unfolded; an empty name for an empty line."""
    fields: list[tuple[str, str]] = []
    for line in _LINE.split(text):
        if not line.strip():
            fields.append(("", ""))
        elif line[0] in " \t" and fields and fields[-1][0]:
            name, body = fields[-1]
            fields[-1] = (name, f"{body} {line.strip()}")
        elif found := _FIELD.fullmatch(line):
            fields.append((found[1].lower(), found[2].strip()))
    return fields


def _recipient(group: dict[str, str]) -> ReportedRecipient:
    return ReportedRecipient(
        original=_address(group.get("original-recipient", "")),
        final=_address(group.get("final-recipient", "")),
        action=_action(group.get("action", "")),
        status=_status(group.get("status", "")),
        diagnostic=_untyped(group.get("diagnostic-code", ""))[1],
    )


def _action(body: str) -> DeliveryAction | None:
    words = _COMMENT.sub(" ", body).lower().split()
    word = words[0].strip(".,;") if words else ""
    word = _MISSPELT.get(word, word)
    try:
        return DeliveryAction(word)
    except ValueError:
        return None


def _status(body: str) -> str:
    found = _STATUS.search(body)
    return ".".join(found.groups()) if found else ""


def _untyped(body: str) -> tuple[str, str]:
    found = _TYPED.fullmatch(body)
    return (found[1].lower(), found[2]) if found else ("", body)


def _address(body: str) -> str:
    """The address of a typed field (RFC 3464 §2.3.2, RFC 6533 §3)."""
    kind, text = _untyped(body)
    text = text.strip()
    opened, closed = text.find("<"), text.rfind(">")
    if 0 <= opened < closed:
        text = text[opened + 1 : closed]
    elif "(" in text:
        text = _COMMENT.sub(" ", text).strip()
    if kind == "utf-8":
        text = _UNITEXT.sub(_letter, text)
    elif "+" in text and "@" not in text:
        text = _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
    return text.strip().strip(";'\"")


def _letter(found: "re.Match[str]") -> str:
    number = int(found[1], 16)
    return chr(number) if number <= _LARGEST else found[0]
