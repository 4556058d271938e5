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
from undisclosed.guard.identity import KeyedIds
from undisclosed.guard.links import LinkSigner
from undisclosed.store import crypto
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.settings_values import Settings
from undisclosed.store.spool import PostgresSpool

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
    return LinkSigner(crypto.keys().derive("links"))


@cache
def spool() -> PostgresSpool:
    """Held mail and the copies that leave."""
    return PostgresSpool(crypto.keys())


@cache
def memory() -> PostgresMemory:
    """What was shown to whom before."""
    return PostgresMemory(crypto.keys())


@dataclass(frozen=True, slots=True)
class Decision:
    """One way to decide a whole mailing."""

    decide: Callable[..., Outcomes]

    def of(self, mailing_id: str, by: desk.Actor, **more: str) -> Outcomes:
        """Decide every held mail of the mailing. Raises as ``guard.desk`` does."""
        return self.decide(
            spool(),
            memory(),
            mailing_id,
            policy(),
            by,
            timezone.now(),
            name=keyed_ids(),
            **more,
        )


SEND_SINGLY: Final = Decision(desk.send_mailing_singly)
WITHDRAW: Final = Decision(desk.withdraw_mailing)
RELEASE: Final = Decision(desk.release_mailing)
