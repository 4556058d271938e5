# SPDX-License-Identifier: Apache-2.0
"""A file of people: every problem is named by row and column, and none is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Way
from undisclosed.send.recipients import (
    MOST_PROBLEMS,
    NoRecipients,
    check,
    columns_of,
    rows,
)
from undisclosed.send.tables import Line, Table


def table(*lines):
    """A table of these rows; the first one names the columns."""
    return Table(lambda: (Line(n, tuple(cells)) for n, cells in enumerate(lines, 1)))


HEADER = ("Email", "Name")


def problems(*people, **more):
    found = check(table(HEADER, *people), **more)
    return [(one.row, one.column, one.text, one.is_fatal) for one in found.problems]


def test_a_clean_file_is_importable_and_says_who_is_in_it():
    people = [(f"p{n}@a.example", f"P{n}") for n in range(1, 7)]

    found = check(table(HEADER, *people))

    assert (found.rows, found.mailed, found.is_importable) == (6, 6, True)
    assert found.shared_domains == {"a.example"}
    read = list(rows(table(HEADER, *people), found.columns))
    assert [one.number for one in read] == [2, 3, 4, 5, 6, 7]
    assert read[0].address == Address("p1", "a.example")
    assert read[0].values == {"Email": "p1@a.example", "Name": "P1"}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("", "has no address"),
        ("ann", "is no address"),
        ("ann@", "is no address"),
        ("@a.example", "is no address"),
        ("ann@localhost", "is no address"),
        ("ann@a.example, bob@b.example", "holds more than one address"),
        ("ann@a.example;bob@b.example", "holds more than one address"),
        ("ann@a.example bob@b.example", "holds more than one address"),
        ("ann@a.example/bob@b.example", "holds more than one address"),
        ("Ann <ann@a.example>", "holds more than one address"),
        ("ann@a.example,", "holds more than one address"),
        ("a@b@c.example", "holds more than one address"),
        (f"{'a' * 250}@a.example", "is no address"),
    ],
)
def test_a_cell_that_is_not_one_address_is_fatal(cell, text):
    assert problems((cell, "Ann")) == [(2, "Email", text, True)]


@pytest.mark.parametrize(
    "address",
    ["ann@a.example", "O'Neil@a.example", "jürgen@bücher.example", "a+b.c@x.a.example"],
)
def test_what_is_one_address_is_taken_as_it_is(address):
    found = check(table(HEADER, (address, "Ann")))

    assert found.problems == []
    (row,) = rows(table(HEADER, (address, "Ann")), found.columns)
    assert row.address.spelled_out() == address


def test_the_same_person_twice_is_named_with_the_other_row():
    assert problems(
        ("ann@a.example", "Ann"), ("bob@b.example", "Bob"), ("ANN@A.example", "Anna")
    ) == [(4, "Email", "is the same person as row 2", True)]


def test_control_characters_and_errors_of_the_sheet_are_named():
    assert problems(("ann@a.example", "An\x00n"), ("bob@b.example", "#REF!")) == [
        (2, "Name", "holds a control character", True),
        (3, "Name", "holds an error of the sheet", True),
    ]


def test_rows_that_a_lost_quote_swallowed_are_named():
    assert problems(("ann@a.example", "Ann\nbob@b.example,Bob")) == [
        (2, "Name", "holds several lines and an address: a quote may be missing", True)
    ]


def test_role_addresses_and_lists_are_warnings():
    found = problems(
        ("info@a.example", "x"),
        ("staff-list@a.example", "y"),
        ("friends@a.example", "z"),
        lists=[Address("friends", "a.example")],
    )

    assert [(row, is_fatal) for row, _, _, is_fatal in found] == [
        (2, False), (3, False), (4, False),
    ]  # fmt: skip
    assert "function" in found[0][2]
    assert "list" in found[1][2]
    assert "list" in found[2][2]


def test_a_mix_with_our_own_domain_is_named_once():
    assert problems(
        ("ann@council.example", "x"),
        ("bob@x.council.example", "y"),
        ("carol@b.example", "z"),
        own_domains=["council.example"],
    ) == [(0, "Email", "2 of 3 addresses are our own.", False)]


def test_people_who_are_phoned_or_written_to_need_no_address():
    lines = [
        ("Email", "Name", "Contact by"),
        ("ann@a.example", "Ann", "mail"),
        ("", "Paul", "Phone"),
        ("", "Petra", "post"),
        ("", "Quinn", "pigeon"),
    ]

    found = check(table(*lines))

    assert [(one.row, one.text) for one in found.problems] == [
        (5, "is neither mail, phone nor post")
    ]
    read = list(rows(table(*lines[:4]), found.columns))
    assert [(one.way, one.address is None) for one in read] == [
        (Way.MAIL, False), (Way.PHONE, True), (Way.POST, True),
    ]  # fmt: skip


def test_values_beyond_the_last_column_are_named():
    assert problems(("ann@a.example", "Ann", "", "x")) == [
        (2, "column 3", "stands beyond the last column", True)
    ]


def test_empty_rows_are_no_people():
    found = check(table((), HEADER, ("", ""), ("ann@a.example", "Ann"), ()))

    assert (found.rows, found.problems) == (1, [])


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "nothing in the file"),
        ([("", "")], "nothing in the file"),
        ([("ann@a.example", "Ann")], "first row holds an address"),
        ([("Email", "", "Name")], "Column 2 has no name"),
        ([("Email", "Name", "name")], 'Two columns are called "name"'),
        ([("Email", "First name", "first-name")], 'called "first_name"'),
        ([("Name", "Town"), ("Ann", "North")], "No column holds addresses"),
        ([("A", "B"), ("a@a.example", "b@b.example")], "Several columns"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(lines, sentence):
    with pytest.raises(NoRecipients, match=sentence):
        columns_of(table(*lines))


def test_the_column_of_addresses_can_be_chosen():
    lines = [("Old", "New"), ("a@a.example", "b@b.example")]

    assert columns_of(table(*lines), "new").address == 1
    with pytest.raises(NoRecipients, match='no column "other"'):
        columns_of(table(*lines), "other")


def test_problems_are_counted_to_the_end_and_kept_up_to_a_bound():
    people = [("nobody", "x")] * (MOST_PROBLEMS + 5)

    found = check(table(HEADER, *people))

    assert (found.fatal, len(found.problems)) == (MOST_PROBLEMS + 5, MOST_PROBLEMS)
    assert not found.is_importable


def test_a_file_with_nobody_in_it_is_not_importable():
    assert not check(table(HEADER)).is_importable


@given(st.text(max_size=40))
def test_no_cell_breaks_the_check_and_none_is_quoted(cell):
    found = check(table(HEADER, (cell.strip(), "x")))

    for problem in found.problems:
        assert problem.text.isascii()
    if found.is_importable:
        (row,) = rows(table(HEADER, (cell.strip(), "x")), found.columns)
        assert row.address.spelled_out() == cell.strip()
