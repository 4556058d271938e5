# SPDX-License-Identifier: Apache-2.0
"""What the journal says of mail that was judged, and let pass, in mode observe.

An entry holds neither address nor subject, so nothing here can be narrowed to one
sender: only who may read all held mail is shown it.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.db.models import QuerySet

from undisclosed.console import paging
from undisclosed.core.verdict import Action
from undisclosed.store.desk import MailingView, Page
from undisclosed.store.models import HeldMail, JournalEntry

EVENT: Final = "observed"
"""How the guard names these entries."""

_LATE: Final = timedelta(hours=1)
"""An entry is written after its mail took its place: by then, at the latest."""

_REMEMBERED_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Observed:
    """One mail that would not have passed as it was; ``people`` is the widest finding.

    ``has_page``: something of its mailing was held, at another time.
    """

    at: datetime
    action: str
    rules: str
    people: int
    removals: int
    mailing_id: str
    has_page: bool


def entries(asked: str | None) -> Page[Observed]:
    """One page of observed mail, the newest first."""
    page = paging.page_of(_all().order_by("-id"), asked)
    ids = {str(entry.facts.get("mailing", "")) for entry in page.items}
    held = HeldMail.objects.filter(mailing_id__in=ids)
    with_page = set(held.values_list("mailing_id", flat=True))
    found = tuple(_observed(entry.at, entry.facts, with_page) for entry in page.items)
    return Page(found, page.number, page.has_next)


def passed_of(view: MailingView) -> int:
    """How many mails of a mailing passed only because the guard was observing.

    A mail that was tried again has several entries, so that no more are counted than
    the mailing has mails which were not held.
    """
    not_held = view.waves - len(view.batches)
    if not_held <= 0:
        return 0
    found = _all().filter(
        at__range=(view.first_at, view.last_at + _LATE), facts__mailing=view.mailing_id
    )
    return min(found.exclude(facts__action=Action.ACCEPT.value).count(), not_held)


def are_there() -> bool:
    """Whether there is any entry; the answer may be a minute old.

    Every page asks, and without an entry the database reads the whole journal.
    """
    return _are_there(int(time.monotonic() // _REMEMBERED_SECONDS))


@lru_cache(maxsize=1)
def _are_there(minute: int) -> bool:
    return _all().exists()


def forget() -> None:
    """Ask the database anew next time."""
    _are_there.cache_clear()


def _all() -> QuerySet[JournalEntry]:
    return JournalEntry.objects.filter(event=EVENT)


def _observed(at: datetime, facts: dict[str, Any], with_page: set[str]) -> Observed:
    """An entry as a value; a fact that is missing counts as nothing."""
    mailing_id = str(facts.get("mailing", ""))
    return Observed(
        at=at,
        action=str(facts.get("action", "")),
        rules=str(facts.get("rules", "")),
        people=int(facts.get("people", 0)),
        removals=int(facts.get("removals", 0)),
        mailing_id=mailing_id,
        has_page=mailing_id in with_page,
    )
