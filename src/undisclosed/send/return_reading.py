# SPDX-License-Identifier: Apache-2.0
"""What came back: a report about a delivery, a complaint, an auto-reply, or a letter.

Reports are read where they are in the form of their standards (RFC 3464, RFC 5965,
RFC 8098); the odd ones, of which mail servers write many, with flufl.bounce, and by
the reply that they quote. Which delivery it is about is told by our own opaque tokens
alone: in the envelope, or in what is returned of the message. A Message-ID is no secret
(every reply has it in References), so ours is taken where a returned message has it as
its own and nowhere else, and proves nothing (``send.returns``). Nothing here raises.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.charsets import decode
from undisclosed.core.encoded_words import field_text
from undisclosed.core.header import HeaderBlock, split_content
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import Limits, TextPart, parts_of
from undisclosed.core.part_text import bytes_of
from undisclosed.core.returns import Cause, ReturnKind
from undisclosed.formats.arf import FeedbackReport, read_feedback_report
from undisclosed.formats.dsn import DeliveryAction
from undisclosed.formats.dsn_reading import (
    ReportedDelivery,
    ReportedRecipient,
    exact_status,
    read_delivery_status,
    reply_in,
)
from undisclosed.formats.ses_notice import SesEvent, SesNotice, read_ses_notice
from undisclosed.send.causes import cause_of
from undisclosed.send.feedback import IN_REPORT
from undisclosed.send.odd_returns import address_in, failures_in
from undisclosed.send.tokens import LENGTH, Purpose

LONGEST: Final = 1024 * 1024
"""Bytes of what came back that are read: reports return a message behind their own."""

MOST_PARTS: Final = 200
_LONGEST_TEXT: Final = 64 * 1024

_TOKEN: Final = b"([A-Za-z2-7]{%d})" % LENGTH
_TOKENS: Final = (
    (Purpose.RETURN_PATH, re.compile(rb"\bb-" + _TOKEN + rb"@")),
    (Purpose.UNSUBSCRIBE, re.compile(rb"/unsubscribe/" + _TOKEN + rb"\b")),
    (Purpose.FEEDBACK, IN_REPORT),
    (
        Purpose.ENVELOPE,
        re.compile(
            rb"^Original-Envelope-Id[ \t]*:\s*" + _TOKEN + rb"\s*$",
            re.IGNORECASE | re.MULTILINE,
        ),
    ),
)
_MESSAGE_ID: Final = re.compile(
    rb"^[ \t>|]*Message-ID[ \t]*:\s*<" + _TOKEN + rb"@([^>\s]+)>",
    re.IGNORECASE | re.MULTILINE,
)
_SUCCESSES: Final = (
    # An alias may reach several: who got it through one of them, got it; and what was
    # handed to a server that reports nothing says less than an alias that did.
    (DeliveryAction.DELIVERED, ReturnKind.DELIVERED),
    (DeliveryAction.EXPANDED, ReturnKind.EXPANDED),
    (DeliveryAction.RELAYED, ReturnKind.RELAYED),
)
_FAILURES: Final = (
    (DeliveryAction.FAILED, ReturnKind.FAILED),
    (DeliveryAction.DELAYED, ReturnKind.DELAYED),
)
_RETURN_PATH: Final = re.compile(rf"b-([a-z2-7]{{{LENGTH}}})", re.IGNORECASE)
_DELIVERED_TO: Final = frozenset(
    {"delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to"}
)
_STATUS_TYPES: Final = ("message/delivery-status", "message/global-delivery-status")
_RECEIPT_TYPES: Final = (
    "message/disposition-notification",
    "message/global-disposition-notification",
)
_AUTO_FIELDS: Final = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply"}
    | {"x-vacation"}
)
_AUTO_SUBJECTS: Final = re.compile(
    r"\s*(?:(?:re|aw|sv|antw)\s*:\s*)*(?:auto(?:matic|mated|matische?|matisk)?[\s:-]*"
    r"(?:re(?:ply|sponse|spuesta)|respon|answer|antwort|antwoord|svar)"
    r"|out of (?:the )?office|away from|(?:on )?vacation|abwesenheit|afwezig"
    r"|r[ée]ponse automatique|absence du bureau|ausente|respuesta autom)",
    re.IGNORECASE,
)
_ROBOTS: Final = re.compile(
    r"mailer[-_.]?daemon|postmaster|mail delivery|maildelivery|bounce|no-?reply"
    r"|mail(?:er)? (?:system|administrator)|system administrator",
    re.IGNORECASE,
)
_RETURNED_SUBJECT: Final = re.compile(
    r"undeliver|non[- ]?deliver|returned? (?:to sender|mail)|failure|delivery (?:status"
    r"|problem|report|error)|could not (?:be )?(?:send|deliver)|delayed|mail (?:error"
    r"|delivery)|not delivered|rejected|unzustellbar|warning",
    re.IGNORECASE,
)
_DELAYED_TEXT: Final = re.compile(
    r"(?:will|is going to) (?:continue to )?(?:be )?(?:re)?tr(?:y|ied)"
    r"|warning message only|has been delayed|not yet been delivered"
    r"|message is delayed|delivery (?:is|has been) delayed",
    re.IGNORECASE,
)

_RETURNED_HEADER: Final = re.compile(
    r"^\W*(?:received|return-path|message-id)\s*:", re.IGNORECASE | re.MULTILINE
)
"""Where the quoted header of the message begins, whose words are not the server's."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One piece of returned mail, read.

    ``status`` is an enhanced status code or empty, ``reply`` what a mail server said
    (it may hold an address), ``people`` the recipients that it names as failed or
    delayed, ``tokens`` our own as they stand in it, not yet opened: of the envelope or,
    where that has none, of the content.
    """

    kind: ReturnKind
    cause: Cause = Cause.OTHER
    status: str = ""
    reply: str = field(default="", repr=False)
    people: tuple[Address, ...] = field(default=(), repr=False)
    tokens: tuple[tuple[Purpose, str], ...] = field(default=(), repr=False)


def read_return(
    content: bytes, recipients: Iterable[Address] = (), *, hostname: str = ""
) -> Returned:
    """Read what came back.

    ``recipients`` are its envelope's, where they are known; ``hostname`` is the right
    side of our Message-IDs, of which none is taken without it.
    """
    content = content[:LONGEST]
    header = split_content(content)
    parts = list(islice(parts_of(content, header, Limits(MOST_PARTS)), MOST_PARTS))
    read = _kind_of(content, header, parts)
    tokens = _of_envelope(recipients) or _of_header(header)
    tokens = tokens or _of_content(content, header, parts, hostname)
    return Returned(
        read.kind, read.cause, read.status, read.reply, read.people, tuple(tokens)
    )


def token_of(address: Address) -> str | None:
    """The token of a return path of ours, not yet opened; None where it is none."""
    found = _RETURN_PATH.fullmatch(address.local_part)
    return found[1].lower() if found else None


def _kind_of(
    content: bytes, header: HeaderBlock, parts: Sequence[TextPart]
) -> Returned:
    complaint = _complaint(parts)
    if complaint is not None:
        is_one = complaint.is_complaint
        return Returned(ReturnKind.COMPLAINT if is_one else ReturnKind.REPORT)
    if _is_of_microsoft(header, parts):
        return Returned(ReturnKind.COMPLAINT)
    if any(part.media_type in _RECEIPT_TYPES for part in parts):
        return Returned(ReturnKind.AUTO_REPLY)
    for part in parts:
        if part.media_type in _STATUS_TYPES:
            report = read_delivery_status(bytes_of(part, _LONGEST_TEXT))
            if read := _of_report(report, _text_of(parts)):
                return read
    notice = read_ses_notice(_text_of(parts))
    if notice is not None:
        return _of_notice(notice)
    return _odd(content, header, parts)


def _complaint(parts: Sequence[TextPart]) -> FeedbackReport | None:
    for part in parts:
        if part.media_type == "message/feedback-report":
            found = read_feedback_report(bytes_of(part, _LONGEST_TEXT))
            if found is not None:
                return found
    return None


def _is_of_microsoft(header: HeaderBlock, parts: Sequence[TextPart]) -> bool:
    """Microsoft's own form of a complaint: a subject, and the message attached."""
    fields = {one.name: field_text(one.body).strip().lower() for one in header.fields}
    who, _, domain = fields.get("from", "").strip("<>").rpartition("@")
    return (
        fields.get("subject", "").startswith("complaint about message from")
        and (who.rpartition("<")[2], domain) == ("staff", "hotmail.com")
        and any(part.kind is Kind.MESSAGE for part in parts)
    )


