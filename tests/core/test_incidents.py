# SPDX-License-Identifier: Apache-2.0
"""The real incidents, without a network: what each case comes to.

The waves of a mailing are compared here as Memory does it: same sender, similar
text, people as a union, disclosures as a sum.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.making import POLICY, SAM, address, envelope, people
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN, Known, MailingSoFar
from undisclosed.core.mail import Mail
from undisclosed.core.mailing import SIMILARITY, Wave, similarity, sketch, wave_of
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.private import why_not_singly
from undisclosed.core.verdict import Action

FILE = Path(__file__).parents[3] / "shared" / "cases" / "incidents.json"
CASES: list[dict[str, Any]] = []
if FILE.exists():
    CASES = [one for one in json.loads(FILE.read_text())["cases"] if one["replay"]]

pytestmark = pytest.mark.skipif(
    not CASES, reason="cases/incidents.json is not in the folder beside the project"
)
TEXT = (
    "Dear all, thank you for having taken part. We write to you because you asked us "
    "to keep you informed of what we do next. Please answer the questions on our "
    "website before the end of the month. Kind regards from all of us, Sam Carter"
)
OTHER_TEXT = (
    "You are on the waiting list for a home in the valley. The rules of the list were "
    "changed by the council in March, and points are now given in another way. You "
    "need not do anything; a letter with your own points follows by post. The housing "
    "team"
)
REPEATS = ("UK-YMCA", "UK-SWT", "UK-WREX", "NL-ZAAN")
RECALLS = ("UK-SWT", "UK-WREX", "NL-ZAAN")
CREW = address("everyone@council.example")


def batches(case: dict[str, Any]) -> list[list[Address]]:
    """Who is written to in each wave of a case."""
    sizes, first = case["replay"]["batches"], 0
    audiences = []
    for number, size in enumerate(sizes):
        if case["id"] in REPEATS and number:
            first = 0
        if case["id"] == "UK-ARAP" and number == 2:
            first -= 48
        audiences.append(people(size, first))
        first += size
    return audiences


def mail_of(case: dict[str, Any], number: int, audience: list[Address]) -> Mail:
    """One wave of a case as a message, in the field that the case names."""
    mailboxes = ",\r\n ".join(f"<{one.spelled_out()}>" for one in audience)
    name = "Cc" if case["replay"]["field"].startswith("Cc") else "To"
    if case["id"] == "NL-SCHOUWEN" and number % 2 == 0:
        name = "Bcc"
    if case["id"] == "UK-SHROPS":
        mailboxes = f"Direct payments: {mailboxes};"
    viewers = audience
    if case["id"] == "UK-MET26":
        mailboxes, viewers = CREW.spelled_out(), [CREW]
    text = OTHER_TEXT if case["id"] == "UK-WYCH" and number else TEXT
    recall = "Recall: " if case["id"] in RECALLS and number else ""
    content = (
        f"From: {SAM.spelled_out()}\r\nSubject: {recall}Survey {number + 1}\r\n"
        f"{name}: {mailboxes}\r\n\r\n{text}\r\n"
    )
    return Mail(envelope(viewers), content.encode())


def policy_of(case: dict[str, Any]) -> Policy:
    """The default policy, with the directory where the case has a list."""
    if case["id"] != "UK-MET26":
        return POLICY
    members = DistributionList(tuple(batches(case)[0]))
    return dataclasses.replace(POLICY, lists={CREW: members})


def sketched(wave: Wave) -> tuple[int, ...]:
    """The sketch that Memory would keep."""
    return sketch(
        int.from_bytes(hashlib.sha256(piece).digest()[:8]) for piece in wave.shingles
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_an_incident_comes_to_its_people_and_disclosures(case: dict[str, Any]) -> None:
    policy, shown, disclosures = policy_of(case), set[Address](), 0

    for number, audience in enumerate(batches(case)):
        mail = mail_of(case, number, audience)
        reading = read(mail, policy)
        verdict = judge(reading, NOTHING_KNOWN, policy)
        is_hidden = case["id"] == "NL-SCHOUWEN" and number % 2 == 0
        assert (verdict.action is Action.HOLD) is not is_hidden
        assert bool(verdict.removals) is is_hidden
        wave = wave_of(reading, mail, policy)
        if wave is not None:
            shown |= wave.people
            disclosures += wave.disclosures
            assert (wave.recalls is not None) is (case["id"] in RECALLS and number > 0)

    assert disclosures == case["replay"]["disclosures"]
    assert len(shown) == case["replay"].get("people", len(shown))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_the_waves_of_an_incident_are_one_mailing(case: dict[str, Any]) -> None:
    policy = policy_of(case)
    mails = [mail_of(case, n, people) for n, people in enumerate(batches(case))]
    found = [wave_of(read(mail, policy), mail, policy) for mail in mails]
    waves = [wave for wave in found if wave is not None and not wave.hidden]

    alike = [similarity(sketched(waves[0]), sketched(wave)) for wave in waves]

    assert {wave.sender for wave in waves} == {SAM.person}
    assert all(wave.adds_up for wave in waves)
    is_one_text = case["id"] != "UK-WYCH"
    assert (min(alike) >= SIMILARITY) is is_one_text


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_an_incident_would_have_been_harmless_sent_singly(case: dict[str, Any]) -> None:
    number, policy = len(case["replay"]["batches"]) - 1, policy_of(case)
    mail = mail_of(case, number, batches(case)[number])

    reason = why_not_singly(mail, read(mail, policy), policy)

    is_list = case["id"] == "UK-MET26"
    assert (reason is not None) is is_list


def test_windrush_is_held_from_the_third_batch_on_with_a_limit_of_200() -> None:
    policy = dataclasses.replace(POLICY, max_shown_outsiders=200)
    case = next(one for one in CASES if one["id"] == "UK-WINDRUSH")
    actions, shown, disclosures, texts = [], set[Address](), 0, []

    for number, audience in enumerate(batches(case)):
        reading = read(mail_of(case, number, audience), policy)
        shown |= reading.newly_shown
        disclosures += reading.new_disclosures_in_header
        so_far = MailingSoFar("m", len(shown), disclosures, number + 1)
        verdict = judge(reading, Known(mailing=so_far), policy)
        actions.append(verdict.action)
        texts += [finding.text for finding in verdict.findings]

    assert actions == [Action.ACCEPT] * 2 + [Action.HOLD] * 3
    assert (len(shown), disclosures) == (500, 49_500)
    assert texts[-1] == "500 people in 5 mails would see each other's addresses (Cc)."
