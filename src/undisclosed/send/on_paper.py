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
from undisclosed.send.letters import Printed
from undisclosed.send.merge import compile_draft
from undisclosed.store import campaign_files, campaign_lists, campaigns, lists

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


class SomeNotPrinted(UndisclosedError):
    """Some people cannot be printed here. Nothing was printed yet."""

    def __init__(self, printed: Printed) -> None:
        super().__init__(" ".join(one.why for one in printed.left_out))
        self.printed = printed


class NotApproved(UndisclosedError):
    """The campaign has no approved text for this list as it is now.

    Also where the list was changed since: nobody approved letters to its new rows.
    """


def call_sheet(list_id: str, *, heading: str, without: bool = False) -> Printed:
    """The call sheet of a list; ``without`` those who cannot be printed.

    Raises NobodyOnPaper, TooMany, SomeNotPrinted, NoSuchList.
    """
    people = _people(list_id, Way.PHONE)
    columns = lists.columns(list_id)
    made = sheets.call_sheet(people, columns, heading=heading)
    return _whole(made, without=without)


def letters(
    list_id: str, campaign_id: str, *, day: date, without: bool = False
) -> Printed:
    """The letters of a list with an approved campaign's text.

    ``without`` those who cannot be printed; else they are an error that names their
    rows. Raises NotApproved, NobodyOnPaper, TooMany, SomeNotPrinted, NoPostalColumns.
    """
    campaign = campaigns.get(campaign_id)
    text = campaigns.approved_text_of(campaign_id)
    is_approved = campaign.state in APPROVED and campaign.list_id == list_id
    if text is None or not is_approved:
        raise NotApproved(campaign=campaign_id)
    draft = drafts.from_json(text)
    people = _people(list_id, Way.POST)
    # Asked after the rows were read: whatever changed them before, it shows here.
    if campaign.list_version != campaign_lists.get(list_id).version:
        raise NotApproved(campaign=campaign_id)
    template = compile_draft(draft, lists.columns(list_id))
    answers_to = draft.reply_to or draft.author
    files = campaign_files.summaries(campaign_id)
    head = sheets.Letterhead(
        draft.author_name,
        answers_to.spelled_out(),
        day,
        enclosed=tuple(one.name for one in files if not one.column),
        own_by=tuple(dict.fromkeys(one.column for one in files if one.column)),
    )
    return _whole(sheets.letters(template, people, head), without=without)


def _whole(made: Printed, *, without: bool) -> Printed:
    if made.left_out and not (without and made.people):
        raise SomeNotPrinted(made)
    return made


def _people(list_id: str, way: Way) -> Sequence[Row]:
    people = list(islice(lists.rows(list_id, way=way), MOST + 1))
    if not people:
        raise NobodyOnPaper
    if len(people) > MOST:
        raise TooMany
    return people
