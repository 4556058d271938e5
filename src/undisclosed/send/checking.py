# SPDX-License-Identifier: Apache-2.0
"""Runs the checks: one pass over all rows, however many checks there are.

Each row is merged once and shown to every check, so that the time grows with the list
and the memory does not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from undisclosed.core.campaign import CheckFinding, Row, Way, Weight
from undisclosed.send.checks import ALL_CHECKS
from undisclosed.send.checks.check import Check
from undisclosed.send.checks.view import CampaignView, Merged
from undisclosed.send.message import Marks
from undisclosed.send.template import RowUnfit

PROGRESS_EVERY = 1000
"""Rows between two calls of ``progress``."""

_ORDER = (Weight.STOP, Weight.OVERRIDE, Weight.NOTE)


def run_checks(
    view: CampaignView,
    *,
    checks: Sequence[Check] = ALL_CHECKS,
    progress: Callable[[int], None] | None = None,
    reading: Callable[[int], None] | None = None,
) -> tuple[CheckFinding, ...]:
    """Everything that the checks find, what weighs most first.

    ``progress`` is told how many rows were looked at, ``reading`` how many a check
    has read besides, to know what belongs to whom. What they raise ends the run.
    """
    told = replace(view, source=_telling(view, reading)) if reading else view
    at_work = [check.start(told) for check in checks]
    for count, one in enumerate(merged(view), 1):
        for examination in at_work:
            examination.look(one)
        if progress is not None and count % PROGRESS_EVERY == 0:
            progress(count)
    found = [one for examination in at_work for one in examination.findings()]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.weight)))


def _telling(
    view: CampaignView, reading: Callable[[int], None]
) -> Callable[[], Iterator[Row]]:
    """The rows, and a word about them now and then."""

    def source() -> Iterator[Row]:
        for count, row in enumerate(view.source(), 1):
            if count % PROGRESS_EVERY == 0:
                reading(count)
            yield row

    return source


def merged(view: CampaignView) -> Iterator[Merged]:
    """Every message that would leave, in the order of the list."""
    marks = view.marks
    for row in view.rows():
        if row.way is Way.MAIL:
            yield _merged(view, row, marks)


def _merged(view: CampaignView, row: Row, marks: Marks) -> Merged:
    values = view.template.values_of(row)
    try:
        return Merged(row, view.template.preview(row, marks), values)
    except RowUnfit as unfit:
        # Its sentence names the row and the field, never a value.
        return Merged(row, None, values, str(unfit))
