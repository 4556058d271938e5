# SPDX-License-Identifier: Apache-2.0
"""What is exported reads again as it was, and is no program in a spreadsheet."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.campaign import Row, Way
from undisclosed.send.exporting import problems_csv, rows_csv
from undisclosed.send.recipients import Problem

values = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def read(lines):
    text = "".join(lines)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


@given(values)
def test_a_value_is_read_again_with_an_apostrophe_at_most(value):
    row = Row(2, None, {"Name": value}, Way.PHONE)

    head, (number, way, found) = read(rows_csv(["Name"], [row]))

    assert head == ["Row", "Way", "Name"]
    assert (number, way) == ("2", "phone")
    assert found in (value, f"'{value}")


@pytest.mark.parametrize(
    "value", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1"]
)
def test_a_formula_is_made_a_text(value):
    (_, (*_, found)) = read(rows_csv(["Name"], [Row(2, None, {"Name": value})]))

    assert found == f"'{value}"


@pytest.mark.parametrize(
    "value", ["+44 20 7946 0000", "-12.5", "+49 (0)30/1234", "a=b"]
)
def test_a_number_with_a_sign_stays_as_it_is(value):
    (_, (*_, found)) = read(rows_csv(["Name"], [Row(2, None, {"Name": value})]))

    assert found == value


def test_problems_say_where_and_whether_they_stop():
    problems = [
        Problem(3, "Email", "is no address"),
        Problem(0, "Email", "1 of 2 addresses are our own.", is_fatal=False),
    ]

    assert read(problems_csv(problems))[1:] == [
        ["3", "Email", "is no address", "yes"],
        ["all", "Email", "1 of 2 addresses are our own.", "no"],
    ]
