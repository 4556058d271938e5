# SPDX-License-Identifier: Apache-2.0
"""Campaigns for the checks to look at, and a resolver that answers from a table."""

from dataclasses import dataclass, field

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.campaign import Draft, Row, Way
from undisclosed.send.checking import run_checks
from undisclosed.send.checks.view import CampaignView, ResolverAway
from undisclosed.send.merge import compile_draft

TEAM = Address("team", "council.example")
BOX = Address("box", "council.example")
TEXT = "Dear {{ name }},\n\nyour bin is emptied on Monday."
COLUMNS = ("Email", "Name", "Ref")


def row(number, name="", ref="", *, address=None, way=Way.MAIL, **more):
    """One person: the address is made of the name."""
    local = name.lower().replace(" ", ".") or f"p{number}"
    text = address or f"{local}@a.example"
    values = {"Email": text, "Name": name or f"P{number}", "Ref": ref, **more}
    return Row(number, parse_addr_spec(text) if way is Way.MAIL else None, values, way)


def people(count, **more):
    """So many people with names of their own."""
    return [
        row(n, f"Fay{_letters(n)} Lee{_letters(n * 7)}", **more)
        for n in range(1, count + 1)
    ]


def _letters(number):
    return "".join(chr(97 + int(digit)) for digit in f"{number:04d}")


def view(
    rows, markdown=TEXT, subject="Bin days", *, columns=COLUMNS, draft=None, **more
):
    """A campaign over these rows."""
    written = {"author_name": "Bin team", "reply_to": BOX, **(draft or {})}
    made = Draft(subject, markdown, TEAM, **written)
    rows = list(rows)
    ways = {way: sum(one.way is way for one in rows) for way in Way}
    return CampaignView(
        made,
        tuple(columns),
        ways[Way.MAIL],
        ways,
        compile_draft(made, columns),
        lambda: iter(rows),
        own_domains=frozenset(("council.example",)),
        **more,
    )


def found(check, *args, **more):
    """What one check finds."""
    return run_checks(view(*args, **more), checks=[check])


def weights(findings):
    """What each finding weighs."""
    return [one.weight for one in findings]


@dataclass(frozen=True)
class TableResolver:
    """Answers from tables; everything else is not there."""

    txt: dict = field(default_factory=dict)
    mx: dict = field(default_factory=dict)
    a: dict = field(default_factory=dict)

    def texts(self, name):
        return tuple(self.txt.get(name, ()))

    def exchanges(self, name):
        return tuple(self.mx.get(name, ()))

    def addresses(self, name):
        return tuple(self.a.get(name, ()))


class AwayResolver:
    """Never answers."""

    def texts(self, name):
        raise ResolverAway

    exchanges = addresses = texts
