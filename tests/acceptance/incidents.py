# SPDX-License-Identifier: Apache-2.0
"""The real incidents of ``../shared/cases/incidents.json`` as messages to send.

Each case with a ``replay`` becomes waves: one message each, distinct outsiders at
distinct domains, in the field that the case names. What the file says in prose
(an overlap, a recall, months between two waves) is a row of a table here.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

INCIDENTS = Path(__file__).parents[3] / "shared" / "cases" / "incidents.json"

SENDER = "survey@authority.example"
DISTRIBUTION_LIST = "everyone@lists.authority.example"


@dataclass(frozen=True, slots=True)
class Peculiarity:
    """What a case's prose says and its numbers do not."""

    repeats_first: bool = False
    recall: bool = False
    apart: timedelta = timedelta(minutes=5)
    two_texts: bool = False
    group: bool = False
    is_list: bool = False
    in_bcc: tuple[int, ...] = ()
    repeated_in_last: int = 0


PECULIARITIES = {
    "UK-ARAP": Peculiarity(repeated_in_last=48, apart=timedelta(days=6)),
    "UK-YMCA": Peculiarity(repeats_first=True),
    "UK-DEAN": Peculiarity(apart=timedelta(days=5 * 365)),
    "UK-BPN": Peculiarity(apart=timedelta(days=78)),
    "UK-MET26": Peculiarity(is_list=True),
    "UK-SHROPS": Peculiarity(group=True),
    "UK-WYCH": Peculiarity(two_texts=True),
    "UK-SWT": Peculiarity(repeats_first=True, recall=True),
    "UK-WREX": Peculiarity(repeats_first=True, recall=True),
    "NL-ZAAN": Peculiarity(repeats_first=True, recall=True),
    "NL-ROOS": Peculiarity(apart=timedelta(days=30), repeats_first=True),
    "NL-SCHOUWEN": Peculiarity(in_bcc=(0, 2, 4)),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """One message of a case: who receives it, in which field, when, its bytes."""

    recipients: tuple[str, ...]
    field: str
    after: timedelta
    content: bytes = field(repr=False)
    rcpt_tos: tuple[str, ...] = ()
    is_recall: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """One case as the tests replay it, with what it must come to."""

    id: str
    organisation: str
    batches: tuple[Batch, ...]
    people: int | None
    disclosures: int
    members: tuple[str, ...]
    mailings: int


def load() -> list[Incident]:
    """Every case of the file that has a replay; empty where the file is not here."""
    if not INCIDENTS.exists():
        return []
    cases = json.loads(INCIDENTS.read_text())["cases"]
    return [_incident(case) for case in cases if case["replay"]]


def _incident(case: dict) -> Incident:
    replay, odd = case["replay"], PECULIARITIES.get(case["id"], Peculiarity())
    batches, used = [], 0
    for number, size in enumerate(replay["batches"]):
        first = 0 if odd.repeats_first else used
        if odd.repeated_in_last and number == len(replay["batches"]) - 1:
            first = used - odd.repeated_in_last
        people = _people(first, size)
        used = max(used, first + size)
        batches.append(_batch(case["id"], replay["field"], odd, number, people))
    members = _people(0, used) if odd.is_list else ()
    is_apart = odd.two_texts or odd.apart > timedelta(days=14)
    return Incident(
        id=case["id"],
        organisation=case["organisation"],
        batches=tuple(batches),
        people=replay.get("people"),
        disclosures=replay["disclosures"],
        members=members,
        mailings=len(batches) if is_apart else 1,
    )


def _people(first: int, size: int) -> tuple[str, ...]:
    return tuple(f"p{n}@home{n}.example" for n in range(first, first + size))


def _batch(
    case_id: str,
    described_field: str,
    odd: Peculiarity,
    number: int,
    people: tuple[str, ...],
) -> Batch:
    is_hidden = number in odd.in_bcc
    name = "Bcc" if is_hidden else "To" if described_field.startswith("To") else "Cc"
    is_recall = odd.recall and number > 0
    shown = (DISTRIBUTION_LIST,) if odd.is_list else people
    listed = ",\r\n ".join(shown)
    if odd.group:
        listed = f"Everyone: {listed};"
    text = TEXTS[number if odd.two_texts else 0]
    subject = f"{'Recall: ' if is_recall else ''}News from {case_id} {text[:12]}"
    to_field = "" if name == "To" else f"To: {SENDER}\r\n"
    content = (
        f"From: Survey team <{SENDER}>\r\n{to_field}{name}: {listed}\r\n"
        f"Subject: {subject}\r\nDate: Mon, 02 Nov 2026 09:{number:02}:00 +0000\r\n"
        f"Message-ID: <{case_id}.{number}@authority.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        f"{RECALL_TEXT if is_recall else text}\r\n"
    ).encode()
    return Batch(
        recipients=people,
        field=name,
        after=odd.apart * number,
        content=content,
        rcpt_tos=shown,
        is_recall=is_recall,
        is_hidden=is_hidden,
    )


RECALL_TEXT = "The sender would like to recall this message."
TEXTS = (
    "Dear resident, thank you for your report. We would like to hear how satisfied\r\n"
    "you were with the way in which we dealt with it. The questions take about five\r\n"
    "minutes and your answers stay with our survey team. Please reply by Friday.",
    "Waiting list for housing in the hills: the letting rules change next month.\r\n"
    "Applicants with a banding need to do nothing. If the household grew, tell\r\n"
    "the housing desk before the end of the quarter, with a copy of the tenancy.",
)
