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


Networks = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """A cloud provider's clients, and what proves that their mail is our tenant's.

    ``field_name`` empty: there is no such tenant.
    """

    name: str = "tenant"
    field_name: str = ""
    clients: Networks = ()
    certificates: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may hand in mail beside the listed networks: certificates, logins, a tenant.

    ``auth`` is "none", "tls" or "loopback".
    """

    auth: str = "none"
    client_ca: Path | None = None
    certificates: frozenset[str] = frozenset()
    tenant: TenantSettings = field(default_factory=TenantSettings)


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """What becomes of the DKIM signatures that private copies break.

    ``mode`` is "keep" (they are not broken: nothing is sent singly), "drop" or "sign".
    """

    mode: str = "keep"
    domains: frozenset[str] = frozenset()
    selector: str = ""
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MilterSettings:
    """Where an MTA finds the guard as a milter, and who may use its UNIX sockets.

    A path is a UNIX socket's; None: there is none.
    """

    listen: Path | HostPort | None = None
    inbound_listen: Path | HostPort | None = None
    mode: int = 0o660
    owner: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """What reading one attached document may take, and how many are read at once."""

    processes: int = 2
    limit: timedelta = timedelta(seconds=20)
    memory: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """The record-only feed of inbound mail. ``authserv_ids`` are lower-case.

    ``journal_clients`` and ``journal_addresses`` say which journal reports are ours.
    """

    listen: HostPort | None = None
    authserv_ids: frozenset[str] = frozenset()
    journal_clients: Networks = ()
    journal_addresses: tuple[str, ...] = field(default=(), repr=False)


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
    access: AccessSettings = field(default_factory=AccessSettings)
    next_hop_tls: str = "none"
    next_hop_ca: Path | None = None
    has_stamp: bool = False
    has_trace: bool = False
    dkim: DkimSettings = field(default_factory=DkimSettings)
    milter: MilterSettings = field(default_factory=MilterSettings)
    reader: ReaderSettings = field(default_factory=ReaderSettings)
    feed: FeedSettings = field(default_factory=FeedSettings)

    @property
    def is_observing(self) -> bool:
        """Whether mail is only recorded as it would have been judged."""
        return self.mode == "observe"


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """The organisation's OpenID Connect server, and what we are called there."""

    issuer: str
    client: str
    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """The web pages: where they listen, and what they are called from outside."""

    listen: HostPort
    url: str
    processes: int
    time_zone: str = "UTC"
    openid: OpenIdSettings | None = None
    ask_again_after: timedelta = timedelta(minutes=10)
    second_factor: str = "optional"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The check API: how often it may be asked, and from which web pages."""

    checks_per_hour: int
    clearance: timedelta
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostOfficeSettings:
    """The catching mailbox of a machine without a next hop."""

    listen: HostPort


@dataclass(frozen=True, slots=True)
class SendmailSettings:
    """The pipe: which way it takes, and the domain of names without one.

    ``domain`` empty: the guard's hostname.
    """

    through: str
    domain: str


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """A mailbox that is read over IMAP. ``tls`` is "tls", "starttls" or "none".

    ``done`` is the folder for what was taken, empty where it stays; ``minutes`` lie
    between two looks.
    """

    where: HostPort
    tls: str
    ca: Path | None
    login: str = field(repr=False)
    password: str = field(repr=False)
    folder: str = "INBOX"
    done: str = ""
    minutes: int = 5


@dataclass(frozen=True, slots=True)
class ReturnsSettings:
    """By which ways mail comes back, and from which shares on a campaign pauses."""

    listen: HostPort | None = None
    clients: tuple[IPv4Network | IPv6Network, ...] = ()
    complaints: tuple[Address, ...] = ()
    box: BoxSettings | None = None
    complaint_share: float = 0.003
    fewest_complaints: int = 3
    failed_share: float = 0.05
    fewest_failures: int = 10
    tls_certificate: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True)
class SeedsSettings:
    """Addresses of a mailbox of our own that a campaign is tried with.

    ``is_automatic``: every campaign, before its first message. ``wait`` is how long its
    seeds may take.
    """

    addresses: tuple[Address, ...] = ()
    box: BoxSettings | None = None
    is_automatic: bool = True
    wait: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class UnsubscribeSettings:
    """What the page to unsubscribe says; empty words are ours, in English.

    ``language`` is the tag of all of them (RFC 5646).
    """

    organisation: str = ""
    language: str = "en"
    ask_heading: str = ""
    ask_text: str = ""
    button: str = ""
    done_heading: str = ""
    done_text: str = ""
    wrong_heading: str = ""
    wrong_text: str = ""


@dataclass(frozen=True, slots=True)
class SendingSettings:
    """How campaigns leave, and who has to approve them.

    Rates count messages over all workers; 0 is no limit. Approvals are roles.
    ``feedback_id`` is our name in Feedback-ID, empty: no such field.
    ``asks_delivered``: the next hop is asked for reports of delivery.
    """

    return_domain: str = ""
    connections: int = 10
    per_second: int = 0
    per_minute: int = 0
    per_hour: int = 0
    per_domain_minute: int = 0
    approvals: tuple[str, ...] = ("supervisor", "manager", "communications")
    approvals_inside: tuple[str, ...] = ("supervisor",)
    approvals_sensitive: tuple[str, ...] = ("dpo",)
    remind_after: timedelta = timedelta(days=1)
    reminders: int = 3
    keep: timedelta = timedelta(days=400)
    returns: ReturnsSettings = field(default_factory=ReturnsSettings)
    seeds: SeedsSettings = field(default_factory=SeedsSettings)
    name_servers: tuple[str, ...] = ()
    unsubscribe: UnsubscribeSettings = field(default_factory=UnsubscribeSettings)
    feedback_id: str = ""
    asks_delivered: bool = False


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
    undo_split: timedelta = timedelta(minutes=2)
    undo_accepted: timedelta = timedelta(0)
    alarm_after: timedelta = timedelta(days=1)


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
    audience_retention: timedelta
    people_retention: timedelta = timedelta(days=1095)


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Who is asked for timestamps of the journal's daily seals.

    ``timestamp_url`` empty: nobody. ``timestamp_ca`` may stand alone: then timestamps
    that are there are verified, and none are asked for.
    """

    timestamp_url: str = ""
    timestamp_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that one TOML file and the environment say."""

    guard: GuardSettings
    postoffice: PostOfficeSettings
    sendmail: SendmailSettings
    worker: WorkerSettings
    console: ConsoleSettings
    api: ApiSettings
    holds: HoldSettings
    delivery: DeliverySettings
    send: SendingSettings
    store: StoreSettings
    journal: JournalSettings
    policy: Policy
    file: Path | None
    master_key: bytes | None = field(repr=False)
    """The master key where the environment gives it; else the file in ``data``."""
