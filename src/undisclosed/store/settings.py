# SPDX-License-Identifier: Apache-2.0
"""Settings from one TOML file and the environment; they fail loudly.

A guard that starts half-configured lets mail through: whatever cannot be used is
refused with its line, a secret may come from a file (``NAME_FILE``), and what is
relative in the file is relative to the file.
"""

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from undisclosed.core.address import Address
from undisclosed.core.policy import OnBroken, Policy, Signatures, policy_from
from undisclosed.errors import UndisclosedError
from undisclosed.formats.configuration import ConfigurationError, Table, parse_toml
from undisclosed.store import (
    master_key,
    settings_feed,
    settings_journal,
    settings_milter,
    settings_returns,
    settings_smarthost,
    settings_unsubscribe,
)
from undisclosed.store.framework import configure, django_settings
from undisclosed.store.roles import APPROVING
from undisclosed.store.settings_table import ENVIRONMENT, SETTINGS, read_table
from undisclosed.store.settings_values import (
    AccessSettings,
    ApiSettings,
    ConsoleSettings,
    DeliverySettings,
    GuardSettings,
    HoldSettings,
    HostPort,
    Limits,
    OpenIdSettings,
    PostOfficeSettings,
    ReaderSettings,
    SendingSettings,
    SendmailSettings,
    Settings,
    StoreSettings,
    WorkerSettings,
)

__all__ = [
    "ENVIRONMENT",
    "SETTINGS",
    "ApiSettings",
    "ConsoleSettings",
    "DeliverySettings",
    "GuardSettings",
    "HoldSettings",
    "HostPort",
    "Limits",
    "PostOfficeSettings",
    "SendmailSettings",
    "Settings",
    "SettingsError",
    "StoreSettings",
    "WorkerSettings",
    "configure",
    "django_settings",
    "load",
    "secret",
]

_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_HOST_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):(\d{1,5})")
_HIGHEST_PORT = 65_535


class SettingsError(ConfigurationError):
    """A setting cannot be used: its file, its line, and one sentence."""

    def __init__(self, file: Path | None, error: ConfigurationError) -> None:
        sentence = f"{file}:{error.line}: {error.message}"
        super().__init__(sentence, line=error.line, key=error.key, path=error.path)

    def __str__(self) -> str:
        return self.message


