# SPDX-License-Identifier: Apache-2.0
"""Who may hand in mail at the SMTP endpoint, and on what proof.

The guard is never an open relay: a client that is neither listed nor known by its
certificate nor logged in hands in nothing. A cloud provider's client stands for all
of the provider's customers: each of its mails has to prove our tenant.
"""

from dataclasses import dataclass
from enum import Enum

from undisclosed.guard.tenant import Tenant
from undisclosed.transport.smtp.certificates import ClientCertificate
from undisclosed.transport.smtp.handler import Session
from undisclosed.transport.smtp.settings import LOOPBACK, Network, is_listed

ANY_CERTIFICATE = "*"
"""In a list of certificates: every one that the authorities signed."""


class Standing(Enum):
    """What a client may do."""

    OWN = "own"  # hands in mail
    TENANT = "tenant"  # hands in mail that proves our tenant
    STRANGER = "stranger"  # hands in nothing


class Auth(Enum):
    """Where AUTH is offered (RFC 4954): never in the clear over a network."""

    NEVER = "none"
    INSIDE_TLS = "tls"
    ON_LOOPBACK = "loopback"  # and inside TLS


@dataclass(frozen=True, slots=True)
class Access:
    """Who may hand in mail.

    ``clients``: our own networks. ``certificates``: fingerprints (SHA-256, lower-case
    hexadecimal) or DNS names of our own clients' certificates. ``tenant_clients`` and
    ``tenant_certificates`` are the same of a cloud provider, whose mail has to prove
    the ``tenant``. What proves most counts: a login, an own certificate; then what
    asks for most: a provider's certificate or address; then our own networks.
    """

    clients: tuple[Network, ...] = LOOPBACK
    certificates: frozenset[str] = frozenset()
    tenant: Tenant | None = None
    tenant_clients: tuple[Network, ...] = ()
    tenant_certificates: frozenset[str] = frozenset()
    auth: Auth = Auth.NEVER

    @property
    def admits_strangers(self) -> bool:
        """Whether a client may connect first and prove itself afterwards."""
        return bool(
            self.auth is not Auth.NEVER
            or self.certificates
            or self.tenant_certificates
            or self.tenant_clients
        )

    def standing(self, session: Session, login: str) -> Standing:
        """What this client may do; ``login`` is empty where nobody logged in."""
        certificate = session.certificate
        if login or _is_among(certificate, self.certificates):
            return Standing.OWN
        if self.tenant is not None and (
            _is_among(certificate, self.tenant_certificates)
            or is_listed(session.peer, self.tenant_clients)
        ):
            return Standing.TENANT
        is_own = is_listed(session.peer, self.clients)
        return Standing.OWN if is_own else Standing.STRANGER

    def offers_auth(self, session: Session) -> bool:
        """Whether a password would be heard by nobody else on its way here."""
        if self.auth is Auth.NEVER:
            return False
        if session.is_secured:
            return True
        return self.auth is Auth.ON_LOOPBACK and is_listed(session.peer, LOOPBACK)


def _is_among(certificate: ClientCertificate | None, listed: frozenset[str]) -> bool:
    if certificate is None or not listed:
        return False
    return (
        ANY_CERTIFICATE in listed
        or certificate.fingerprint in listed
        or not certificate.names.isdisjoint(listed)
    )
