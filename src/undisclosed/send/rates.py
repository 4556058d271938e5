# SPDX-License-Identifier: Apache-2.0
"""How fast campaigns leave: limits that all workers share, held in the store."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.store import ledger
from undisclosed.store.ledger import Claimed

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many in a time: a bucket of that size, filled evenly."""

    number: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits of the next hop, in all, and for each domain of recipients.

    None at all where ``hop`` and ``domain`` are empty.
    """

    hop: tuple[Rate, ...] = ()
    domain: tuple[Rate, ...] = ()
    name: str = field(default="hop")

    @property
    def is_free(self) -> bool:
        """Whether nothing is limited."""
        return not self.hop and not self.domain

    def most(self, wanted: int, per_minute: int) -> int:
        """How many can leave at once at the most: no bucket holds more."""
        sizes = [rate.number for rate in self.hop]
        return min([wanted, *sizes, per_minute or wanted])

    def take(
        self, wanted: int, campaign_id: str, per_minute: int, now: datetime
    ) -> tuple[int, datetime]:
        """How many may leave now, and when to ask again where fewer may."""
        return _granted(self._limits(campaign_id, per_minute), wanted, now)

    def by_domain(
        self, claimed: Sequence[Claimed], now: datetime
    ) -> tuple[list[Claimed], list[int]]:
        """Those whose domain takes more now, and the numbers of the others."""
        if not self.domain:
            return list(claimed), []
        by_domain: dict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            by_domain[one.domain].append(one)
        going: list[Claimed] = []
        late: list[int] = []
        for domain, rows in by_domain.items():
            granted, _ = _granted(self._domain_limits(domain), len(rows), now)
            going += rows[:granted]
            late += [one.number for one in rows[granted:]]
        return sorted(going, key=lambda one: one.number), late

    def give_back(self, claimed: Sequence[Claimed], now: datetime) -> None:
        """What ``by_domain`` let through and did not leave was not used up."""
        for domain, number in Counter(one.domain for one in claimed).items():
            for key, rate in self._domain_limits(domain):
                _take(key, rate, -number, now)

    def _limits(self, campaign_id: str, per_minute: int) -> list[tuple[str, Rate]]:
        limits = [(self._key(rate), rate) for rate in self.hop]
        if per_minute:
            limits.append((f"campaign/{campaign_id}", Rate(per_minute, MINUTE)))
        return limits

    def _key(self, rate: Rate) -> str:
        return f"{self.name}/{rate.per.total_seconds():g}"

    def _domain_limits(self, domain: str) -> list[tuple[str, Rate]]:
        """None where nobody knows the domain."""
        rates = self.domain if domain else ()
        return [(f"{self._key(rate)}/{domain}"[:100], rate) for rate in rates]


def _granted(
    limits: Sequence[tuple[str, Rate]], wanted: int, now: datetime
) -> tuple[int, datetime]:
    """How many all limits let through, taken; and when to ask again for the others."""
    taken: list[tuple[str, Rate, int]] = []
    again_at = now
    for key, rate in limits:
        granted = _take(key, rate, wanted, now)
        taken.append((key, rate, granted))
        if granted < wanted:
            again_at = max(again_at, now + max(SECOND, rate.per / rate.number))
        wanted = granted
    for key, rate, granted in taken:
        # What a later limit did not grant was not used up of an earlier one.
        _take(key, rate, wanted - granted, now)
    return wanted, again_at


def _take(key: str, rate: Rate, wanted: int, now: datetime) -> int:
    if not wanted:
        return 0
    return ledger.take(key, wanted, number=rate.number, per=rate.per, now=now)
