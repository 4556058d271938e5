# SPDX-License-Identifier: Apache-2.0
"""Who has to approve, and to what exactly consent is given."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.store import campaigns as made
from undisclosed.core.address import Address
from undisclosed.core.campaign import (
    Attached,
    CheckFinding,
    Draft,
    MailKind,
    Sensitivity,
    Weight,
)
from undisclosed.core.disclosure import Sides
from undisclosed.send.approval import (
    ApprovalPolicy,
    Audience,
    Content,
    audience_of,
    needs,
)
from undisclosed.store import campaigns
from undisclosed.store.campaign_lists import ListSummary

POLICY = ApprovalPolicy()
DRAFT = Draft("Bins", "Monday.", Address("bins", "council.example"))
LIST = ListSummary("l", "North", "bins", "", Sensitivity.ORDINARY, 3, 3, 1, False)
ROLES = st.lists(st.sampled_from(["supervisor", "manager", "dpo"]), max_size=4)


@pytest.mark.parametrize(
    ("has_outsiders", "sensitivity"), list(product((True, False), Sensitivity))
)
def test_people_outside_and_special_lists_need_more(has_outsiders, sensitivity):
    found = needs(POLICY, Audience(has_outsiders, sensitivity))

    assert ("manager" in found) == has_outsiders
    assert "supervisor" in found
    assert ("dpo" in found) == (sensitivity is Sensitivity.SPECIAL)


@given(outside=ROLES, sensitive=ROLES)
def test_no_role_is_asked_twice(outside, sensitive):
    policy = ApprovalPolicy(tuple(outside), (), tuple(sensitive))

    found = needs(policy, Audience(True, Sensitivity.SPECIAL))

    assert len(found) == len(set(found))
    assert set(found) == {*outside, *sensitive}


def test_a_trial_to_oneself_needs_nobody():
    assert needs(POLICY, Audience(True, Sensitivity.SPECIAL, is_trial=True)) == ()


FILE = Attached("a.pdf", "application/pdf", b"one")
FOUND = CheckFinding("dates", Weight.NOTE, "A date is over.")
CONTENT = Content(replace(DRAFT, attachments=(FILE,)), LIST)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            replace(CONTENT, draft=replace(CONTENT.draft, subject="Bin")), id="subject"
        ),
        pytest.param(
            replace(CONTENT, draft=replace(CONTENT.draft, markdown="Tuesday.")),
            id="text",
        ),
        pytest.param(
            replace(CONTENT, draft=replace(CONTENT.draft, kind=MailKind.MARKETING)),
            id="kind",
        ),
        pytest.param(
            replace(
                CONTENT,
                draft=replace(
                    CONTENT.draft, attachments=(replace(FILE, content=b"two"),)
                ),
            ),
            id="a file's bytes",
        ),
        pytest.param(
            replace(
                CONTENT,
                draft=replace(CONTENT.draft, attachments=(replace(FILE, column="C"),)),
            ),
            id="to whom a file goes",
        ),
        pytest.param(replace(CONTENT, chosen=replace(LIST, id="m")), id="list"),
        pytest.param(replace(CONTENT, chosen=replace(LIST, version=2)), id="version"),
        pytest.param(replace(CONTENT, chosen=replace(LIST, mailed=4)), id="count"),
    ],
)
def test_whatever_changes_makes_another_digest(other):
    assert other.digest((FOUND,)) != CONTENT.digest((FOUND,))


def test_other_findings_make_another_digest():
    louder = replace(FOUND, weight=Weight.OVERRIDE)

    assert len({CONTENT.digest(one) for one in ((), (FOUND,), (louder,))}) == 3
    assert CONTENT.digest((FOUND,)) == CONTENT.digest((FOUND,))


@pytest.mark.parametrize(
    ("own", "has_outsiders"), [("a.example", False), ("council.example", True)]
)
def test_whom_it_reaches_is_read_from_the_list(database, own, has_outsiders):
    found = campaigns.get(made.drafted(3))

    audience = audience_of(found, Sides((own,), ()))

    assert audience == Audience(has_outsiders, Sensitivity.ORDINARY)
