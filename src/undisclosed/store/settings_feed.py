# SPDX-License-Identifier: Apache-2.0
"""The settings of the record-only feed, and what journal reports have to prove."""

from typing import Any, Protocol

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_values import FeedSettings, HostPort, Networks

JOURNAL_ADDRESS = "UNDISCLOSED_JOURNAL_ADDRESS"
SHORTEST_LOCAL_PART = 20
"""Characters before the at sign; what is shorter could be guessed by a stranger."""


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def host_port(self, name: str) -> HostPort | None:
        """Where to listen; None where it is empty."""

    def networks(self, name: str) -> Networks:
        """Networks of IP addresses."""


def feed(reader: Reader, secret: str | None) -> FeedSettings:
    """The feed. ``secret``: the journal addresses. Raises UndisclosedError."""
    addresses = tuple((secret or "").split())
    for one in addresses:
        local_part, _, domain = one.rpartition("@")
        if len(local_part) < SHORTEST_LOCAL_PART or not domain or "@" in local_part:
            raise UndisclosedError(
                f"{JOURNAL_ADDRESS} must be an address with {SHORTEST_LOCAL_PART} "
                "characters or more before the at sign."
            )
    return FeedSettings(
        listen=reader.host_port("guard.feed.listen"),
        authserv_ids=frozenset(
            map(str.lower, reader.values["guard.feed.authserv_ids"])
        ),
        journal_clients=reader.networks("guard.feed.journal_clients"),
        journal_addresses=addresses,
    )