def _of_report(report: ReportedDelivery, text: str) -> Returned | None:
    """The report about our one recipient; None where it has no group to go by."""
    by_action: dict[DeliveryAction, list[ReportedRecipient]] = {}
    for recipient in report.recipients:
        action = recipient.action or _action_of(recipient.status)
        if action is not None:
            by_action.setdefault(action, []).append(recipient)
    for action, kind in _SUCCESSES:
        if action in by_action and DeliveryAction.FAILED not in by_action:
            return Returned(kind, status=by_action[action][0].status)
    for action, kind in _FAILURES:
        if found := by_action.get(action):
            return _of_group(kind, found, text)
    return None


def _of_notice(notice: SesNotice) -> Returned:
    if notice.event is SesEvent.COMPLAINT:
        return Returned(ReturnKind.COMPLAINT)
    if notice.event is SesEvent.DELIVERY:
        return Returned(ReturnKind.DELIVERED)
    if not notice.recipients:
        return Returned(ReturnKind.FAILED)
    return _of_group(ReturnKind.FAILED, notice.recipients, "")


def _of_group(
    kind: ReturnKind, found: Sequence[ReportedRecipient], text: str
) -> Returned:
    first = found[0]
    status = exact_status(first.status, first.diagnostic)
    cause = cause_of(status, first.diagnostic)
    if cause is Cause.OTHER and not first.diagnostic:
        cause = cause_of(status, text)
    named = [one for each in found for one in (each.final, each.original) if one]
    people = dict.fromkeys(filter(None, map(address_in, named)))
    return Returned(kind, cause, status, first.diagnostic, tuple(people))


