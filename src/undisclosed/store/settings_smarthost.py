# SPDX-License-Identifier: Apache-2.0
"""The settings of the guard as a smarthost: who proves what, stamps, signatures.

What belongs together is refused where half of it is missing: an authority without
names would let in everybody whom it ever signed, a tenant without a secret all the
provider's customers.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings_values import (
    AccessSettings,
    DkimSettings,
    Networks,
    TenantSettings,
)

TENANT_SECRET = "UNDISCLOSED_TENANT_SECRET"  # noqa: S105 (the variable's name)
SHORTEST_SECRET = 20
"""Characters; what is shorter could be guessed by another customer."""

_FIELD_NAME = re.compile(r"[Xx]-[A-Za-z0-9-]{1,60}")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_FINGERPRINT = re.compile(r"(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}")


class Reader(Protocol):
    """What is read from one settings file, and how it is complained about."""

    values: dict[str, Any]

    def path(self, name: str) -> Path | None:
        """A file, from the folder of the settings on; None where it is empty."""

    def networks(self, name: str) -> Networks:
        """Networks of IP addresses."""

    def error(self, name: str, sentence: str) -> UndisclosedError:
        """What is wrong with a setting, with its line."""


def access(
    reader: Reader, secret: str | None, own_domains: Iterable[str]
) -> AccessSettings:
    """Who may hand in mail beside the listed networks. Raises UndisclosedError."""
    one_of(reader, "guard.auth", ("none", "tls", "loopback"))
    has_tls = bool(reader.values["guard.tls_certificate"])
    if reader.values["guard.auth"] == "tls" and not has_tls:
        raise reader.error("guard.auth", '"tls" needs guard.tls_certificate')
    client_ca = reader.path("guard.client_ca")
    certificates = _certificates(reader, "guard.client_certificates")
    tenant = _tenant(reader, secret, own_domains)
    has_names = bool(certificates or tenant.certificates)
    if has_names and client_ca is None:
        raise reader.error(
            "guard.client_ca", "must name the file that certificates are verified with"
        )
    if client_ca is not None and not (has_names and has_tls):
        raise reader.error(
            "guard.client_ca",
            "needs guard.tls_certificate, and guard.client_certificates or "
            'guard.tenant.certificates (["*"]: all that it signed)',
        )
    return AccessSettings(
        auth=reader.values["guard.auth"],
        client_ca=client_ca,
        certificates=certificates,
        tenant=tenant,
    )


def _tenant(
    reader: Reader, secret: str | None, own_domains: Iterable[str]
) -> TenantSettings:
    name = reader.values["guard.tenant.field"].strip()
    clients = reader.networks("guard.tenant.clients")
    certificates = _certificates(reader, "guard.tenant.certificates")
    secrets = tuple((secret or "").split())
    if name and not _FIELD_NAME.fullmatch(name):
        raise reader.error(
            "guard.tenant.field", "must be the name of a field that begins with X-"
        )
    if name and not secrets:
        raise reader.error("guard.tenant.field", f"needs a secret in {TENANT_SECRET}")
    if any(len(one) < SHORTEST_SECRET or not one.isascii() for one in secrets):
        raise UndisclosedError(
            f"{TENANT_SECRET} must have {SHORTEST_SECRET} ASCII characters or more."
        )
    if (clients or certificates) and not name:
        raise reader.error(
            "guard.tenant.field", "must name the field of the tenant proof"
        )
    if name and not tuple(own_domains):
        raise reader.error(
            "guard.tenant.field", "needs policy.own_domains: whom the tenant sends as"
        )
    return TenantSettings(
        name=reader.values["guard.tenant.name"],
        field_name=name,
        clients=clients,
        certificates=certificates,
        secrets=secrets,
    )


def _certificates(reader: Reader, name: str) -> frozenset[str]:
    """Fingerprints without colons, and DNS names; all lower-case."""
    found = set()
    for text in reader.values[name]:
        one = text.strip().lower()
        if not one or any(letter in one for letter in " /@"):
            raise reader.error(
                name, "must be SHA-256 fingerprints or DNS names of certificates"
            )
        is_fingerprint = _FINGERPRINT.fullmatch(one) is not None
        found.add(one.replace(":", "") if is_fingerprint else one)
    return frozenset(found)


def dkim(reader: Reader) -> DkimSettings:
    """What becomes of DKIM signatures of private copies. Raises UndisclosedError."""
    one_of(reader, "guard.dkim.mode", ("keep", "drop", "sign"))
    mode = reader.values["guard.dkim.mode"]
    selector, key = reader.values["guard.dkim.selector"], reader.path("guard.dkim.key")
    domains = frozenset(one.lower() for one in reader.values["guard.dkim.domains"])
    if mode == "sign" and not (domains and selector and key):
        raise reader.error(
            "guard.dkim.mode",
            '"sign" needs guard.dkim.domains, guard.dkim.selector and guard.dkim.key',
        )
    for name, texts in (
        ("guard.dkim.domains", domains),
        ("guard.dkim.selector", {selector} - {""}),
    ):
        if not all(_SELECTOR.fullmatch(text) for text in texts):
            raise reader.error(name, "must be a name as it stands in DNS")
    return DkimSettings(mode, domains, selector, key)


def next_hop_tls(reader: Reader) -> tuple[str, Path | None]:
    """Whether TLS is asked of the next hop, and by whom it is verified."""
    one_of(reader, "guard.next_hop_tls", ("none", "may", "verify"))
    chosen, authorities = (
        reader.values["guard.next_hop_tls"],
        reader.path("guard.next_hop_ca"),
    )
    if authorities is not None and chosen != "verify":
        raise reader.error("guard.next_hop_ca", 'needs guard.next_hop_tls = "verify"')
    return chosen, authorities


def one_of(reader: Reader, name: str, words: tuple[str, ...]) -> None:
    """Refuse what is none of these words."""
    if reader.values[name] not in words:
        named = ", ".join(f'"{word}"' for word in words)
        raise reader.error(name, f"must be one of {named}")


def is_on(reader: Reader, name: str) -> bool:
    """Whether a switch is "on". Raises UndisclosedError."""
    one_of(reader, name, ("off", "on"))
    return bool(reader.values[name] == "on")
