# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report: bars as inline SVG, and the months behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

_MOST_BARS = 60
_STEPS = (1, 3, 12, 60, 120)  # months that one bar stands for


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time on the picture, and how many people it stands for."""

    name: str
    people: int
    mailings: int


def spans_of(people_at: Sequence[tuple[datetime, int]]) -> tuple[Span, ...]:
    """People by month, or by as many months as keep the bars few; gaps included."""
    if not people_at:
        return ()
    months = [moment.year * 12 + moment.month - 1 for moment, _ in people_at]
    whole = max(months) - min(months) + 1
    step = next((one for one in _STEPS if whole / one <= _MOST_BARS), _STEPS[-1])
    first, last = min(months) // step, max(months) // step
    people, mailings = [0] * (last - first + 1), [0] * (last - first + 1)
    for month, (_, count) in zip(months, people_at, strict=True):
        people[month // step - first] += count
        mailings[month // step - first] += 1
    return tuple(
        Span(_name((first + place) * step, step), people[place], mailings[place])
        for place in range(len(people))
    )


def bars_over_time(spans: Sequence[Span], description: str) -> str:
    """Upright bars, one for each span, as high as its people."""
    most = max((span.people for span in spans), default=0) or 1
    width = 1000 / max(len(spans), 12)
    bars = "".join(
        f'<rect class="is-seen" x="{place * width + width * 0.1:.2f}" '
        f'y="{200 - _height(span.people, most):.2f}" width="{width * 0.8:.2f}" '
        f'height="{_height(span.people, most):.2f}"><title>{escape(span.name)}: '
        f"{span.people:,}</title></rect>"
        for place, span in enumerate(spans)
        if span.people
    )
    lines = "".join(
        f'<line class="is-line" x1="0" x2="1000" y1="{y}" y2="{y}"/>'
        for y in (0.5, 100, 199.5)
    )
    return (
        f'<svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(description)}">{lines}{bars}</svg>'
    )


def bar(count: int, most: int) -> str:
    """A lying bar: this many of the most. Decoration: the number stands beside it."""
    width = max(1000 * count / most, 3) if count and most else 0
    return (
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" '
        'aria-hidden="true" focusable="false"><rect class="is-rest" width="1000" '
        f'height="10"/><rect class="is-seen" width="{width:.2f}" height="10"/></svg>'
    )


def _height(count: int, most: int) -> float:
    """Never so low that a bar with people in it cannot be seen."""
    return max(198 * count / most, 2.0) if count else 0.0


def _name(month: int, step: int) -> str:
    year, rest = divmod(month, 12)
    if step >= 12:
        return f"{year}" if step == 12 else f"{year}\u2013{year + step // 12 - 1}"
    if step == 3:
        return f"{year}, quarter {rest // 3 + 1}"
    return f"{datetime(year, rest + 1, 1):%B} {year}"