def _action_of(status: str) -> DeliveryAction | None:
    """What was done, where only the class of the status says it (RFC 3463 §3.1)."""
    return {
        "2": DeliveryAction.DELIVERED,
        "4": DeliveryAction.DELAYED,
        "5": DeliveryAction.FAILED,
    }.get(status[:1])


def _odd(content: bytes, header: HeaderBlock, parts: Sequence[TextPart]) -> Returned:
    """What is in no standard's form: by its fields, its usual shapes, its words."""
    fields = {one.name: field_text(one.body).strip() for one in header.fields}
    text = _text_of(parts)
    temporary, permanent = failures_in(content)
    if permanent or temporary:
        kind = ReturnKind.FAILED if permanent else ReturnKind.DELAYED
        return _of_text(kind, text, permanent or temporary)
    if _is_auto_reply(fields):
        return Returned(ReturnKind.AUTO_REPLY)
    if not _is_from_a_robot(fields):
        return Returned(ReturnKind.UNKNOWN)
    return _by_words(fields, text)


def _by_words(fields: dict[str, str], text: str) -> Returned:
    reply = reply_in(text)
    has_failed = reply is not None and (reply.status[:1] or str(reply.code)[:1]) == "5"
    cause = cause_of(reply.status if reply else "", text)
    if _DELAYED_TEXT.search(text):
        return _of_text(ReturnKind.DELAYED, text, ())
    says_so = _RETURNED_SUBJECT.search(fields.get("subject", ""))
    if has_failed or cause.is_lasting or cause is Cause.FULL:
        return _of_text(ReturnKind.FAILED, text, ())
    if says_so and _ROBOTS.search(fields.get("from", "")):
        return _of_text(ReturnKind.FAILED, text, ())
    if reply is not None:
        return _of_text(ReturnKind.DELAYED, text, ())
    return Returned(ReturnKind.UNKNOWN)


def _of_text(kind: ReturnKind, text: str, people: Sequence[Address]) -> Returned:
    reply = reply_in(text)
    status = ""
    if reply is not None:
        status = reply.status or f"{(reply.code or 0) // 100}.0.0"
    return Returned(kind, cause_of(status, text), status, "", tuple(people))


def _is_auto_reply(fields: dict[str, str]) -> bool:
    """RFC 3834 §5, and what was there before it."""
    if fields.get("auto-submitted", "").lower().startswith("auto-replied"):
        return not _ROBOTS.search(fields.get("from", ""))
    if _AUTO_FIELDS & fields.keys():
        return True
    if fields.get("precedence", "").lower() in ("auto_reply", "auto-reply"):
        return True
    return bool(_AUTO_SUBJECTS.match(fields.get("subject", "")))


def _is_from_a_robot(fields: dict[str, str]) -> bool:
    if fields.get("return-path", "").replace(" ", "") == "<>":
        return True
    if "x-failed-recipients" in fields:
        return True
    who = f"{fields.get('from', '')} {fields.get('sender', '')}"
    if _ROBOTS.search(who):
        return True
    return bool(_RETURNED_SUBJECT.search(fields.get("subject", "")))


def _text_of(parts: Sequence[TextPart]) -> str:
    """The words for people: the first text of the message itself, no returned one."""
    for part in parts:
        if part.kind is Kind.TEXT and not part.nesting:
            text = decode(bytes_of(part, _LONGEST_TEXT)[:_LONGEST_TEXT], part.charset)
            if text.strip():
                return _RETURNED_HEADER.split(text, maxsplit=1)[0]
    return ""


def _of_envelope(recipients: Iterable[Address]) -> list[tuple[Purpose, str]]:
    tokens = filter(None, map(token_of, recipients))
    return [(Purpose.RETURN_PATH, token) for token in dict.fromkeys(tokens)]


def _of_header(header: HeaderBlock) -> list[tuple[Purpose, str]]:
    """The return path that a mailbox's own server wrote into the header."""
    purpose, known = _TOKENS[0]
    found = [
        one[1].decode("ascii").lower()
        for each in header.fields
        if each.name in _DELIVERED_TO
        for one in known.finditer(each.body)
    ]
    return [(purpose, token) for token in dict.fromkeys(found)]


def _of_content(
    content: bytes, header: HeaderBlock, parts: Sequence[TextPart], hostname: str
) -> list[tuple[Purpose, str]]:
    """Every token of ours in what is returned. They prove themselves when opened."""
    decoded = [bytes_of(part, _LONGEST_TEXT) for part in parts if part.encoding]
    found = [
        (purpose, one[1].decode("ascii").lower())
        for source in (content, *decoded)
        for purpose, known in _TOKENS
        for one in known.finditer(source)
    ]
    # The header at the top is the report's own: what is returned stands below it.
    own = hostname.lower().encode()
    found += [
        (Purpose.MESSAGE_ID, one[1].decode("ascii").lower())
        for source in (content[header.body_start :], *decoded)
        for one in _MESSAGE_ID.finditer(source)
        if one[2].lower() == own
    ]
    return list(dict.fromkeys(found))
