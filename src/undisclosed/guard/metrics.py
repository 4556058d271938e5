# SPDX-License-Identifier: Apache-2.0
"""What the guard counts, for Prometheus. No label ever holds an address.

Every process has a registry of its own, so that tests and several guards in one
process do not count into one another.
"""

from datetime import timedelta
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from undisclosed.core.held import CopyEvent
from undisclosed.core.verdict import Action

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10)
"""Upper bounds of the histogram of deciding; targets are 0.5 ms and 5 ms."""

OUTCOMES = ("accepted", "held", "rejected", "refused")
"""What can become of a mail at an endpoint."""


class Alarm(Protocol):
    """Where trouble is counted that mail passed in spite of."""

    def trouble(self, what: str) -> None:
        """Something was away or broke. ``what`` is one of a few fixed words."""

    def judged(self, action: Action, is_observed: bool) -> None:
        """A mail was judged; observed ones pass whatever the action."""


class Silent:
    """Counts nothing: where no metrics are wanted."""

    def trouble(self, what: str) -> None:
        """Nothing."""

    def judged(self, action: Action, is_observed: bool) -> None:
        """Nothing."""


class GuardMetrics:
    """Counters of the guard, its deliveries and its sweep."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._mails = Counter(
            "undisclosed_mails",
            "Mails by what became of them at an endpoint.",
            ["outcome"],
            registry=self.registry,
        )
        # Series exist from the start, and looking one up costs nothing per mail.
        self._outcomes = {word: self._mails.labels(word) for word in OUTCOMES}
        self._refusals = Counter(
            "undisclosed_refusals",
            "Refused mails by the code of their reply (RFC 5321 §4.2.3).",
            ["code"],
            registry=self.registry,
        )
        self._verdicts = Counter(
            "undisclosed_verdicts",
            "Verdicts by action; observed ones changed nothing.",
            ["action", "observed"],
            registry=self.registry,
        )
        self._judged = {
            (action, is_observed): self._verdicts.labels(action.value, word)
            for action in Action
            for is_observed, word in ((False, "no"), (True, "yes"))
        }
        self._troubles = Counter(
            "undisclosed_troubles",
            "Times that something was away or broke.",
            ["what"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "undisclosed_seconds",
            "Seconds from the final dot to the reply.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._copies = Counter(
            "undisclosed_copies",
            "Tries to deliver a copy, by the next hop's answer.",
            ["answer"],
            registry=self.registry,
        )
        self._held = Gauge(
            "undisclosed_waiting_holds",
            "Held mails that wait for a decision.",
            registry=self.registry,
        )
        self._oldest = Gauge(
            "undisclosed_oldest_hold_seconds",
            "Age of the oldest of these.",
            registry=self.registry,
        )

    def accepted(self) -> None:
        """A mail was relayed: the next hop took it."""
        self._outcomes["accepted"].inc()

    def held(self) -> None:
        """A mail was held."""
        self._outcomes["held"].inc()

    def rejected(self) -> None:
        """A mail was refused by a rule."""
        self._outcomes["rejected"].inc()

    def refused(self, code: int) -> None:
        """A mail was answered with this code for any other reason."""
        self._outcomes["refused"].inc()
        self._refusals.labels(str(code)).inc()

    def seconds(self, seconds: float) -> None:
        """How long a mail waited from its final dot to its reply."""
        self._seconds.observe(seconds)

    def judged(self, action: Action, is_observed: bool) -> None:
        """A mail was judged."""
        self._judged[action, is_observed].inc()

    def trouble(self, what: str) -> None:
        """Something was away or broke."""
        self._troubles.labels(what).inc()

    def tried(self, event: CopyEvent) -> None:
        """A copy was tried; what the next hop answered."""
        self._copies.labels(event.value).inc()

    def waiting(self, count: int, oldest: timedelta) -> None:
        """What a sweep found untouched, and the age of the oldest."""
        self._held.set(count)
        self._oldest.set(oldest.total_seconds())

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
