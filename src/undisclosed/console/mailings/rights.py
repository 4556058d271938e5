# SPDX-License-Identifier: Apache-2.0
"""What one account may do with one mailing, and in words why not.

The guard's desk checks again when something is decided: this says beforehand
what the page offers.
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from undisclosed.console import acting
from undisclosed.console.access import Right, rights_of
from undisclosed.console.mailings.sight import Sight
from undisclosed.store.models import Account


@dataclass(frozen=True, slots=True)
class May:
    """What the page offers. A ``why_not_…`` is "" where nothing needs saying."""

    send_singly: bool = False
    withdraw: bool = False
    send_now: bool = False
    release: bool = False
    waits_an_hour: bool = False
    ask_addresses: bool = False
    why_not_singly: str = ""
    why_not_release: str = ""

    @property
    def decides(self) -> bool:
        """Whether there is anything at all that this account may decide."""
        return self.send_singly or self.withdraw or self.release or self.send_now


def may_see(account: Account, sight: Sight) -> bool:
    """Whether this account may see the mailing: all of them, or their own."""
    rights = rights_of(account)
    return Right.SEE_ALL in rights or (
        Right.SEE_OWN in rights and is_own(account, sight)
    )


def is_own(account: Account, sight: Sight) -> bool:
    """Whether a verified address of the account sent the mailing."""
    return sight.sender_hash is not None and (
        sight.sender_hash in account.address_hashes()
    )


def may(account: Account, sight: Sight) -> May:
    """Everything that this account may do with what is still held."""
    rights, own = rights_of(account), is_own(account, sight)
    decides_own = own and Right.DECIDE_OWN in rights
    may_singly = decides_own or Right.SEND_SINGLY in rights
    alone = Right.RELEASE in rights and acting.is_only_approver(account)
    release = Right.RELEASE in rights and (alone or not own)
    ownerless = sight.sender_hash is None and Right.RELEASE in rights
    return May(
        send_singly=may_singly and not sight.singly_refused,
        withdraw=decides_own or ownerless,
        send_now=(decides_own or ownerless) and sight.leaves_at is not None,
        release=release,
        waits_an_hour=release and alone,
        ask_addresses=Right.ASK_ADDRESSES in rights,
        why_not_singly=sight.singly_refused or "",
        why_not_release="" if release else _why_not_release(rights, own),
    )


def _why_not_release(rights: frozenset[Right], own: bool) -> str:
    """Why the page does not offer to release unchanged."""
    if own and Right.RELEASE in rights:
        return _(
            "Releasing it unchanged is another approver's decision: nobody releases "
            "their own mail."
        )
    return _("Only an approver can release it unchanged.")
