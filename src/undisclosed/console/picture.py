# SPDX-License-Identifier: Apache-2.0
"""The picture of a mailing as geometry: one bar per mail, drawn by a template.

Only numbers are made here, as text with a point, so that no locale can put a
comma into an SVG attribute. Widths are parts of a hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100.0


@dataclass(frozen=True, slots=True)
class Piece:
    """One coloured part of a bar: where it starts, how wide, and its class."""

    x: str
    width: str
    kind: str


@dataclass(frozen=True, slots=True)
class Part:
    """A count and the class (colour) that it is drawn in."""

    count: int
    kind: str


def pieces(parts: Sequence[Part], *, whole: int) -> tuple[Piece, ...]:
    """The parts side by side, as wide as their share of ``whole``.

    Empty parts are left out. Counts above ``whole`` are drawn as ``whole``.
    """
    drawn, before = [], 0
    for part in parts:
        if part.count <= 0:
            continue
        start, end = _share(before, whole), _share(before + part.count, whole)
        drawn.append(Piece(f"{start:.3f}", f"{end - start:.3f}", part.kind))
        before += part.count
    return tuple(drawn)


def _share(count: int, whole: int) -> float:
    """How far along the bar a count reaches."""
    return WIDTH * min(count, whole) / whole if whole > 0 else 0.0
