# SPDX-License-Identifier: Apache-2.0
"""Where the copies of a mailing are: one sentence and one bar."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from undisclosed.console.picture import Part, Piece, pieces
from undisclosed.console.templatetags.console import count
from undisclosed.core.held import CopyState

_WAITING = (CopyState.QUEUED, CopyState.DELAYED)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the fragment shows; ``again`` is where it asks while copies wait."""

    heading: str
    sentence: str
    pieces: tuple[Piece, ...]
    is_moving: bool
    page: str
    again: str
    every: str


def progress_of(
    copies: Mapping[CopyState, int], *, page: str, again: str, every: str = ""
) -> Progress | None:
    """The progress of the copies; None where none was ever made.

    ``page`` and ``again`` lead to the whole page and to the fragment; ``every`` to
    the list of all copies, "" for whoever has no such list.
    """
    whole = sum(copies.values())
    if not whole:
        return None
    sent, failed = copies.get(CopyState.SENT, 0), copies.get(CopyState.FAILED, 0)
    waiting = sum(copies.get(state, 0) for state in _WAITING)
    parts = (Part(sent, "safe"), Part(failed, "seen"), Part(waiting, "wait"))
    return Progress(
        heading=_heading(waiting, failed),
        sentence=_sentence(copies, whole),
        pieces=pieces(parts, whole=whole),
        is_moving=waiting > 0,
        page=page,
        again=again,
        every=every,
    )


def _heading(waiting: int, failed: int) -> str:
    """What is going on, in a few words."""
    if waiting:
        return _("On its way")
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
    }
    each = [
        words[state] % {"number": count(copies[state])}
        for state in words
        if copies.get(state)
    ]
    return f"{counted}: {', '.join(each)}."
