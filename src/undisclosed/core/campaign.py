# SPDX-License-Identifier: Apache-2.0
"""Campaigns and their deliveries: values, and their life cycles as tables.

A campaign is one template, one list of recipients, its approvals and its deliveries.
The sending part decides with these, the store keeps them. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError


class CampaignState(Enum):
    """Where a campaign is. Whatever changes it before it is approved makes a draft."""

    DRAFT = "draft"
    CHECKED = "checked"  # the checks ran over exactly this
    SUBMITTED = "submitted"  # waits for its approvers
    APPROVED = "approved"  # bound to one hash; nothing can be changed any more
    SCHEDULED = "scheduled"  # its time has not come
    SENDING = "sending"
    PAUSED = "paused"
    DONE = "done"  # the states of its deliveries add up to the approved list
    CANCELLED = "cancelled"


class CampaignEvent(Enum):
    """What can happen to a campaign."""

    CHANGE = "change"
    CHECK = "check"
    SUBMIT = "submit"
    REJECT = "reject"
    APPROVE = "approve"  # the last approval that was required
    SCHEDULE = "schedule"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    FINISH = "finish"
    CANCEL = "cancel"


_S, _E = CampaignState, CampaignEvent

CAMPAIGN_TRANSITIONS: Mapping[CampaignState, Mapping[CampaignEvent, CampaignState]] = {
    _S.DRAFT: {
        _E.CHANGE: _S.DRAFT,
        _E.CHECK: _S.CHECKED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.CHECKED: {
        _E.CHANGE: _S.DRAFT,
        _E.CHECK: _S.CHECKED,
        _E.SUBMIT: _S.SUBMITTED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.SUBMITTED: {
        _E.CHANGE: _S.DRAFT,
        _E.REJECT: _S.DRAFT,
        _E.APPROVE: _S.APPROVED,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.APPROVED: {
        _E.CHANGE: _S.DRAFT,
        _E.REJECT: _S.DRAFT,
        _E.SCHEDULE: _S.SCHEDULED,
        _E.START: _S.SENDING,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.SCHEDULED: {
        _E.CHANGE: _S.DRAFT,
        _E.REJECT: _S.DRAFT,
        _E.START: _S.SENDING,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.SENDING: {
        _E.PAUSE: _S.PAUSED,
        _E.FINISH: _S.DONE,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.PAUSED: {
        _E.RESUME: _S.SENDING,
        _E.FINISH: _S.DONE,
        _E.CANCEL: _S.CANCELLED,
    },
    _S.DONE: {},
    _S.CANCELLED: {},
}


class DeliveryState(Enum):
    """Where one message to one recipient is (RFC 3464 §2.3.3 for the last words)."""

    QUEUED = "queued"
    IN_DOUBT = "in doubt"  # handed over, and the answer was not recorded
    SENT = "sent"  # the next hop answered 250; no more is known
    DELAYED = "delayed"  # 4xx; again later
    DELIVERED = "delivered"  # a DSN says so
    FAILED = "failed"  # 5xx or a DSN; never again
    SUPPRESSED = "suppressed"  # never tried on purpose


class DeliveryEvent(Enum):
    """What happens to one delivery."""

    BEGIN = "begin"  # written down before the first byte of DATA leaves
    REPLY_2XX = "2xx"
    REPLY_4XX = "4xx"
    REPLY_5XX = "5xx"
    NOT_HANDED_OVER = "not handed over"  # the content cannot have been taken
    RESEND = "resend"  # a person, or the policy, decides about an in doubt
    TREAT_AS_SENT = "treat as sent"
    DSN_DELIVERED = "DSN delivered"
    DSN_FAILED = "DSN failed"
    SUPPRESS = "suppress"
    GIVE_UP = "give up"


_D, _V = DeliveryState, DeliveryEvent

DELIVERY_TRANSITIONS: Mapping[DeliveryState, Mapping[DeliveryEvent, DeliveryState]] = {
    _D.QUEUED: {
        _V.BEGIN: _D.IN_DOUBT,
        _V.SUPPRESS: _D.SUPPRESSED,
        _V.GIVE_UP: _D.FAILED,
    },
    _D.IN_DOUBT: {
        _V.REPLY_2XX: _D.SENT,
        _V.REPLY_4XX: _D.DELAYED,
        _V.REPLY_5XX: _D.FAILED,
        _V.NOT_HANDED_OVER: _D.QUEUED,
        _V.RESEND: _D.QUEUED,
        _V.TREAT_AS_SENT: _D.SENT,
        _V.DSN_DELIVERED: _D.DELIVERED,
        _V.DSN_FAILED: _D.FAILED,
    },
    _D.DELAYED: {
        _V.BEGIN: _D.IN_DOUBT,
        _V.SUPPRESS: _D.SUPPRESSED,
        _V.GIVE_UP: _D.FAILED,
    },
    _D.SENT: {_V.DSN_DELIVERED: _D.DELIVERED, _V.DSN_FAILED: _D.FAILED},
    _D.DELIVERED: {_V.DSN_FAILED: _D.FAILED},
    _D.FAILED: {},
    _D.SUPPRESSED: {},
}


class NoSuchStep(UndisclosedError):
    """The campaign is not in a state in which this can be done."""


def campaign_after(state: CampaignState, event: CampaignEvent) -> CampaignState:
    """The state that a step leads to. Raises NoSuchStep."""
    after = CAMPAIGN_TRANSITIONS[state].get(event)
    if after is None:
        raise NoSuchStep(state=state.value, step=event.value)
    return after


class Way(Enum):
    """How a person is reached: some are phoned or written to instead of mailed."""

    MAIL = "mail"
    PHONE = "phone"
    POST = "post"


class Sensitivity(Enum):
    """How much it tells about people that they stand on a list."""

    ORDINARY = "ordinary"
    CONFIDENTIAL = "confidential"  # its people are a hidden audience
    SPECIAL = "special"  # special categories (GDPR Art. 9): the DPO approves, too


class MailKind(Enum):
    """Service mail or marketing, with what follows from it (RFC 8058, consent)."""

    SERVICE = "service"
    MARKETING = "marketing"


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a list: the row's number in the file, counted from 1.

    ``values`` has a text for every column of the list, the address' among them;
    ``address`` is None where the person is not mailed (phone, post).
    """

    number: int
    address: Address | None
    values: Mapping[str, str] = field(repr=False)
    way: Way = Way.MAIL


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a campaign.

    ``column`` is empty where every message carries it; else the column whose value
    in a row is this file's name, so that each person gets their own.
    """

    name: str = field(repr=False)
    media_type: str
    content: bytes = field(repr=False)
    column: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written once for all: the template, before any row is merged into it.

    ``subject`` and ``markdown`` are templates (``send.merge`` says in which language);
    ``author`` is the From mailbox with its display name, ``reply_to`` the one monitored
    box that answers go to.
    """

    subject: str = field(repr=False)
    markdown: str = field(repr=False)
    author: Address
    author_name: str = ""
    reply_to: Address | None = None
    kind: MailKind = MailKind.SERVICE
    attachments: tuple[Attached, ...] = field(default=(), repr=False)


class Weight(Enum):
    """What a check's finding asks for."""

    NOTE = "note"
    OVERRIDE = "override"  # a person may override it, with a reason
    STOP = "stop"  # nobody may


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What a check found before anybody may approve.

    ``text`` is one sentence without an address or a row's data; ``place`` says where
    (``subject``, ``text, line 3``, ``column Phone``, a file's number); ``rows`` are the
    numbers of the first rows concerned, ``count`` how many there are.
    """

    check: str
    weight: Weight
    text: str
    place: str = ""
    rows: tuple[int, ...] = ()
    count: int = 0
