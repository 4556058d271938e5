# SPDX-License-Identifier: Apache-2.0
"""The settings as values: what a part is started with. Durations are timedelta."""

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from undisclosed.core.address import Address
from undisclosed.core.policy import Policy


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where a socket listens or leads to. Port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else self._plain()

    def _plain(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything a guard takes on. Sizes are bytes."""

    max_size: int
    max_recipients: int
    max_connections: int
    in_flight: int
    command_timeout: timedelta
    content_timeout: timedelta


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """The guard's endpoint. ``next_hop`` None: a post office catches all mail."""

    listen: HostPort
    next_hop: HostPort | None
    clients: tuple[IPv4Network | IPv6Network, ...]
    mode: str
    processes: int
    hostname: str
    tls_certificate: Path | None
    tls_key: Path | None
    metrics: HostPort | None
    limits: Limits

    @property
    def is_observing(self) -> bool:
        """Whether mail is only recorded as it would have been judged."""
        return self.mode == "observe"


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The web pages: where they listen, and what they are called from outside."""

    listen: HostPort
    url: str
    processes: int


@dataclass(frozen=True, slots=True)
class PostOfficeSettings:
    """The catching mailbox of a machine without a next hop."""

    listen: HostPort


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """A worker: delivers, escalates, returns."""

    metrics: HostPort | None


@dataclass(frozen=True, slots=True)
class HoldSettings:
    """How long held mail waits, and whom it is brought before."""

    expiry: timedelta
    escalate_after: timedelta
    escalations: int
    approvers: tuple[Address, ...]
    desk: Address | None
    notice_from: Address | None
    keep: timedelta


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """When a copy that the next hop did not take is tried again."""

    retry: tuple[timedelta, ...]
    dsn_interval: timedelta


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Where the tables are. ``database_url`` empty: the embedded PostgreSQL."""

    data: Path
    database_url: str = field(repr=False)
    postgres_binaries: Path | None
    memory_retention: timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one TOML file and the environment say."""

    guard: GuardSettings
    postoffice: PostOfficeSettings
    worker: WorkerSettings
    console: ConsoleSettings
    holds: HoldSettings
    delivery: DeliverySettings
    store: StoreSettings
    policy: Policy
    file: Path | None
    master_key: bytes | None = field(repr=False)
    """The master key where the environment gives it; else the file in ``data``."""
