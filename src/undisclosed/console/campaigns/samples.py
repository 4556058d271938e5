# SPDX-License-Identifier: Apache-2.0
"""What one person's message would be: for the page, and for a test to oneself.

Whoever may not read rows sees them masked: the wording is the row's, with all that is
constant and the branch that each condition takes; of a value, that there is one. Who
writes the conditions, too, would read any value by asking for it: theirs are asked of
the masked values.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from django.utils.translation import gettext as _

from undisclosed.console import wiring
from undisclosed.core import masking
from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind, Row
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.send.merge import Preview, Template
from undisclosed.send.message import Marks
from undisclosed.send.template import RowUnfit, TemplateError
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaign_lists, lists
from undisclosed.store.campaigns import Campaign, NotComplete
from undisclosed.store.lists import NoSuchList

NOBODY: Final = Address("somebody", "recipient.invalid")
"""Whom a masked row is written to."""

NO_ROW: Final = 0
"""The row in the tokens of previews and tests: there is nobody behind it."""

_KEEP_TRYING: Final = timedelta(days=1)


class Sight(Enum):
    """How much of a row somebody sees."""

    WHOLE = "whole"
    MASKED = "masked"  # its values; conditions are the row's
    BLIND = "blind"  # conditions are asked of the masked values


@dataclass(frozen=True, slots=True)
class Sample:
    """One person's message, or why there is none.

    ``number`` is the row's; ``before`` and ``after`` those of its neighbours, 0 where
    there is none. ``size`` is that of the whole message in octets.
    """

    number: int
    before: int
    after: int
    seen: Sight
    preview: Preview | None = field(repr=False)
    raw: str = field(default="", repr=False)
    size: int = 0
    trouble: str = ""

    @property
    def is_masked(self) -> bool:
        """Whether no value of it is shown."""
        return self.seen is not Sight.WHOLE

    @property
    def is_blind(self) -> bool:
        """Whether its branches are none of the row's."""
        return self.seen is Sight.BLIND


def sample_of(
    found: Campaign, template: Template, asked: int, now: datetime, *, seen: Sight
) -> Sample:
    """The message of the row that was asked for, or of the next one that is mailed."""
    row, before, after = _neighbours(found, asked)
    if row is None:
        trouble = _("There is nobody on the list who would be mailed.")
        return Sample(0, 0, 0, seen, None, trouble=trouble)
    shown = row if seen is Sight.WHOLE else replace(row, address=NOBODY)
    try:
        preview = template.preview(
            _asked_of(shown, seen), marks(found, template, now), mask=_mask(seen)
        )
    except RowUnfit as unfit:
        return Sample(row.number, before, after, seen, None, trouble=str(unfit))
    raw = preview.raw.decode("utf-8", "backslashreplace")
    size = len(preview.raw)
    return Sample(row.number, before, after, seen, preview, raw, size)


def _asked_of(row: Row, seen: Sight) -> Row:
    """The row whose values the conditions ask."""
    if seen is not Sight.BLIND:
        return row
    return replace(row, values=masking.masked_values(row.values))


def _mask(seen: Sight) -> Callable[[str], str] | None:
    return masking.masked if seen is Sight.MASKED else None


def marks(found: Campaign, template: Template, now: datetime) -> Marks:
    """What a message that is no delivery carries: tokens of nobody."""
    page = ""
    if template.draft.kind is MailKind.MARKETING:
        token = wiring.send_tokens().make(Purpose.UNSUBSCRIBE, found.serial, NO_ROW)
        page = f"{wiring.settings().console.url}/unsubscribe/{token}/"
    return Marks(f"test-{secrets.token_hex(8)}", now, page)


def masked(row: Row) -> Row:
    """The row as those see it who may not read it; a link still is one."""
    return replace(row, address=NOBODY, values=masking.masked_values(row.values))


def test_mail(
    found: Campaign,
    template: Template,
    row: Row,
    to: Address,
    now: datetime,
    *,
    seen: Sight,
) -> Outgoing:
    """A row's message addressed to oneself. Raises RowUnfit."""
    mine = _asked_of(replace(row, address=to), seen)
    made = template.message(mine, marks(found, template, now), mask=_mask(seen))
    needs = ("BODY=8BITMIME", "SMTPUTF8") if made.needs_utf8 else ("BODY=8BITMIME",)
    return Outgoing(
        secrets.token_hex(16),
        None,
        OutgoingKind.NOTICE,
        Envelope(None, (Recipient(to),), needs),
        content=made.wire,
        expires_at=now + _KEEP_TRYING,
    )


def first_row(found: Campaign, asked: int) -> Row | None:
    """The row that was asked for, or the next one that is mailed."""
    return _neighbours(found, asked)[0]


def why_no_template(error: Exception) -> str:
    """In a sentence, why there is nothing to look at yet."""
    match error:
        case TemplateError():
            return str(error)
        case NotComplete():
            return _("There is no text yet.")
        case NoSuchList():
            return _("Its list was destroyed.")
    raise error


UNREADABLE: Final = (TemplateError, NotComplete, NoSuchList)
"""Why there may be no template."""


def _neighbours(found: Campaign, asked: int) -> tuple[Row | None, int, int]:
    """The row, and the numbers of those before and after it that are mailed."""
    if found.list_id is None:
        return None, 0, 0
    number, before, after = campaign_lists.neighbours(found.list_id, asked)
    return lists.some(found.list_id, [number]).get(number), before, after