def load(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    ``file`` None: the one that UNDISCLOSED_SETTINGS names, else ``undisclosed.toml``
    in the current folder where there is one, else the defaults. Raises
    SettingsError, and UndisclosedError for the environment and for a file that
    cannot be read.
    """
    file = file_of(file, environment)
    try:
        return read(table_of(file), file, environment)
    except ConfigurationError as error:
        raise SettingsError(file, error) from None


def table_of(file: Path | None) -> Table:
    """The table of a settings file; an empty one without a file.

    Raises ConfigurationError, and UndisclosedError where it cannot be read.
    """
    return parse_toml(_text_of(file) if file else "")


def read(table: Table, file: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of a table that stands in ``file``. Raises as ``table_of``."""
    reader = _Reader(table, file.parent if file else Path.cwd())
    return Settings(
        guard=reader.guard(environment),
        postoffice=PostOfficeSettings(reader.required_host_port("postoffice.listen")),
        sendmail=reader.sendmail(),
        worker=WorkerSettings(reader.host_port("worker.metrics")),
        console=reader.console(environment),
        api=reader.api(),
        holds=reader.holds(),
        delivery=reader.delivery(),
        send=reader.send(environment),
        store=reader.store(environment),
        journal=settings_journal.journal(reader),
        policy=reader.policy(),
        file=file,
        master_key=_master_key(environment),
    )


def secret(name: str, environment: Mapping[str, str]) -> str | None:
    """A secret from ``NAME``, or from the file that ``NAME_FILE`` names.

    Raises UndisclosedError where both are given or the file cannot be read.
    """
    value, file = environment.get(name), environment.get(f"{name}_FILE")
    if value and file:
        raise UndisclosedError(f"Both {name} and {name}_FILE are set: unset one.")
    return _text_of(Path(file)).strip() if file else value or None


def file_of(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The settings file that is read: the given, the environment's, the usual one."""
    if file is None and environment.get("UNDISCLOSED_SETTINGS"):
        file = Path(environment["UNDISCLOSED_SETTINGS"])
    if file is not None:
        return file.absolute()
    usual = Path("undisclosed.toml").absolute()
    return usual if usual.exists() else None


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise UndisclosedError(f"{file}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UndisclosedError(f"{file}: is not text in UTF-8.") from None


def _master_key(environment: Mapping[str, str]) -> bytes | None:
    text = secret("UNDISCLOSED_MASTER_KEY", environment)
    return None if text is None else master_key.parse(text, "UNDISCLOSED_MASTER_KEY")


class _Reader:
    """Turns the values of one table into the settings of the parts."""

    def __init__(self, table: Table, folder: Path) -> None:
        self.table = table
        self.folder = folder
        # Each value was checked against its kind when it was read.
        self.values: dict[str, Any] = read_table(table)

    def guard(self, environment: Mapping[str, str]) -> GuardSettings:
        value = self.values
        tls, authorities = settings_smarthost.next_hop_tls(self)
        if value["guard.mode"] not in ("guard", "observe"):
            raise self.error("guard.mode", 'must be "guard" or "observe"')
        certificate = self.path("guard.tls_certificate")
        key = self.path("guard.tls_key")
        if (certificate is None) != (key is None):
            raise self.error("guard.tls_key", "and the certificate need each other")
        return GuardSettings(
            listen=self.required_host_port("guard.listen"),
            next_hop=self.host_port("guard.next_hop"),
            clients=self.networks("guard.clients"),
            mode=value["guard.mode"],
            processes=value["guard.processes"],
            hostname=value["guard.hostname"] or socket.getfqdn(),
            tls_certificate=certificate,
            tls_key=key,
            metrics=self.host_port("guard.metrics"),
            limits=self.limits(),
            access=self.access(environment),
            next_hop_tls=tls,
            next_hop_ca=authorities,
            has_stamp=settings_smarthost.is_on(self, "guard.stamp"),
            has_trace=settings_smarthost.is_on(self, "guard.trace"),
            dkim=settings_smarthost.dkim(self),
            milter=settings_milter.milter(self),
            feed=settings_feed.feed(
                self, secret(settings_feed.JOURNAL_ADDRESS, environment)
            ),
            reader=ReaderSettings(
                processes=value["guard.reader.processes"],
                limit=timedelta(seconds=value["guard.reader.seconds"]),
                memory=value["guard.reader.memory"],
            ),
        )

    def policy(self) -> Policy:
        signing = settings_smarthost.dkim(self)
        signatures = Signatures(OnBroken(signing.mode), signing.domains)
        return replace(policy_from(self.table.table("policy")), signatures=signatures)

    def access(self, environment: Mapping[str, str]) -> AccessSettings:
        secrets = secret(settings_smarthost.TENANT_SECRET, environment)
        return settings_smarthost.access(
            self, secrets, self.table.table("policy").texts("own_domains")
        )

    def sendmail(self) -> SendmailSettings:
        value = self.values
        if value["sendmail.through"] not in ("auto", "guard", "store"):
            raise self.error("sendmail.through", 'must be "auto", "guard" or "store"')
        if re.search(r"[\s@<>,]", value["sendmail.domain"]):
            raise self.error("sendmail.domain", "must be a domain")
        return SendmailSettings(value["sendmail.through"], value["sendmail.domain"])

    def limits(self) -> Limits:
        value = self.values
        return Limits(
            max_size=value["guard.limits.max_size"],
            max_recipients=value["guard.limits.max_recipients"],
            max_connections=value["guard.limits.max_connections"],
            in_flight=value["guard.limits.in_flight"],
            command_timeout=timedelta(seconds=value["guard.limits.command_timeout"]),
            content_timeout=timedelta(seconds=value["guard.limits.content_timeout"]),
        )

    def console(self, environment: Mapping[str, str]) -> ConsoleSettings:
        listen = self.required_host_port("console.listen")
        url = self.values["console.url"] or f"http://{listen}"
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
            raise self.error("console.url", "must begin with https:// or http://")
        return ConsoleSettings(
            listen=listen,
            url=url.rstrip("/"),
            processes=self.values["console.processes"],
            time_zone=self.time_zone("console.time_zone"),
            openid=self.openid(environment),
            ask_again_after=timedelta(minutes=self.values["console.ask_again_after"]),
            second_factor=self.second_factor(),
        )

    def second_factor(self) -> str:
        """Who needs a second factor."""
        chosen = str(self.values["console.second_factor"])
        if chosen not in ("optional", "approvers", "all"):
            raise self.error(
                "console.second_factor", 'must be "optional", "approvers" or "all"'
            )
        return chosen

    def openid(self, environment: Mapping[str, str]) -> OpenIdSettings | None:
        """The organisation's OpenID Connect server, if one is named."""
        issuer = self.values["console.openid.issuer"]
        client = self.values["console.openid.client"]
        if not issuer:
            return None
        if not re.fullmatch(r"https://[^\s?#@]+|http://127\.0\.0\.1:\d+\S*", issuer):
            raise self.error("console.openid.issuer", "must begin with https://")
        kept = secret("UNDISCLOSED_OPENID_SECRET", environment)
        if not client or not kept:
            raise self.error(
                "console.openid.issuer",
                "needs console.openid.client and UNDISCLOSED_OPENID_SECRET",
            )
        name = self.values["console.openid.name"]
        return OpenIdSettings(issuer.rstrip("/"), client, name, kept)

    def time_zone(self, name: str) -> str:
        """The name of a time zone that this system knows."""
        try:
            return ZoneInfo(self.values[name]).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise self.error(name, "is no time zone that is known here") from None

    def api(self) -> ApiSettings:
        origins = self.values["api.origins"]
        if not all(re.fullmatch(r"https?://[^\s/?#@]+", one) for one in origins):
            raise self.error(
                "api.origins", 'must be origins, as in ["https://addins.example"]'
            )
        return ApiSettings(
            checks_per_hour=self.values["api.checks_per_hour"],
            clearance=timedelta(minutes=self.values["api.clearance_minutes"]),
            origins=origins,
        )

    def holds(self) -> HoldSettings:
        value = self.values
        return HoldSettings(
            expiry=timedelta(days=value["holds.expiry"]),
            escalate_after=timedelta(hours=value["holds.escalate_after"]),
            escalations=value["holds.escalations"],
            approvers=self.addresses("holds.approvers"),
            desk=self.address("holds.desk"),
            notice_from=self.address("holds.notice_from"),
            keep=timedelta(days=value["holds.keep"]),
            undo_split=timedelta(seconds=value["holds.undo_split"]),
            undo_accepted=timedelta(seconds=value["holds.undo_accepted"]),
            alarm_after=timedelta(hours=value["holds.alarm_after"]),
        )

    def delivery(self) -> DeliverySettings:
        value = self.values
        return DeliverySettings(
            retry=tuple(timedelta(minutes=m) for m in value["delivery.retry"]),
            dsn_interval=timedelta(minutes=value["delivery.dsn_interval"]),
        )

    def send(self, environment: Mapping[str, str]) -> SendingSettings:
        value = self.values
        domain = value["send.return_domain"]
        if domain and not _DOMAIN.fullmatch(domain):
            raise self.error("send.return_domain", "must be a domain")
        return SendingSettings(
            return_domain=domain,
            connections=value["send.connections"],
            per_second=value["send.per_second"],
            per_minute=value["send.per_minute"],
            per_hour=value["send.per_hour"],
            per_domain_minute=value["send.per_domain_minute"],
            approvals=self.approvals("send.approvals", fewest=1),
            approvals_inside=self.approvals("send.approvals_inside"),
            approvals_sensitive=self.approvals("send.approvals_sensitive"),
            remind_after=timedelta(hours=value["send.remind_after"]),
            reminders=value["send.reminders"],
            keep=timedelta(days=value["send.keep"]),
            name_servers=self.name_servers(),
            returns=settings_returns.returns(
                self, secret(settings_returns.PASSWORD, environment)
            ),
            seeds=settings_returns.seeds(
                self, secret(settings_returns.SEEDS_PASSWORD, environment)
            ),
            unsubscribe=settings_unsubscribe.unsubscribe(self),
            feedback_id=settings_returns.feedback_id(self),
            asks_delivered=settings_smarthost.is_on(
                self, "send.returns.report_delivered"
            ),
        )

    def name_servers(self) -> tuple[str, ...]:
        """The addresses of name servers: names would have to be asked for."""
        name = "send.name_servers"
        for one in self.values[name]:
            try:
                ipaddress.ip_address(one)
            except ValueError:
                raise self.error(name, f'"{one}" must be an IP address') from None
        return tuple(self.values[name])

    def approvals(self, name: str, *, fewest: int = 0) -> tuple[str, ...]:
        """The roles that a setting asks for."""
        roles = tuple(dict.fromkeys(self.values[name]))
        if not APPROVING.issuperset(roles):
            known = ", ".join(sorted(APPROVING))
            raise self.error(name, f"may name these roles only: {known}")
        if len(roles) < fewest:
            raise self.error(name, "must name at least one role")
        return roles

    def store(self, environment: Mapping[str, str]) -> StoreSettings:
        value = self.values
        data = environment.get("UNDISCLOSED_DATA")
        return StoreSettings(
            data=Path(data).absolute() if data else self.folder / value["store.data"],
            database_url=secret("DATABASE_URL", environment) or value["store.database"],
            postgres_binaries=self.path("store.postgres_binaries"),
            memory_retention=timedelta(days=value["store.memory_retention"]),
            audience_retention=timedelta(days=value["store.audience_retention"]),
            people_retention=timedelta(days=value["store.people_retention"]),
        )

    def path(self, name: str) -> Path | None:
        text = self.values[name]
        return self.folder / text if text else None

    def required_host_port(self, name: str) -> HostPort:
        found = self.host_port(name)
        if found is None:
            raise self.error(name, "must be host:port")
        return found

    def host_port(self, name: str) -> HostPort | None:
        text = self.values[name]
        if not text:
            return None
        match = _HOST_PORT.fullmatch(text)
        if match is None:
            raise self.error(name, 'must be host:port, as in "127.0.0.1:10025"')
        if int(match[3]) > _HIGHEST_PORT:
            raise self.error(name, f"must name a port up to {_HIGHEST_PORT}")
        return HostPort(match[1] or match[2], int(match[3]))

    def networks(
        self, name: str
    ) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        try:
            return tuple(ipaddress.ip_network(text) for text in self.values[name])
        except ValueError:
            raise self.error(
                name, 'must be networks, as in ["10.1.0.0/16", "192.0.2.7/32"]'
            ) from None

    def address(self, name: str) -> Address | None:
        text = self.values[name].strip()
        return self.one_address(name, text) if text else None

    def addresses(self, name: str) -> tuple[Address, ...]:
        return tuple(self.one_address(name, text) for text in self.values[name])

    def one_address(self, name: str, text: str) -> Address:
        local_part, at, domain = text.rpartition("@")
        if not (local_part and at and domain) or re.search(r"[\s<>,]", text):
            raise self.error(name, "must be an address, as in desk@council.example")
        return Address(local_part, domain)

    def error(self, name: str, sentence: str) -> UndisclosedError:
        *sections, key = name.split(".")
        table = self.table
        for section in sections:
            table = table.table(section)
        return table.error(f'"{name}" {sentence}.', key)
