# SPDX-License-Identifier: Apache-2.0
"""What changed in a campaign's text since somebody last approved it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import ndiff

from undisclosed.core.campaign import Draft
from undisclosed.send.draft import from_json
from undisclosed.store import campaigns


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``kind`` is "gone", "new" or "same"."""

    kind: str
    text: str = field(repr=False)


_KINDS = {"- ": "gone", "+ ": "new", "  ": "same"}


def since_approved(campaign_id: str) -> tuple[Line, ...]:
    """The lines of the text as they were and as they are; empty where none differs."""
    before = campaigns.approved_text_of(campaign_id)
    after = campaigns.text_of(campaign_id)
    if before is None or after is None or before == after:
        return ()
    old, new = list(_lines(from_json(before))), list(_lines(from_json(after)))
    return tuple(
        Line(_KINDS[line[:2]], line[2:])
        for line in ndiff(old, new)
        if line[:2] in _KINDS
    )


def _lines(draft: Draft) -> Iterator[str]:
    yield f"{draft.author_name} <{draft.author.spelled_out()}>"
    yield draft.reply_to.spelled_out() if draft.reply_to else ""
    yield draft.kind.value
    yield draft.subject
    yield from draft.markdown.splitlines()
