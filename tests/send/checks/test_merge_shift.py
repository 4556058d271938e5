# SPDX-License-Identifier: Apache-2.0
"""Columns that slipped or were sorted alone, in lists as people have them."""

import random
from dataclasses import replace
from zlib import crc32

import pytest

from tests.send.checks.views import found, row
from undisclosed.core.campaign import Weight
from undisclosed.send.checks.merge_shift import MergeShift

FIRST = (
    "oliver amelia george isla noah ava arthur mia harry ivy leo lily jack freya "
    "muhammad florence oscar willow charlie rosie"
).split()
LAST = (
    "smith jones taylor brown williams wilson johnson davies patel robinson wright "
    "thompson evans walker white roberts green hall thomas clarke jackson wood harris"
).split()
PEOPLE = 123  # as many as one utility wrote to with somebody else's balance


def real_list(seed, *, named=0.6):
    """A list in which so large a share of the addresses has to do with the name."""
    chance = random.Random(seed)
    rows = []
    for number in range(1, PEOPLE + 1):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        ways = (f"{first}.{last}", f"{first[0]}{last}", f"{last}7", f"{first}1980")
        local = chance.choice(ways) if chance.random() < named else "sunny"
        address = f"{local}{number}@a.example"
        rows.append(row(number, f"{first} {last}".title(), "R1", address=address))
    return rows


def moved(rows, change):
    values = change([one.values["Name"] for one in rows])
    return [
        replace(one, values={**one.values, "Name": value})
        for one, value in zip(rows, values, strict=True)
    ]


def is_found(rows):
    return any(one.weight is Weight.OVERRIDE for one in found(MergeShift(), rows))


@pytest.mark.parametrize("named", [0.9, 0.6, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_an_intact_list_is_left_in_whatever_order(seed, named):
    rows = real_list(seed, named=named)

    assert not is_found(rows)
    assert not is_found(sorted(rows, key=lambda one: one.values["Name"]))


@pytest.mark.parametrize("named", [0.9, 0.6, 0.3])
@pytest.mark.parametrize(
    "change",
    [
        lambda v: [*v[1:], v[0]],
        lambda v: [v[-1], *v[:-1]],
        lambda v: [*v[:60], *v[61:], v[0]],
    ],
    ids=["up", "down", "from a deleted cell on"],
)
def test_a_column_that_slipped_is_found_although_few_addresses_tell(change, named):
    assert is_found(moved(real_list(1, named=named), change))


@pytest.mark.parametrize("named", [0.9, 0.6])
def test_a_column_that_was_sorted_alone_is_found_although_names_repeat(named):
    assert is_found(moved(real_list(2, named=named), sorted))


COLUMNS = ("Email", "Name", "Ref", "Number", "Joined", "Postcode", "Depot", "Balance")


def others(seed, people=PEOPLE):
    """A list whose columns have no word in common."""
    chance = random.Random(seed)
    postcodes = [f"NR{n} {n % 7}AB" for n in range(20)]
    number, day, rows = 4_000, 0, []
    for _ in range(people):
        number, day = number + chance.randint(1, 9), day + chance.randint(0, 3)
        postcode = chance.choice(postcodes)
        rows.append({
            "Name": f"{chance.choice(FIRST)} {chance.choice(LAST)}",
            "Number": str(number),
            "Joined": f"{day % 28 + 1:02}/{day // 28 % 12 + 1:02}/{2015 + day // 336}",
            "Postcode": postcode,
            "Depot": f"Depot {'ABCDEFG'[postcodes.index(postcode) % 7]}",
            "Balance": f"£{chance.randint(1, 90_000) / 100:,.2f}",
        })  # fmt: skip
    chance.shuffle(rows)
    return rows


def listed(values):
    return [
        replace(
            row(n, address=f"x{crc32(b'%d' % n)}@a.example"),
            values={"Email": "", "Ref": "R1", **one},
        )
        for n, one in enumerate(values, 1)
    ]


def said(values, shown="Balance"):
    """The weights of what is found where a column is shown in the messages."""
    text = f"Dear {{{{ name }}}}: {{{{ {shown.lower()} }}}}"
    return {
        one.weight for one in found(MergeShift(), listed(values), text, columns=COLUMNS)
    }


def changed(values, column, change):
    moved = change([one[column] for one in values])
    return [one | {column: value} for one, value in zip(values, moved, strict=True)]


SLIPS = {
    "up": lambda v: [*v[1:], v[0]],
    "down": lambda v: [v[-1], *v[:-1]],
    "from the middle on": lambda v: [*v[:50], *v[51:], v[0]],
    "by three": lambda v: [*v[3:], *v[:3]],
}


@pytest.mark.parametrize("column", ["Number", "Joined", "Postcode", "Depot"])
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_found_where_no_column_has_a_word_of_another(column, slip):
    assert Weight.OVERRIDE in said(changed(others(1), column, SLIPS[slip]))


@pytest.mark.parametrize("order", ["", "Name", "Number", "Postcode", "Depot"])
@pytest.mark.parametrize("seed", range(4))
def test_an_intact_list_of_such_columns_is_left_in_whatever_order(seed, order):
    values = others(seed, 200)
    if order:
        values.sort(key=lambda one: one[order])

    assert Weight.OVERRIDE not in said(values)


def balance(text):
    return float(text[1:].replace(",", ""))


def test_amounts_in_order_beside_people_in_order_were_sorted_alone():
    values = sorted(others(2), key=lambda one: one["Name"])

    assert said(values) == set()
    alone = changed(values, "Balance", lambda v: sorted(v, key=balance))
    assert said(alone) == {Weight.OVERRIDE}


def test_amounts_in_order_are_shown_to_whoever_approves_where_people_are_in_none():
    """The whole list may have been sorted by them: nobody has to answer for it."""
    alone = changed(others(2), "Balance", lambda v: sorted(v, key=balance))

    assert said(alone) == {Weight.NOTE}
    assert said(alone, shown="Number") == set()


def test_the_numbers_of_the_rows_are_in_order_and_say_nothing():
    values = [one | {"Balance": str(n)} for n, one in enumerate(others(3), 1)]

    assert Weight.OVERRIDE not in said(sorted(values, key=lambda one: one["Name"]))
    assert said(values) == set()


@pytest.mark.parametrize("slip", ["up", "down", "from the middle on"])
def test_files_named_after_people_that_slipped_are_found(slip):
    values = others(4)
    values = [
        one | {"Depot": f"letter-{one['Name'].replace(' ', '_')}.pdf"} for one in values
    ]

    assert Weight.OVERRIDE not in said(values)
    assert Weight.OVERRIDE in said(changed(values, "Depot", SLIPS[slip]))
