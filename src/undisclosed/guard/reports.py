# SPDX-License-Identifier: Apache-2.0
"""The report of copies that could not be delivered: one DSN, to the sender.

It names the sender's own recipients, those that failed, and nobody else: the
returned header is cut, and of the next hop's words every other address is taken.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.header import split_content
from undisclosed.core.held import Failure, Outgoing, OutgoingKind
from undisclosed.core.mail import Recipient
from undisclosed.formats.dsn import (
    DeliveryAction,
    DeliveryReport,
    RecipientStatus,
    write_dsn,
)
from undisclosed.formats.letter import Letter
from undisclosed.guard.notices import NoticeSettings, envelope_to, without_others
from undisclosed.guard.ports import KeyedId
from undisclosed.guard.schedule import KEEP_TRYING

RETURNED = ("from", "subject", "date", "message-id")
"""What is returned of the header: enough for the sender to know the mail again."""

_STATUS = re.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")


def dsn_of(
    failures: Sequence[Failure],
    sender: Address,
    content: bytes,
    settings: NoticeSettings,
    name: KeyedId,
    now: datetime,
) -> Outgoing | None:
    """The DSN for these failures; None where its sender asked for none (RFC 3461).

    ``content`` is the mail that failed, or empty where it is gone.
    """
    statuses = tuple(
        _status(recipient, failure)
        for failure in failures
        for recipient in failure.envelope.recipients
        if _is_wanted(recipient)
    )
    if not statuses:
        return None
    identifier = name("dsn", *sorted(failure.copy_id for failure in failures))
    letter = Letter(
        author_name=settings.author_name,
        author=settings.author.spelled_out(),
        to=sender.spelled_out(),
        subject="Some of your mail could not be delivered",
        written_at=now,
        message_id=f"{identifier}@{settings.hostname}",
        plain=_words(statuses),
    )
    report = DeliveryReport(
        reporting_mta=settings.hostname,
        recipients=statuses,
        envelope_id=_parameter(failures[0].envelope.parameters, "ENVID"),
    )
    returned = returned_header(content, sender)
    return Outgoing(
        id=identifier,
        hold_id=None,
        kind=OutgoingKind.DSN,
        envelope=envelope_to(sender, letter, False),
        content=write_dsn(letter, report, returned, f"=_{identifier}"),
        expires_at=now + KEEP_TRYING,
    )


def returned_header(content: bytes, sender: Address) -> bytes:
    """The fields by which the sender knows the mail; none that names another."""
    kept = []
    for field in split_content(content).fields:
        if field.name not in RETURNED:
            continue
        text = field.body.decode("utf-8", "replace")
        is_own = without_others(text, sender) == " ".join(text.split())
        if is_own or field.name == "message-id":
            kept.append(b"%s: %s\r\n" % (field.raw_name, b" ".join(field.body.split())))
    return b"".join(kept)


def _status(recipient: Recipient, failure: Failure) -> RecipientStatus:
    reply = without_others(failure.reply, recipient.address)
    found = _STATUS.search(reply)
    return RecipientStatus(
        final_recipient=recipient.address.spelled_out(),
        action=DeliveryAction.FAILED,
        status=found[1] if found else "5.0.0",
        reply=reply,
        original_recipient=_parameter(recipient.parameters, "ORCPT"),
        last_attempt_at=failure.at,
    )


def _is_wanted(recipient: Recipient) -> bool:
    """Whether the sender wants to know of a failure (RFC 3461 §4.1)."""
    notify = _parameter(recipient.parameters, "NOTIFY")
    return notify is None or "FAILURE" in notify.upper().split(",")


def _parameter(parameters: Sequence[str], keyword: str) -> str | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.upper() == keyword and value:
            return value
    return None


def _words(statuses: Sequence[RecipientStatus]) -> str:
    people = "1 recipient" if len(statuses) == 1 else f"{len(statuses):,} recipients"
    lines = [
        f"Your mail could not be delivered to {people}.",
        "Everybody else's copy was sent or is still being tried.",
        "",
    ]
    for status in statuses:
        lines.append(f"<{status.final_recipient}>: {status.reply}")
    return "\n".join(lines)
