# SPDX-License-Identifier: Apache-2.0
"""How the guard's SMTP endpoint listens and whom it serves."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from undisclosed.errors import UndisclosedError
from undisclosed.guard.endpoints.access import Access
from undisclosed.transport.smtp.limits import MEBIBYTE, Budget, Limits
from undisclosed.transport.smtp.settings import ServerSettings


class CertificateUnreadable(UndisclosedError):
    """The certificate or its key (guard.tls_certificate, guard.tls_key) is no use."""


class AuthoritiesUnreadable(UndisclosedError):
    """The file of authorities for clients' certificates is no use."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where the endpoint listens, who may use it, and how much it takes.

    ``access``: by default loopback only. ``client_ca``: file of the authorities (PEM)
    that clients' certificates are verified with; a client's own certificate may stand
    in it, too. None: no certificate is asked for. Sizes are in bytes;
    ``in_flight_bytes`` is for all sessions of one process together. ``wait`` is a
    client's time for its next command or piece of content, ``wait_content`` for one
    content in all, ``grace`` for open transactions when the process ends.
    ``deciding_threads`` ask Memory and the spool.
    """

    host: str = "127.0.0.1"
    port: int = 10025
    hostname: str = "localhost"
    access: Access = field(default_factory=Access)
    max_size: int = 50 * MEBIBYTE
    max_recipients: int = 10_000
    max_connections: int = 1000
    max_connections_per_client: int = 500
    in_flight_bytes: int = 256 * MEBIBYTE
    max_errors: int = 20
    max_hops: int = 50
    wait: timedelta = timedelta(minutes=5)
    wait_content: timedelta = timedelta(minutes=30)
    grace: timedelta = timedelta(seconds=30)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    client_ca: Path | None = None
    deciding_threads: int = 8

    def server(self) -> ServerSettings:
        """The same for the server. Raises CertificateUnreadable."""
        limits = Limits(
            max_size=self.max_size,
            max_recipients=self.max_recipients,
            max_errors=self.max_errors,
            budget=Budget(self.in_flight_bytes),
        )
        return ServerSettings(
            hostname=self.hostname,
            clients=self.access.clients,
            limits=limits,
            max_connections=self.max_connections,
            max_connections_per_client=self.max_connections_per_client,
            wait=self.wait,
            wait_content=self.wait_content,
            tls=self._tls(),
            strangers=self.access.admits_strangers,
        )

    def _tls(self) -> ssl.SSLContext | None:
        if self.tls_certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.tls_certificate, self.tls_key)
        except OSError as error:
            raise CertificateUnreadable(
                certificate=self.tls_certificate.name, why=error.strerror
            ) from None
        if self.client_ca is not None:
            self._ask_for_certificates(context, self.client_ca)
        return context

    @staticmethod
    def _ask_for_certificates(context: ssl.SSLContext, authorities: Path) -> None:
        """A client may show a certificate; one that does not hold ends the session."""
        try:
            context.load_verify_locations(authorities)
        except (OSError, ssl.SSLError) as error:
            raise AuthoritiesUnreadable(
                file=authorities.name, why=error.strerror or "no certificate in it"
            ) from None
        context.verify_mode = ssl.CERT_OPTIONAL
        # A certificate that stands in the file itself needs no authority above it.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
