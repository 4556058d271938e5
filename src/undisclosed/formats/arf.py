# SPDX-License-Identifier: Apache-2.0
"""Complaints as mailbox providers write them (ARF, RFC 5965).

A report is a multipart/report whose second part, message/feedback-report, has the
fields that are read here; the third is the mail that is complained about, or its
header. Never raises; what is no field is left out. Providers redact addresses
(RFC 6590), so a field may be there and name nobody.
"""

import re
from dataclasses import dataclass, field
from typing import Final

LONGEST: Final = 64 * 1024
"""Bytes of a report's fields that are read."""

_LINE: Final = re.compile(r"\r\n|\n|\r")
_FIELD: Final = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)", re.DOTALL)
_COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out", "miscategorized", "other"})


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """One report: what kind it is (lower-case), and whom it says that it is about.

    ``kind`` is a word of RFC 5965 §7.3 (``abuse``, ``not-spam``, …) or of RFC 6591
    (``auth-failure``). ``mail_from`` and ``rcpt_tos`` are the original envelope's, as
    they were written and perhaps redacted.
    """

    kind: str
    mail_from: str = field(default="", repr=False)
    rcpt_tos: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_complaint(self) -> bool:
        """Whether somebody wants no more of it; ``not-spam`` says the opposite."""
        return self.kind in _COMPLAINTS


def read_feedback_report(content: bytes) -> FeedbackReport | None:
    """Read a message/feedback-report, decoded; None where it has no kind (§3.1)."""
    kind, mail_from, rcpt_tos = "", "", []
    for name, body in _fields(content[:LONGEST].decode("utf-8", "replace")):
        match name:
            case "feedback-type":
                kind = kind or body.lower()
            case "original-mail-from":
                mail_from = mail_from or body.strip("<> ")
            case "original-rcpt-to":
                rcpt_tos.append(body.strip("<> "))
            case _:
                continue
    return FeedbackReport(kind, mail_from, tuple(rcpt_tos)) if kind else None


def _fields(text: str) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in _LINE.split(text):
        if line[:1] in (" ", "\t") and fields:
            name, body = fields[-1]
            fields[-1] = (name, f"{body} {line.strip()}")
        elif found := _FIELD.fullmatch(line):
            fields.append((found[1].lower(), found[2].strip()))
    return fields
