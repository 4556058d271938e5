# SPDX-License-Identifier: Apache-2.0
"""Columns that slipped or were sorted alone: how many are found, and false alarms.

Lists are made as organisations have them, in every order that one sorts by, intact and
damaged in each column in four ways; and every table of the public corpus is looked at
as it is, where nothing slipped.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from bench.row import Row
from undisclosed.core.address import Address
from undisclosed.core.campaign import Row as Person
from undisclosed.core.campaign import Weight
from undisclosed.send.checks.merge_shift import MergeShift
from undisclosed.send.checks.view import CampaignView, Merged
from undisclosed.send.tables import TableUnreadable, open_table

TABLES = Path("../shared/corpora/tables")
PEOPLE = (60, 123, 1_000)
"""How long the lists are; 123 people got somebody else's balance in one known case."""

FIRST = (
    "oliver amelia george isla noah ava arthur mia harry ivy leo lily jack freya "
    "muhammad florence oscar willow charlie rosie theo grace alfie evie"
).split()
LAST = (
    "smith jones taylor brown williams wilson johnson davies patel robinson wright "
    "thompson evans walker white roberts green hall thomas clarke jackson wood harris"
).split()
ORDERS = ("", "Name", "Number", "Joined", "Postcode", "Balance")
COLUMNS = ("Name", "Number", "Joined", "Postcode", "Depot", "Balance", "Letter")
Values = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """What the check asks of a campaign."""

    columns: tuple[str, ...]
    people: Sequence[Person] = field(repr=False)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Everything is shown."""
        return self.columns

    def rows(self) -> Iterator[Person]:
        """Everybody."""
        return iter(self.people)

    def findings(self) -> set[Weight]:
        """What weighs that the check finds."""
        at_work = MergeShift().start(cast(CampaignView, self))
        for one in self.people:
            at_work.look(Merged(one, None))
        return {one.weight for one in at_work.findings()}


def rows(*, quick: bool) -> Iterator[Row]:
    """Shares that were found, by column, and false alarms."""
    seeds = range(2 if quick else 6)
    alarms, lists = Counter[Weight](), 0
    for people in PEOPLE:
        for seed in seeds:
            for order in ORDERS:
                alarms.update(table(ordered(made(people, seed), order)).findings())
                lists += 1
    yield Row(
        name=f"false alarms over {lists} intact lists in six orders",
        unit="lists",
        ours=alarms[Weight.OVERRIDE],
        bound=lists,
        bound_name="lists",
        target="0",
        is_met=not alarms[Weight.OVERRIDE],
        bounded_by=f"besides {alarms[Weight.NOTE]} notes, which ask for nothing",
    )
    found = [table(list(each)).findings() for each in damaged(seeds)]
    count = sum(Weight.OVERRIDE in one for one in found)
    yield Row(
        name=f"of {len(found)} lists with one column slipped or sorted alone",
        unit="found",
        ours=count,
        bound=len(found),
        bound_name="lists",
        bounded_by="amounts: nothing says whose they are",
    )
    for column in COLUMNS:
        said = [table(each).findings() for each in damaged(seeds, (column,))]
        yield Row(
            name=f"  in the column {column}",
            unit="found",
            ours=sum(Weight.OVERRIDE in one for one in said),
            bound=len(said),
            bound_name="lists",
        )
    yield from _corpus()


def _corpus() -> Iterator[Row]:
    tables = list(public(TABLES))
    alarms = Counter[Weight]()
    for each in tables:
        alarms.update(each.findings())
    yield Row(
        name=f"false alarms over {len(tables)} public tables of eight rows or more",
        unit="tables",
        ours=alarms[Weight.OVERRIDE],
        bound=len(tables),
        bound_name="tables",
        bounded_by=f"besides {alarms[Weight.NOTE]} notes",
    )


def made(people: int, seed: int) -> Values:
    """A list of people as they joined, whose balances follow nothing."""
    chance = random.Random(seed)
    postcodes = [
        f"NR{n % 9 + 1} {chance.randint(1, 9)}{n:02}" for n in range(people // 6)
    ]
    found, number, day = [], 40_000, 0
    for _ in range(people):
        first, last = chance.choice(FIRST), chance.choice(LAST)
        number, day = number + chance.randint(1, 9), day + chance.randint(0, 5)
        postcode = chance.choice(postcodes)
        local = chance.choice((f"{first}.{last}", f"{first[0]}{last}", f"{last}7"))
        sunny = f"sunny{chance.randint(100, 999)}"
        found.append({
            "address": local if chance.random() < 0.6 else sunny,
            "Name": f"{first} {last}".title(),
            "Number": f"{number}",
            "Joined": f"{2015 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}",
            "Postcode": postcode,
            "Depot": f"Depot {'ABCDEFG'[hash_of(postcode) % 7]}",
            "Balance": f"£{chance.randint(1, 90_000) / 100:,.2f}",
            "Letter": f"letter-{first}-{last}.pdf",
        })  # fmt: skip
    chance.shuffle(found)
    return found


def hash_of(text: str) -> int:
    """The same number for the same text in every run."""
    return sum(ord(letter) * place for place, letter in enumerate(text, 1))


def ordered(values: Values, order: str) -> Values:
    """The list as somebody sorted all of it."""
    if not order:
        return values
    if order == "Balance":
        return sorted(values, key=lambda one: float(one[order][1:].replace(",", "")))
    return sorted(values, key=lambda one: one[order])


def damaged(seeds: Iterable[int], columns: Sequence[str] = COLUMNS) -> Iterator[Values]:
    """Lists with one column moved, from the top or from the middle, or sorted."""
    changes: tuple[Callable[[list[str]], list[str]], ...] = (
        lambda v: [*v[1:], v[0]],
        lambda v: [v[-1], *v[:-1]],
        lambda v: [*v[: len(v) // 2], *v[len(v) // 2 + 1 :], v[0]],
        sorted,
    )
    for people in PEOPLE:
        for seed in seeds:
            for column in columns:
                for change in changes:
                    order = "" if change is sorted else ("", "Name")[seed % 2]
                    values = ordered(made(people, seed), order)
                    moved = change([one[column] for one in values])
                    yield [
                        one | {column: value}
                        for one, value in zip(values, moved, strict=True)
                    ]


def table(values: Values) -> Table:
    """The values as rows of a list."""
    people = [
        Person(number, Address(one["address"], "a.example"), one)
        for number, one in enumerate(values, 1)
    ]
    return Table(COLUMNS, people)


def public(folder: Path) -> Iterator[Table]:
    """Every table of the corpus that has eight rows, its first line as headings."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            lines = [line.cells for line in open_table(file).lines()]
        except (TableUnreadable, OSError):
            continue
        head, *rest = lines or [()]
        if len(rest) < 8 or len(head) < 2:
            continue
        columns = tuple(f"{place} {name}" for place, name in enumerate(head))
        yield Table(
            columns,
            [
                Person(number, None, dict(zip(columns, cells, strict=False)))
                for number, cells in enumerate(rest, 1)
            ],
        )
