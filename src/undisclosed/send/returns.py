# SPDX-License-Identifier: Apache-2.0
"""Takes what comes back of campaigns: reads it, finds its delivery, does what follows.

Whichever way it comes in (``send.return_listener``, ``send.return_box``), it passes
here. A token of ours, which nobody can make up, says which delivery it is about; an
address that a report names is never enough. Whoever got a copy or a reply knows the
Message-ID of a message: a report that has no other token counts, and suppresses nobody.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState
from undisclosed.core.header import split_content
from undisclosed.core.returns import ReturnKind
from undisclosed.send.causes import cause_of
from undisclosed.send.return_reading import LONGEST, Returned, read_return, token_of
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import campaigns, crypto, returns
from undisclosed.store.returns import Report, Standing, Whose

_COUNTED: Final = (ReturnKind.FAILED, ReturnKind.COMPLAINT)
"""What may make a campaign pause; after all else nothing has to be counted."""


@dataclass(frozen=True, slots=True)
class ReturnLimits:
    """From where on a campaign pauses, as shares of what was answered.

    A share counts once there are ``fewest_…`` since a person last let it go on: one
    complaint among the first ten messages says little. 0.003 is where large mailbox
    providers begin to refuse mail.
    """

    complaint_share: float = 0.003
    fewest_complaints: int = 3
    failed_share: float = 0.05
    fewest_failures: int = 10


def learn_refusals(now: datetime) -> int:
    """Have what the next hop refused at once count as what came back; how much did.

    A 5yz reply (RFC 5321 §4.2.1) says the same as the report that another server
    would have sent: the person is suppressed alike. Raises TransientError.
    """
    found = returns.refused(now)
    for one in found:
        cause = cause_of(one.status, one.reply)
        key = returns.key_of(ReturnKind.FAILED, one.about)
        report = Report(key, ReturnKind.FAILED, cause, one.status)
        returns.record(report, one.about, now)
    return len(found)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken: what it is, whether it is about a delivery of ours, and new."""

    kind: ReturnKind
    is_ours: bool
    is_new: bool


class Returns:
    """Where everything that comes back goes. Blocks; one for each process."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Callable[[], datetime],
        *,
        domain: str = "",
        hostname: str = "",
        others: Iterable[Address] = (),
        limits: ReturnLimits | None = None,
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._domain = domain.lower()
        self._hostname = hostname
        self._others = frozenset(others)
        self._limits = limits or ReturnLimits()

    def is_for_us(self, recipient: Address) -> bool:
        """Whether mail to this address is taken.

        Return paths that we made, and the addresses at which providers complain.
        """
        if recipient in self._others:
            return True
        token = token_of(recipient)
        if token is None or recipient.domain.lower() != self._domain:
            return False
        return self._tokens.open(Purpose.RETURN_PATH, token) is not None

    def take(self, content: bytes, recipients: Iterable[Address] = ()) -> Taken:
        """Read what came back and do what follows. Raises TransientError."""
        returned = read_return(content, recipients, hostname=self._hostname)
        about, is_proven = self._about(returned)
        if returned.kind is ReturnKind.UNKNOWN:
            return Taken(returned.kind, about is not None, False)
        report = Report(
            _key(content, returned.kind, about, is_proven=is_proven),
            returned.kind,
            returned.cause,
            returned.status,
            returned.reply,
            is_proven,
        )
        now = self._clock()
        is_new = returns.record(report, about, now)
        if about is not None and is_new and returned.kind in _COUNTED:
            self._look(about.campaign_id, now)
        return Taken(returned.kind, about is not None, is_new)

    def _about(self, returned: Returned) -> tuple[Whose | None, bool]:
        """The one delivery that all tokens in it name; None where they disagree.

        And whether one of them proves it: a value that stands in no public place.
        """
        opened = [
            (found, purpose)
            for purpose, token in returned.tokens
            if (found := self._tokens.open(purpose, token)) is not None
        ]
        if len({found for found, _ in opened}) != 1:
            return None, False
        is_proven = any(purpose is not Purpose.MESSAGE_ID for _, purpose in opened)
        return returns.whose(*opened[0][0]), is_proven

    def _look(self, campaign_id: str, now: datetime) -> None:
        standing = returns.standing(campaign_id)
        if standing is None or standing.state is not CampaignState.SENDING:
            return
        if because := why_paused(standing, self._limits):
            campaigns.pause(campaign_id, because, by=returns.BY, now=now)


def why_paused(standing: Standing, limits: ReturnLimits) -> str:
    """Why a person has to look before more leaves; empty where nobody has to."""
    answered = max(standing.answered, 1)
    is_much = standing.new_complaints >= limits.fewest_complaints
    if is_much and standing.complaints > limits.complaint_share * answered:
        return f"{standing.complaints:,} of {answered:,} people complained."
    is_much = standing.new_failed > limits.fewest_failures
    if is_much and standing.failed > limits.failed_share * answered:
        return f"{standing.failed:,} of {answered:,} messages came back."
    return ""


def _key(
    content: bytes, kind: ReturnKind, about: Whose | None, *, is_proven: bool
) -> bytes:
    """What tells two reports apart: a delivery counts once for each kind.

    So nobody makes a campaign pause by complaining about one message many times. What
    is about nothing of ours is told apart by its words.
    """
    if about is not None:
        return returns.key_of(kind, about, is_proven=is_proven)
    body = content[split_content(content).body_start : LONGEST]
    return crypto.keys().hash("returned mail", b"%s\0%s" % (kind.encode(), body))
