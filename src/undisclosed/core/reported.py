# SPDX-License-Identifier: Apache-2.0
"""The mail in a journal report of Exchange: unwrapped, with the envelope it had.

A report is a multipart whose header block has a field X-MS-Journal-Report; its first
part says who sent the mail and to whom, its only attached message is the mail as it
was ([MS-XJRNL] §2.2). Anybody can write such a thing: who calls this has to know that
the report is of one of our own servers.
"""

from itertools import takewhile

from undisclosed.core.address import parse_addr_spec
from undisclosed.core.charsets import decode
from undisclosed.core.header import split_content
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import Limits, TextPart, parts_of
from undisclosed.core.part_text import bytes_of
from undisclosed.formats.journal_report import (
    LONGEST,
    JournalReport,
    parse_journal_report,
)

FIELD = "x-ms-journal-report"


def reported(content: bytes) -> Mail | None:
    """The mail that a journal report wraps; None where the content is no report."""
    header = split_content(content)
    if all(field.name != FIELD for field in header.fields):
        return None
    parts = [part for part in parts_of(content, header, Limits()) if part.nesting <= 1]
    mails = {
        (part.start, part.end): part
        for part in parts
        if part.kind is Kind.MESSAGE and part.nesting == 1
    }
    if len(mails) != 1:
        return None
    ((start, end), mail) = next(iter(mails.items()))
    return Mail(_envelope(_report(parts)), bytes(mail.source[start:end]))


def _report(parts: list[TextPart]) -> JournalReport:
    """What the first text says; nothing, where the mail stands before any text."""
    before = takewhile(lambda part: part.kind is not Kind.MESSAGE, parts)
    for part in before:
        if part.kind is Kind.TEXT:
            return parse_journal_report(decode(bytes_of(part, LONGEST), part.charset))
    return JournalReport("", ())


def _envelope(report: JournalReport) -> Envelope:
    recipients = filter(None, map(parse_addr_spec, report.recipients))
    return Envelope(parse_addr_spec(report.sender), tuple(map(Recipient, recipients)))
