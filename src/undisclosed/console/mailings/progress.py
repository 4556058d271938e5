# SPDX-License-Identifier: Apache-2.0
"""Where the copies of a mailing are: one sentence and one bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from undisclosed.console.picture import Part, Piece, pieces
from undisclosed.console.templatetags.console import count
from undisclosed.core.held import CopyState

_TAKEN_BACK = (CopyState.WITHDRAWN, CopyState.IN_DOUBT)
_WAITING = (CopyState.QUEUED, CopyState.DELAYED)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the fragment shows; ``again`` is where it asks while copies wait."""

    heading: str
    sentence: str
    pieces: tuple[Piece, ...]
    is_moving: bool
    leaves_in: int
    page: str
    again: str
    every: str


def progress_of(
    copies: Mapping[CopyState, int],
    *,
    page: str,
    again: str,
    every: str = "",
    leaves_at: datetime | None = None,
    now: datetime | None = None,
) -> Progress | None:
    """The progress of the copies; None where none was ever made.

    ``leaves_at`` is when the first copy leaves that waits in its undo window.
    ``page`` and ``again`` lead to the whole page and to the fragment; ``every`` to
    the list of all copies, "" for whoever has no such list.
    """
    whole = sum(copies.values())
    if not whole:
        return None
    leaves_in = _seconds(leaves_at, now)
    sent, failed = copies.get(CopyState.SENT, 0), copies.get(CopyState.FAILED, 0)
    waiting = sum(copies.get(state, 0) for state in _WAITING)
    parts = (Part(sent, "safe"), Part(failed, "seen"), Part(waiting, "wait"))
    return Progress(
        heading=_heading(copies, waiting, leaves_in),
        sentence=_sentence(copies, whole),
        pieces=pieces(parts, whole=whole),
        is_moving=waiting > 0,
        leaves_in=leaves_in,
        page=page,
        again=again,
        every=every,
    )


def _seconds(leaves_at: datetime | None, now: datetime | None) -> int:
    """How long the undo window is still open; 0 where it is not."""
    if leaves_at is None or now is None:
        return 0
    return max(0, -((now - leaves_at) // timedelta(seconds=1)))


def _heading(copies: Mapping[CopyState, int], waiting: int, leaves_in: int) -> str:
    """What is going on, in a few words."""
    if leaves_in:
        return ngettext(
            "Leaves in %(seconds)s second", "Leaves in %(seconds)s seconds", leaves_in
        ) % {"seconds": count(leaves_in)}
    if waiting:
        return _("On its way")
    if any(copies.get(state) for state in _TAKEN_BACK):
        return _("Taken back")
    failed = copies.get(CopyState.FAILED, 0)
    return _("Sent, with failures") if failed else _("All copies are sent")


def _sentence(copies: Mapping[CopyState, int], whole: int) -> str:
    """How many copies are where."""
    counted = ngettext("%(whole)s copy", "%(whole)s copies", whole) % {
        "whole": count(whole)
    }
    words = {
        CopyState.SENT: _("%(number)s sent"),
        CopyState.QUEUED: _("%(number)s queued"),
        CopyState.DELAYED: _("%(number)s delayed"),
        CopyState.FAILED: _("%(number)s failed"),
        CopyState.WITHDRAWN: _("%(number)s withdrawn before they left"),
        CopyState.IN_DOUBT: _("%(number)s withdrawn, may have left"),
    }
    each = [
        words[state] % {"number": count(copies[state])}
        for state in words
        if copies.get(state)
    ]
    return f"{counted}: {', '.join(each)}."
