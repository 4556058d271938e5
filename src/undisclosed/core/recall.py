# SPDX-License-Identifier: Apache-2.0
"""Recalls: a mail client's attempt to take back mail that was delivered.

Outlook's recall is a message of the class IPM.Outlook.Recall to everybody who had the
first one: outside of its organisation it arrives as mail and shows the whole list a
second time. Outside, it is known by its subject, in the language of its sender, or by
the class, which stands in a field or in the TNEF part.
"""

import re

RECALL_PREFIXES = (
    "recall",  # English
    "message recall",
    "intrekken",  # Dutch
    "rappel",  # French
    "rückruf",  # German
    "zurückrufen",
    "recuperar",  # Spanish
    "recuperación",
    "retirar",
    "richiama",  # Italian
    "richiamo",
    "cancelar",  # Portuguese
    "recolher",
    "återkalla",  # Swedish
    "återkallelse",
    "tilbakekall",  # Norwegian
    "tilbakekalling",
    "tilbagekald",  # Danish
    "tilbagekaldelse",
    "palauta",  # Finnish
    "peruuta",
    "odwołaj",  # Polish
    "wycofaj",
    "odvolání",  # Czech
    "odvolanie",  # Slovak
    "visszahívás",  # Hungarian
    "rechemare",  # Romanian
    "geri \u00e7a\u011f\u0131rma",  # Turkish
    "geri \u00e7a\u011f\u0131r",
    "ανάκληση",  # Greek
    "отзыв",  # Russian
    "відкликання",  # Ukrainian
    "リコール",  # Japanese
    "取り消し",
    "回収",
    "撤回",  # Chinese
    "召回",
    "회수",  # Korean
    "استرداد",  # Arabic
    "ביטול",  # Hebrew
)
"""How Outlook begins the subject of a recall, before the colon, by language."""

MESSAGE_CLASS = "ipm.outlook.recall"
CLASS_FIELDS = (
    "content-class",
    "message-class",
    "x-message-class",
    "x-ms-message-class",
)
TNEF_TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")

_PREFIX = re.compile(
    rf"\s*(?:{'|'.join(map(re.escape, RECALL_PREFIXES))})\s*[:\uff1a]\s*", re.IGNORECASE
)
_CLASS_IN_TNEF = re.compile(rb"(?i)ipm\.outlook\.recall")


def recalled_subject(subject: str) -> str | None:
    """The subject that a recall names; None where the subject is none of a recall."""
    prefix = _PREFIX.match(subject)
    return subject[prefix.end() :].strip() if prefix else None


def is_recall_class(value: str) -> bool:
    """Whether a field's text is the class of Outlook's recall object."""
    lowered = value.lower()
    return MESSAGE_CLASS in lowered or "recallmessage" in lowered


def has_recall_class(tnef: bytes) -> bool:
    """Whether a TNEF stream (MS-OXTNEF) holds the class of a recall."""
    narrow = tnef.replace(b"\x00", b"") if b"I\x00P\x00M\x00" in tnef else tnef
    return bool(_CLASS_IN_TNEF.search(narrow))
