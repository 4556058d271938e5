# SPDX-License-Identifier: Apache-2.0
"""Who decides, as the guard's desk asks for it: an account, or a notice's link."""

from typing import Final

from undisclosed.guard.desk import APPROVERS, Actor
from undisclosed.guard.links import Link
from undisclosed.store import crypto, pseudonyms
from undisclosed.store.models import Account

BY_LINK: Final = "link"
"""How a sender who came by a notice's link stands in the journal."""


def actor_of(account: Account) -> Actor:
    """An account as the one who decides; its id goes into the journal."""
    is_approver = not APPROVERS.isdisjoint(account.roles)
    return Actor(
        name=str(account.pk),
        addresses=frozenset(
            crypto.open_address(bytes(sealed))
            for sealed in account.addresses.values_list("address_sealed", flat=True)
        ),
        roles=frozenset(account.roles),
        is_only_approver=is_approver and is_only_approver(account),
    )


def actor_of_link(link: Link) -> Actor:
    """Whoever opened a notice's link: the sender, of that one mailing."""
    return Actor(name=BY_LINK, link=link)


def is_only_approver(account: Account) -> bool:
    """Whether nobody else could approve: then a release waits for an hour."""
    others = Account.objects.filter(is_active=True).exclude(pk=account.pk)
    return not any(
        others.filter(roles__contains=[role]).exists() for role in sorted(APPROVERS)
    )


def name_of(actor: str) -> str:
    """What an actor is called on screen; "" for parts, links and the forgotten.

    ``actor`` is an account's id, or a person's pseudonym in the journal.
    """
    key = pseudonyms.account_of(actor)
    account = Account.objects.filter(pk=key).only("name").first() if key else None
    return account.name if account else ""
