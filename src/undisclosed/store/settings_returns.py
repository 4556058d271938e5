# SPDX-License-Identifier: Apache-2.0
"""The settings of what comes back of campaigns, read together."""

import ipaddress
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_smarthost import is_on
from undisclosed.store.settings_values import (
    BoxSettings,
    HostPort,
    ReturnsSettings,
    SeedsSettings,
)

PASSWORD = "UNDISCLOSED_RETURNS_PASSWORD"  # noqa: S105 - the name of a variable
SEEDS_PASSWORD = "UNDISCLOSED_SEEDS_PASSWORD"  # noqa: S105 - as above
_TLS = ("tls", "starttls", "none")
_SENDER_ID = re.compile(r"[A-Za-z0-9]{5,15}")


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def path(self, name: str) -> Path | None:
        """A file, from the folder of the settings on; None where it is empty."""

    def host_port(self, name: str) -> HostPort | None:
        """host:port; None where it is empty."""

    def networks(
        self, name: str
    ) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Networks."""
        ...

    def addresses(self, name: str) -> tuple[Address, ...]:
        """Addresses."""
        ...

    def error(self, name: str, sentence: str) -> UndisclosedError:
        """What is wrong with a setting, with its line."""
        ...


def returns(reader: Reader, password: str | None) -> ReturnsSettings:
    """How returned mail comes in, and when it is too much. Raises UndisclosedError."""
    value = reader.values
    listen = reader.host_port("send.returns.listen")
    if listen is not None and not value["send.return_domain"]:
        raise reader.error("send.returns.listen", "needs send.return_domain")
    box = _box(reader, "send.returns", password, PASSWORD)
    certificate = reader.path("send.returns.tls_certificate")
    key = reader.path("send.returns.tls_key")
    if (certificate is None) != (key is None):
        raise reader.error(
            "send.returns.tls_key", "and the certificate need each other"
        )
    return ReturnsSettings(
        listen=listen,
        clients=reader.networks("send.returns.clients"),
        complaints=reader.addresses("send.returns.complaints"),
        box=box
        and replace(
            box,
            done=_folder(reader, "send.returns.imap_done"),
            minutes=value["send.returns.imap_minutes"],
        ),
        complaint_share=value["send.returns.complaint_percent"] / 100,
        fewest_complaints=value["send.returns.fewest_complaints"],
        failed_share=value["send.returns.failed_percent"] / 100,
        fewest_failures=value["send.returns.fewest_failures"],
        tls_certificate=certificate,
        tls_key=key,
    )


def feedback_id(reader: Reader) -> str:
    """Our name in Feedback-ID. Raises UndisclosedError."""
    name: str = reader.values["send.returns.feedback_id"]
    if name and not _SENDER_ID.fullmatch(name):
        raise reader.error(
            "send.returns.feedback_id", "must be 5 to 15 letters or digits"
        )
    return name


def seeds(reader: Reader, password: str | None) -> SeedsSettings:
    """The seed boxes of campaigns. Raises UndisclosedError."""
    addresses = reader.addresses("send.seeds.addresses")
    box = _box(reader, "send.seeds", password, SEEDS_PASSWORD)
    if addresses and box is None:
        raise reader.error("send.seeds.addresses", "needs send.seeds.imap")
    return SeedsSettings(
        addresses,
        box,
        is_automatic=is_on(reader, "send.seeds.automatic"),
        wait=timedelta(minutes=reader.values["send.seeds.wait_minutes"]),
    )


def _box(
    reader: Reader, section: str, password: str | None, variable: str
) -> BoxSettings | None:
    value = reader.values
    where = reader.host_port(f"{section}.imap")
    if where is None:
        return None
    tls, login = value[f"{section}.imap_tls"], value[f"{section}.imap_login"]
    if tls not in _TLS:
        raise reader.error(f"{section}.imap_tls", 'must be "tls", "starttls" or "none"')
    if tls == "none" and not _is_here(where.host):
        raise reader.error(f"{section}.imap_tls", 'may be "none" on this machine only')
    if not login or password is None:
        raise reader.error(f"{section}.imap_login", f"and {variable} must be set")
    return BoxSettings(
        where=where,
        tls=tls,
        ca=reader.path(f"{section}.imap_ca"),
        login=login,
        password=password,
        folder=_folder(reader, f"{section}.imap_folder") or "INBOX",
    )


def _folder(reader: Reader, name: str) -> str:
    folder: str = reader.values[name]
    if not folder.isascii() or not folder.isprintable():
        raise reader.error(name, "must be ASCII")
    return folder


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
