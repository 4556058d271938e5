# SPDX-License-Identifier: Apache-2.0
"""The one place which joins guard and store for the pages.

Pages decide through ``guard.desk`` and read through ``store.desk``; neither
knows the other. This module can be imported before Django is configured: the
command line makes its parts from the same functions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from django.conf import settings as django_conf
from django.utils import timezone

from undisclosed.core.policy import Policy
from undisclosed.guard import desk
from undisclosed.guard.clearance import Clearances
from undisclosed.guard.copies import CannotSendSingly
from undisclosed.guard.endpoints.http import HttpEndpoint
from undisclosed.guard.identity import KeyedIds
from undisclosed.guard.links import LinkSigner
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import crypto, journal
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.settings_values import Settings
from undisclosed.store.spool import PostgresSpool
from undisclosed.store.used import PostgresOnce
from undisclosed.transport.reading.limits import ReaderLimits
from undisclosed.transport.reading.pool import PooledReader

Outcomes = tuple[desk.Outcome, ...]


def settings() -> Settings:
    """The settings of this installation."""
    return cast(Settings, django_conf.UNDISCLOSED)  # type: ignore[misc]


def policy() -> Policy:
    """The policy that private copies are judged by."""
    return settings().policy


@cache
def keyed_ids() -> KeyedIds:
    """Makes the ids of copies and of persons in links."""
    return KeyedIds(crypto.keys().derive("keyed ids"))


@cache
def link_signer() -> LinkSigner:
    """Signs and opens the links of notices."""
    return LinkSigner(*crypto.keys().derive_all("links"))


@cache
def send_tokens() -> Tokens:
    """Makes and opens the opaque tokens of campaigns."""
    purposes = {one: crypto.keys().derive_all(f"send {one.value}") for one in Purpose}
    generations = zip(*purposes.values(), strict=True)
    newest, *earlier = (dict(zip(purposes, keys, strict=True)) for keys in generations)
    return Tokens(newest, *earlier)


@cache
def spool() -> PostgresSpool:
    """Held mail and the copies that leave."""
    return PostgresSpool(crypto.keys())


@cache
def memory() -> PostgresMemory:
    """What was shown to whom before."""
    return PostgresMemory(crypto.keys())


@cache
def clearances() -> Clearances:
    """Makes and opens what was decided about mail before it came."""
    newest, *earlier = crypto.keys().derive_all("clearances")
    return Clearances(
        newest,
        PostgresOnce(crypto.keys()),
        _journal,
        lifetime=settings().api.clearance,
        earlier=earlier,
    )


@cache
def reader() -> PooledReader:
    """Reads attached documents, in child processes of this one."""
    limits = settings().guard.reader
    return PooledReader(
        ReaderLimits(limits.processes, limits.limit.total_seconds(), limits.memory)
    )


@cache
def http_endpoint() -> HttpEndpoint:
    """Advises about mail that is not sent yet."""
    return HttpEndpoint(policy(), clearances(), reader=reader())


def _journal(event: str, **facts: object) -> None:
    """The guard's journal: what it writes, it did itself."""
    journal.write(event, actor="guard", **facts)


@dataclass(frozen=True, slots=True)
class Decision:
    """One way to decide a whole mailing. ``has_undo``: what leaves of it waits."""

    decide: Callable[..., Outcomes]
    has_undo: bool = False

    def of(self, mailing_id: str, by: desk.Actor, **more: str) -> Outcomes:
        """Decide every held mail of the mailing. Raises as ``guard.desk`` does."""
        undo: dict[str, object] = {}
        if self.has_undo:
            # Its copies are made now, so its documents are read again.
            undo = {"undo": settings().holds.undo_split, "reader": reader()}
        return self.decide(
            spool(),
            memory(),
            mailing_id,
            policy(),
            by,
            timezone.now(),
            name=keyed_ids(),
            **undo,
            **more,
        )


REFUSALS: Final = (
    desk.NotYours,
    desk.NotAnApprover,
    desk.OwnMail,
    desk.ReasonMissing,
    CannotSendSingly,
)
"""Why a decision is not carried out; each says so in a sentence."""

SEND_SINGLY: Final = Decision(desk.send_mailing_singly, has_undo=True)
SEND_NOW: Final = Decision(desk.send_mailing_now)
WITHDRAW: Final = Decision(desk.withdraw_mailing)
RELEASE: Final = Decision(desk.release_mailing)
