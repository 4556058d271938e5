# SPDX-License-Identifier: Apache-2.0
"""Numbers, states and ways between pages, as the templates write them."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from undisclosed.console import wiring
from undisclosed.console.access import Right
from undisclosed.console.observed import entries
from undisclosed.console.sentences import in_the_readers_language
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.core.held import CopyState, HoldState, OutgoingKind
from undisclosed.store.desk import Page
from undisclosed.store.models import Role
from undisclosed.store.rights import rights_anywhere

register = template.Library()

STATE_NAMES: Final[dict[Enum, str | Promise]] = {
    HoldState.HELD: gettext_lazy("Held"),
    HoldState.ACCEPTED: gettext_lazy("Accepted"),
    HoldState.SPLIT: gettext_lazy("Sent singly"),
    HoldState.RELEASED: gettext_lazy("Released unchanged"),
    HoldState.WITHDRAWN: gettext_lazy("Withdrawn"),
    HoldState.RETURNED: gettext_lazy("Returned to its sender"),
    CopyState.QUEUED: gettext_lazy("Queued"),
    CopyState.SENT: gettext_lazy("Sent"),
    CopyState.DELAYED: gettext_lazy("Delayed"),
    CopyState.FAILED: gettext_lazy("Failed"),
    CopyState.WITHDRAWN: gettext_lazy("Withdrawn before it left"),
    CopyState.IN_DOUBT: gettext_lazy("Withdrawn, may have left"),
    CampaignState.DRAFT: gettext_lazy("Draft"),
    CampaignState.CHECKED: gettext_lazy("Checked"),
    CampaignState.SUBMITTED: gettext_lazy("Waits for approval"),
    CampaignState.APPROVED: gettext_lazy("Approved"),
    CampaignState.SCHEDULED: gettext_lazy("Scheduled"),
    CampaignState.SENDING: gettext_lazy("Sending"),
    CampaignState.PAUSED: gettext_lazy("Paused"),
    CampaignState.DONE: gettext_lazy("Done"),
    CampaignState.CANCELLED: gettext_lazy("Cancelled"),
    DeliveryState.QUEUED: gettext_lazy("Queued"),
    DeliveryState.IN_DOUBT: gettext_lazy("In doubt"),
    DeliveryState.SENT: gettext_lazy("Sent"),
    DeliveryState.DELAYED: gettext_lazy("Delayed"),
    DeliveryState.DELIVERED: gettext_lazy("Delivered"),
    DeliveryState.FAILED: gettext_lazy("Failed"),
    DeliveryState.SUPPRESSED: gettext_lazy("Suppressed"),
    OutgoingKind.PRIVATE_COPY: gettext_lazy("Private copy"),
    OutgoingKind.INSIDERS_COPY: gettext_lazy("Copy for the insiders"),
    OutgoingKind.RELEASE: gettext_lazy("Release, unchanged"),
    OutgoingKind.RETURN: gettext_lazy("Return to the sender"),
    OutgoingKind.NOTICE: gettext_lazy("Notice"),
    OutgoingKind.DSN: gettext_lazy("Delivery report"),
}
"""What a state is called on screen, in the words of the glossary."""


register.filter("said", in_the_readers_language)


@register.filter
def count(number: int) -> str:
    """A whole number with the thousands grouped as the language does it."""
    return number_format(number, decimal_pos=0, use_l10n=True, force_grouping=True)


@register.filter
def state_name(state: Enum) -> str | Promise:
    """The name of a state, or of a kind of copy, on screen."""
    return STATE_NAMES[state]


ROLE_NAMES: Final[dict[str, str | Promise]] = {
    Role.SENDER: gettext_lazy("Sender"),
    Role.SUPERVISOR: gettext_lazy("Supervisor"),
    Role.MANAGER: gettext_lazy("Manager"),
    Role.COMMUNICATIONS: gettext_lazy("Communications"),
    Role.DPO: gettext_lazy("Data protection officer"),
    Role.AUDITOR: gettext_lazy("Auditor"),
    Role.ADMINISTRATOR: gettext_lazy("Administrator"),
}
"""What a role is called on screen."""


@register.filter
def role_name(role: str) -> str | Promise:
    """The name of a role on screen; one that is no longer there, as it was kept."""
    return ROLE_NAMES.get(role, role)


@dataclass(frozen=True, slots=True)
class Room:
    """One way of the navigation: its name, its address, whether it is here."""

    name: str | Promise
    href: str
    is_here: bool


ROOMS: Final[tuple[tuple[str | Promise, str, str, frozenset[Right]], ...]] = (
    (
        gettext_lazy("Held mail"),
        "mailings",
        "mailings:list",
        frozenset({Right.SEE_ALL, Right.SEE_OWN}),
    ),
    (
        gettext_lazy("Observed"),
        "observed",
        "observed:list",
        frozenset({Right.SEE_ALL}),
    ),
    (
        gettext_lazy("Circles"),
        "circles",
        "circles:list",
        frozenset({Right.SEE_ALL}),
    ),
    (
        gettext_lazy("Under control"),
        "control",
        "control:list",
        frozenset({Right.SEE_ALL}),
    ),
    (
        gettext_lazy("Post office"),
        "postoffice",
        "postoffice:list",
        frozenset({Right.SEE_POST_OFFICE}),
    ),
    (
        gettext_lazy("Accounts"),
        "accounts",
        "accounts:list",
        frozenset({Right.INVITE}),
    ),
    (
        gettext_lazy("Lists"),
        "lists",
        "lists:list",
        frozenset({Right.SEE_LISTS}),
    ),
    (
        gettext_lazy("Campaigns"),
        "campaigns",
        "campaigns:list",
        frozenset({Right.SEE_CAMPAIGNS}),
    ),
    (
        gettext_lazy("Teams"),
        "teams",
        "teams:list",
        frozenset({Right.INVITE}),
    ),
    (
        gettext_lazy("Journal"),
        "journal",
        "journal:list",
        frozenset({Right.READ_JOURNAL}),
    ),
)
"""Every room: its name, its namespace, its first page, who may enter."""


def _is_open(namespace: str) -> bool:
    """Whether a room is in the navigation: observed mail only where there is any."""
    if namespace != "observed":
        return True
    return wiring.settings().guard.is_observing or entries.are_there()


@register.simple_tag(takes_context=True)
def rooms(context: Context) -> list[Room]:
    """The rooms that whoever looks at the page may enter."""
    request = context["request"]
    match, rights = request.resolver_match, rights_anywhere(request.user)
    here = match.namespace if match else ""
    return [
        Room(name, reverse(first), here == namespace)
        for name, namespace, first, any_of in ROOMS
        if rights & any_of and _is_open(namespace)
    ]


@register.inclusion_tag("console/pages.html", takes_context=True)
def pages(context: Context, page: Page[Any]) -> dict[str, object]:
    """Ways to the page before and the page after, with the query kept."""
    return {
        "has_other_pages": page.number > 1 or page.has_next,
        "number": page.number,
        "previous": _query(context, page.number - 1) if page.number > 1 else "",
        "next": _query(context, page.number + 1) if page.has_next else "",
    }


def _query(context: Context, number: int) -> str:
    """The query of this page, at another page number."""
    query = context["request"].GET.copy()
    query["page"] = str(number)
    return str(query.urlencode())


_ADDRESS = re.compile(r"\S+@\S+")


@register.filter
def without_addresses(text: str) -> str:
    """What a mail server said, with anything like an address cut out."""
    return _ADDRESS.sub("…", text)
