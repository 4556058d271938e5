# SPDX-License-Identifier: Apache-2.0
"""A list's people who are phoned or written to, as PDF: read, merged, printed."""

from collections.abc import Sequence
from datetime import date
from itertools import islice
from typing import Final

from undisclosed.core.campaign import CampaignState, Row, Way
from undisclosed.errors import UndisclosedError
from undisclosed.send import draft as drafts
from undisclosed.send import letters as sheets
from undisclosed.send.merge import compile_draft
from undisclosed.store import campaigns, lists

MOST: Final = sheets.MOST

APPROVED: Final = (
    CampaignState.APPROVED,
    CampaignState.SCHEDULED,
    CampaignState.SENDING,
    CampaignState.PAUSED,
    CampaignState.DONE,
)
"""What is printed was approved, as what is mailed."""


class NobodyOnPaper(UndisclosedError):
    """Nobody of the list is to be reached so."""


class TooMany(UndisclosedError):
    """There are too many people for one file: divide the list."""


class NotApproved(UndisclosedError):
    """The campaign has no approved text for this list as it is now."""


def call_sheet(list_id: str, *, heading: str) -> tuple[bytes, int]:
    """The call sheet of a list, and how many people are on it.

    Raises NobodyOnPaper, TooMany, CannotBePrinted, NoSuchList.
    """
    people = _people(list_id, Way.PHONE)
    columns = lists.columns(list_id)
    return sheets.call_sheet(people, columns, heading=heading), len(people)


def letters(list_id: str, campaign_id: str, *, day: date) -> tuple[bytes, int]:
    """The letters of a list with an approved campaign's text, and how many.

    Raises NotApproved, NobodyOnPaper, TooMany, and as ``letters.letters``.
    """
    campaign = campaigns.get(campaign_id)
    text = campaigns.approved_text_of(campaign_id)
    is_approved = campaign.state in APPROVED and campaign.list_id == list_id
    if text is None or not is_approved:
        raise NotApproved(campaign=campaign_id)
    draft = drafts.from_json(text)
    people = _people(list_id, Way.POST)
    template = compile_draft(draft, lists.columns(list_id))
    answers_to = draft.reply_to or draft.author
    head = sheets.Letterhead(draft.author_name, answers_to.spelled_out(), day)
    return sheets.letters(template, people, head), len(people)


def _people(list_id: str, way: Way) -> Sequence[Row]:
    people = list(islice(lists.rows(list_id, way=way), MOST + 1))
    if not people:
        raise NobodyOnPaper
    if len(people) > MOST:
        raise TooMany
    return people
