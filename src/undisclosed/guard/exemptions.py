# SPDX-License-Identifier: Apache-2.0
"""Which exemption of the policy a mail falls under today.

It is asked only for mail that would not pass. An exemption whose last day is past
has no effect; `undisclosed doctor` names those, and those that end soon.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from undisclosed.core.exemptions import LONGEST, ExemptionRule
from undisclosed.core.mail import Mail
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Exemption

SOON = timedelta(days=30)
"""An exemption that ends within this time is due to be looked at."""


class Exemptions:
    """The exemptions of one policy; fits the port ``Exempt``."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Sequence[ExemptionRule]) -> None:
        self._rules = tuple(rules)

    def of(self, mail: Mail, origin: Origin, now: datetime) -> Exemption | None:
        """The first exemption that covers this mail today, or None."""
        for rule in self._rules:
            if not has_effect(rule, now):
                continue
            if rule.covers(mail.envelope, origin.client, origin.endpoint):
                return Exemption(rule.name, rule.owner, rule.reason)
        return None


def has_effect(rule: ExemptionRule, now: datetime) -> bool:
    """Whether an exemption is in force: not over, and dated within LONGEST."""
    return not rule.is_over(now) and rule.until - now.date() <= LONGEST


def reviews(
    rules: Sequence[ExemptionRule], now: datetime
) -> tuple[tuple[ExemptionRule, str], ...]:
    """The exemptions that somebody has to look at, each with why in a few words."""
    found = []
    for rule in rules:
        if rule.is_over(now):
            found.append((rule, f"ended on {rule.until}, and has no effect"))
        elif not has_effect(rule, now):
            days = LONGEST.days
            found.append((rule, f"ends later than in {days} days: it has no effect"))
        elif rule.until - now.date() <= SOON:
            found.append((rule, f"ends on {rule.until}"))
    return tuple(found)
