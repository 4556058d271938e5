# SPDX-License-Identifier: Apache-2.0
"""What a scan found, in words and a table."""

from collections.abc import Iterator, Sequence

from undisclosed.cli.wording import counted, printable, written
from undisclosed.scan.mailings import Mailing
from undisclosed.scan.report import without_addresses
from undisclosed.scan.scan import Result

MOST_ROWS = 40
_SUBJECT = 44
_HEAD = ("Sent", "Sender", "Messages", "People", "Disclosures", "Rules", "Subject")
_RIGHT = (2, 3, 4)


def lines_of(result: Result, seconds: float, *, is_spelled_out: bool) -> Iterator[str]:
    """The summary: how much was read, what was found, the mailings as a table."""
    rate = result.messages / max(seconds, 0.001)
    read = f"{counted(result.messages, 'message')} read in {seconds:,.1f} s"
    stopped = "" if result.is_complete else "; stopped before the end"
    yield f"{read} ({rate:,.0f} per second){stopped}."
    if result.mailings:
        yield (
            f"FOUND  {counted(len(result.found), 'message')} in"
            f" {counted(len(result.mailings), 'mailing')}:"
            f" {counted(len(result.people), 'person was', 'people were')} shown to"
            f" others, {counted(result.disclosures, 'disclosure')}."
        )
        yield ""
        yield from _table(result.mailings, is_spelled_out)
    else:
        yield "Nothing found."
    yield from _unread(result)


def _table(mailings: Sequence[Mailing], is_spelled_out: bool) -> Iterator[str]:
    """The mailings with the most people, aligned."""
    by_people = sorted(mailings, key=lambda one: (-len(one.people), one.number))
    rows = [_HEAD, *(_row(one, is_spelled_out) for one in by_people[:MOST_ROWS])]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = (
            cell.rjust(width) if place in _RIGHT else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
    if len(by_people) > MOST_ROWS:
        rest = counted(len(by_people) - MOST_ROWS, "smaller mailing")
        yield f"{rest} more: --report and --json have all of them."


def _row(mailing: Mailing, is_spelled_out: bool) -> tuple[str, ...]:
    subject = mailing.subject if is_spelled_out else without_addresses(mailing.subject)
    author = mailing.author
    return (
        f"{mailing.first_at:%Y-%m-%d}" if mailing.first_at else "undated",
        written(is_spelled_out)(author) if author is not None else "nobody",
        f"{len(mailing.messages):,}",
        f"{len(mailing.people):,}",
        f"{mailing.disclosures:,}",
        ", ".join(finding.rule for finding in mailing.findings),
        _cut(printable(subject)),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SUBJECT else f"{text[: _SUBJECT - 1]}…"


def _unread(result: Result) -> Iterator[str]:
    """What was not read, in a sentence each."""
    if result.uncertain_count or result.passed_over or result.problems:
        yield ""
    if result.uncertain_count:
        yield f"{counted(result.uncertain_count, 'message')} judged but not read whole."
    if result.passed_over:
        yield f"{counted(result.passed_over, 'file')} passed over: no mail is in them."
    if result.problems:
        yield f"{counted(len(result.problems), 'place')} could not be read."
