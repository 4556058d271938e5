# SPDX-License-Identifier: Apache-2.0
"""Forwarded and quoted header blocks in a body: ``From: … Sent: … To: … Cc: …``.

Mail programs write them above what they forward or answer, in the language of their
user, after ``>`` and in HTML as well as in plain text. A block is two or more such
lines under each other, one of which names people.
"""

import re
from typing import NamedTuple

from undisclosed.core.address import Address
from undisclosed.core.text import addresses_in_text

CHANNEL = "forwarded header block"

# English, Dutch, French, German, Spanish, Italian, Portuguese, Scandinavian, Japanese
PEOPLE_LABELS = frozenset(
    {
        "from", "to", "cc", "bcc", "reply-to", "sender", "on behalf of",
        "resent-from", "resent-to", "resent-cc", "copy to", "original to",
        "van", "aan", "kopie", "cc/kopie", "bcc/blind", "antwoord aan", "namens",
        "de", "à", "a", "copie", "copie à", "cci", "expéditeur", "destinataire",
        "destinataires", "répondre à", "de la part de",
        "von", "an", "kopie an", "blindkopie", "antwort an", "absender", "empfänger",
        "im auftrag von",
        "para", "con copia", "cco", "remitente", "destinatario", "destinatarios",
        "responder a", "en nombre de",
        "da", "per", "ccn", "mittente", "rispondi a", "cópia", "remetente",
        "fra", "til", "kopi", "från", "till", "kopia", "svar till", "svar til",
        "lähettäjä", "vastaanottaja", "kopio", "od", "do", "dw", "kopia do",
        "差出人", "送信者", "送信元", "宛先", "受信者", "写し", "返信先",
        "\uff43\uff43",
    }
)  # fmt: skip
OTHER_LABELS = frozenset(
    {
        "sent", "date", "subject", "importance", "priority", "attachments", "sent by",
        "message-id", "organization", "newsgroups", "x-mailer",
        "verzonden", "datum", "onderwerp", "urgentie", "bijlagen", "prioriteit",
        "envoyé", "envoyé le", "objet", "sujet", "pièces jointes", "importance haute",
        "gesendet", "betreff", "anlagen", "wichtigkeit", "priorität",
        "enviado", "enviado el", "fecha", "asunto", "datos adjuntos", "importancia",
        "inviato", "data", "oggetto", "enviada em", "enviado em", "assunto",
        "sendt", "dato", "emne", "skickat", "ämne", "lähetetty", "aihe", "päivämäärä",
        "wysłano", "temat",
        "送信日時", "日時", "日付", "件名", "重要度", "添付ファイル",
    }
)  # fmt: skip

_LABELS = PEOPLE_LABELS | OTHER_LABELS
_LONGEST_HEAD = 64
# One search goes through all lines: the line end in front is quick to find.
_LABEL = re.compile(
    r"\n[ \t\u3000\xa0>|*_]*+([^\s>|*_:\uff1a][^\n:\uff1a]{0,23}+)[:\uff1a]"
)
_GAP = re.compile(r"\n[ \t\xa0>|*_\r]*\n[ \t\xa0>|*_\r]*[^\s>|*_]")
_QUOTING = re.compile(r"^[ \t]*[>|][ \t>|]*", re.MULTILINE)


class _Line(NamedTuple):
    label: str
    start: int
    after: int


def quoted_people(text: str) -> tuple[list[Address], str]:
    """The people of every header block in the text, and the text without them."""
    lines = _label_lines(text)
    if len(lines) < 2 or not any(line.label in PEOPLE_LABELS for line in lines):
        return [], text
    people: list[Address] = []
    rest: list[str] = []
    position = 0
    for block in _blocks(text, lines):
        for line, end in block:
            if line.label in PEOPLE_LABELS:
                named = text[line.after : end]
                if ">" in named or "|" in named:
                    named = _QUOTING.sub("", named)
                people += addresses_in_text(named)
                rest.append(text[position : line.start])
                position = end
    rest.append(text[position:])
    return people, "\n".join(rest)


def _label_lines(text: str) -> list[_Line]:
    lines = []
    for found in _LABEL.finditer("\n" + text):
        start, after = found.start(), found.end() - 1
        label = found[1].rstrip(" \t*_\xa0\u3000").lower()
        if after - start <= _LONGEST_HEAD and label in _LABELS:
            lines.append(_Line(label, start, after))
    return lines


def _blocks(text: str, lines: list[_Line]) -> list[list[tuple[_Line, int]]]:
    """Lines that stand under each other, each with the end of what it says."""
    blocks: list[list[tuple[_Line, int]]] = []
    block: list[tuple[_Line, int]] = []
    for line, follower in zip(lines, [*lines[1:], None], strict=True):
        end = follower.start if follower else len(text)
        gap = _GAP.search(text, line.after, end)
        block.append((line, gap.start() if gap else end))
        if gap or follower is None:
            blocks.append(block)
            block = []
    return [each for each in blocks if _is_block(each)]


def _is_block(block: list[tuple[_Line, int]]) -> bool:
    labels = {line.label for line, _ in block}
    return len(labels) > 1 and not labels.isdisjoint(PEOPLE_LABELS)
