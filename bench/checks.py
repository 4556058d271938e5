# SPDX-License-Identifier: Apache-2.0
"""All checks of a campaign over a small list and over a large one.

The time for each row must not grow with the list: every row is compared with every
other one, and not one after the other.
"""

import resource
import time
from collections.abc import Callable, Iterator

from bench.row import Row
from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, Way
from undisclosed.core.campaign import Row as Person
from undisclosed.send.checking import run_checks
from undisclosed.send.checks.view import CampaignView
from undisclosed.send.merge import compile_draft

COLUMNS = ("Email", "Name", "Reference", "Phone")
FIRST = ("Ann", "Bob", "Carol", "Dave", "Erin", "Frank", "Grace", "Heidi")
TEXT = (
    "Dear {{ name }},\n\n"
    + "from next month your bins are emptied on another day: please have a look at "
    "[our page](https://council.example/bins) before you put them out. \n"
    * 12
    + "\nYour reference is {{ reference }}.\n"
)


def rows(*, quick: bool) -> Iterator[Row]:
    """Rows in a second, and how the time for each grows with the list."""
    sizes = (2_000, 20_000) if quick else (10_000, 100_000)
    run_checks(view(500))
    small, large = (seconds(size) / size for size in sizes)
    yield Row(
        name=f"all checks of a campaign to {sizes[1]:,} people",
        unit="people/s",
        ours=1 / large,
        bound=1 / small,
        bound_name=f"to {sizes[0]:,}",
        target="≥ 0.8 × the shorter list's rate",
        is_met=small >= 0.8 * large,
        bounded_by="making each message, and the patterns over its text",
    )
    yield Row(
        name="memory of it",
        unit="MB",
        ours=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        target="< 300 MB",
        is_met=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 300 * 1024,
        bounded_by="24 bytes for each person, and the metadata of telephone numbers",
    )


def seconds(size: int) -> float:
    """How long all checks take over a list of this size."""
    campaign = view(size)
    began = time.perf_counter()
    run_checks(campaign)
    return time.perf_counter() - began


def view(size: int) -> CampaignView:
    """A campaign to so many people."""
    draft = Draft("Bins: {{ name }}", TEXT, Address("team", "council.example"))
    ways = {Way.MAIL: size}
    template = compile_draft(draft, COLUMNS)
    return CampaignView(draft, COLUMNS, size, ways, template, people(size))


def people(size: int) -> Callable[[], Iterator[Person]]:
    """So many people, each with a name, a number and a telephone of their own."""

    def made() -> Iterator[Person]:
        for number in range(1, size + 1):
            name = f"{FIRST[number % 8]} L{_letters(number)}"
            local = f"{name.lower().replace(' ', '.')}{number}"
            address = Address(local, "a.example")
            values = (
                address.spelled_out(),
                name,
                f"R{number:07d}",
                f"07700 {number:06d}",
            )
            yield Person(number, address, dict(zip(COLUMNS, values, strict=True)))

    return made


def _letters(number: int) -> str:
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters += chr(97 + letter)
    return letters
