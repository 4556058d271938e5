# SPDX-License-Identifier: Apache-2.0
"""How ``undisclosed campaign`` says what it found: counts and states, no address."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from undisclosed.cli.wording import counted, printable
from undisclosed.core.campaign import CheckFinding

if TYPE_CHECKING:
    from undisclosed.console.campaigns.samples import Sample
    from undisclosed.console.campaigns.sight import Sight
    from undisclosed.send.difference import Difference, FileChange, Line
    from undisclosed.store.campaign_approved import FileFacts
    from undisclosed.store.models import Campaign

SHOWN_OF_DIGEST = 16
"""Characters of a digest that are shown, and asked for with an approval."""


def line_of(row: "Campaign") -> str:
    """One campaign of the list."""
    people = counted(row.recipients, "person", "people")
    name, team = printable(row.name), printable(row.team.name)
    return f"{row.id}  {row.state:>9}  {people:>12}  {team}: {name}"


def lines_of(sight: "Sight") -> Iterator[str]:
    """One campaign, its findings, its approvals, its deliveries."""
    found = sight.campaign
    yield f"Campaign {found.id}: {found.state.value}, {printable(found.name)}"
    yield f"{printable(sight.team.name)}, {found.kind.value} mail"
    if sight.chosen is not None:
        people = counted(found.recipients, "person", "people")
        yield f"To {people} of the list {printable(sight.chosen.name)}"
    yield from _decided(sight)
    if sight.digest:
        yield f"Digest {sight.digest[:SHOWN_OF_DIGEST]}"
    if found.not_before is not None:
        yield f"Not before {found.not_before:%F %T} UTC"
    if found.paused_because:
        yield f"Paused: {printable(found.paused_because)}"
    if sight.live is not None:
        yield sight.live.sentence
        for state, number in sight.live.counts:
            yield f"  {state.value}: {number:,}"


def _decided(sight: "Sight") -> Iterator[str]:
    for each in sight.found:
        for one in each.findings:
            yield f"  {_weight(one)}  {one.check}: {printable(one.text)}"
        if each.name:
            yield f"    answered for: {printable(each.reason)}"
    for need in sight.needed:
        by = f"by {printable(need.by)}" if need.by else "waits"
        yield f"  approval as {need.role}: {by}"


def lines_of_difference(found: "Difference") -> Iterator[str]:
    """What changed since it was approved; - was there, + is there now."""
    if not found:
        yield "Nothing changed since it was last approved, or it never was."
    for one in (*found.settings, *found.chosen):
        before, after = printable(one.before), printable(one.after)
        yield f"{one.what}: {before or '(nothing)'} -> {after or '(nothing)'}"
    if found.text:
        yield "Subject and text:"
        yield from map(_line, found.text)
    for file in found.files:
        name = printable(file.name) or f"one person's own, by {printable(file.column)}"
        yield f"File {name}: {file.kind}"
        yield from (f"  {sign} {_facts(one)}" for sign, one in _sides(file))
        yield from map(_line, file.lines)


_SIGNS = {"gone": "-", "new": "+", "same": " ", "more": " "}


def _line(line: "Line") -> str:
    return f"  {_SIGNS[line.kind]} {printable(line.text)}"


def _sides(file: "FileChange") -> "Iterator[tuple[str, FileFacts]]":
    if file.before is not None:
        yield "-", file.before
    if file.after is not None:
        yield "+", file.after


def _facts(one: "FileFacts") -> str:
    digest = one.digest[:SHOWN_OF_DIGEST]
    return f"{one.size:,} bytes, {printable(one.media_type)}, SHA-256 {digest}"


def lines_of_sample(sample: "Sample", *, is_raw: bool) -> Iterator[str]:
    """One person's message."""
    if sample.preview is None:
        yield f"Row {sample.number}: {sample.trouble}"
        return
    masked = ", values masked" if sample.is_masked else ""
    masked += ", conditions asked of the masked values" if sample.is_blind else ""
    yield f"Row {sample.number}, {sample.size:,} bytes{masked}"
    if is_raw:
        yield from (printable(line) for line in sample.raw.splitlines())
        return
    yield f"Subject: {printable(sample.preview.subject)}"
    yield ""
    yield from (printable(line) for line in sample.preview.text.splitlines())


def _weight(one: CheckFinding) -> str:
    return f"{one.weight.value:>8}"
