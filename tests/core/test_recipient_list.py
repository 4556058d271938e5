# SPDX-License-Identifier: Apache-2.0
"""Whom a list names as recipients: exactly those, or it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import spellings
from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.recipient_list import NoRecipientList, recipient_list

OWN = "council.example"
ANN = "ann@a.example"

names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='"\\\ufffd'),
    max_size=12,
)
ways = st.sampled_from(
    ["{0}", "<{0}>", '"{1}" <{0}>', "{0} (a comment (nested))", " {0} ", "Team: {0}"]
)
separators = st.sampled_from([",", ", ", ";", ",,", ", ; "])


@given(st.lists(st.tuples(spellings, ways, names)), separators)
def test_whoever_is_written_into_a_list_is_read_out_of_it(people, separator):
    text = separator.join(how.format(a, n) for a, how, n in people)

    found = [one.spelled_out() for one in recipient_list(text, OWN)]
    assert found == list(dict.fromkeys(a for a, *_ in people))


@given(st.text("ann@b.,;:<>()\"\\ \t[]%!'", max_size=60))
def test_a_recipient_is_always_among_the_people_that_the_guard_reads(text):
    try:
        found = recipient_list(text, OWN)
    except NoRecipientList:
        return

    with_domain = [one for one in found if f"@{OWN}" not in one.spelled_out()]
    assert set(with_domain) <= set(mailboxes(text))


@given(st.text(max_size=200))
def test_whatever_the_list_is_it_is_read_or_refused(text):
    try:
        recipient_list(text, OWN)
    except NoRecipientList as error:
        assert "@" not in str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" , ;", []),
        (ANN, [ANN]),
        ("root", [f"root@{OWN}"]),
        ("root, ann@a.example", [f"root@{OWN}", ANN]),
        ("bob@b.example <ann@a.example>", [ANN]),
        ('"bob@b.example, Inc" <ann@a.example>', [ANN]),
        ("ann@a.example (not bob@b.example)", [ANN]),
        ("Team: ann@a.example, <bob@b.example>;", [ANN, "bob@b.example"]),
        ("Nobody:;", []),
        ("<@relay.example:ann@a.example>", [ANN]),
        ('"ann smith"@a.example', ['"ann smith"@a.example']),
        ("ann@[192.0.2.1]", ["ann@[192.0.2.1]"]),
        ("ann@a.example; bob@b.example", [ANN, "bob@b.example"]),
        ("Ann@A.example, ann@a.example", ["Ann@A.example"]),
        ("Dr. Ann Smith <ann@a.example>", [ANN]),
    ],
)
def test_what_a_list_names(text, expected):
    assert [one.spelled_out() for one in recipient_list(text, OWN)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "ann smith@a.example",
        "ann@b@a.example",
        "<ann@a.example> bob@b.example",
        "<ann@a.example> <bob@b.example>",
        '"ann@a.example',
        "ann@a.example (open",
        "ann@a.example)",
        "<>",
        "Ann <>",
        "Ann Smith",
        "ann@",
        "@a.example",
        "<ann@a.example>: bob@b.example",
        "ann@a.example\x00",
        "ann@a.example bob@b.example",
        "ann\ufffd@a.example",
        "<ann<bob@b.example>",
    ],
)
def test_a_list_that_could_be_taken_in_two_ways_is_refused(text):
    with pytest.raises(NoRecipientList):
        recipient_list(text, OWN)


def test_a_local_name_is_one_of_the_given_domain():
    assert recipient_list("postmaster", OWN) == (Address("postmaster", OWN),)
