# SPDX-License-Identifier: Apache-2.0
"""Columns that slipped or were sorted alone, in lists as people have them."""

import random
from dataclasses import replace

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
