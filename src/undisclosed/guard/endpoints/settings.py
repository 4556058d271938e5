# SPDX-License-Identifier: Apache-2.0
"""How the guard's SMTP endpoint listens and whom it serves."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from undisclosed.errors import UndisclosedError
from undisclosed.transport.smtp.limits import MEBIBYTE, Budget, Limits
from undisclosed.transport.smtp.settings import LOOPBACK, Network, ServerSettings


class CertificateUnreadable(UndisclosedError):
    """The certificate or its key (guard.tls_certificate, guard.tls_key) is no use."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where the endpoint listens, who may use it, and how much it takes.

    ``clients``: networks that may connect, loopback only by default. Sizes are in
    bytes; ``in_flight_bytes`` is for all sessions of one process together.
    ``wait`` is a client's time for its next command or piece of content,
    ``wait_content`` for one content in all, ``grace`` for open transactions when
    the process ends. ``deciding_threads`` ask Memory and the spool.
    """

    host: str = "127.0.0.1"
    port: int = 10025
    hostname: str = "localhost"
    clients: tuple[Network, ...] = LOOPBACK
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
            clients=self.clients,
            limits=limits,
            max_connections=self.max_connections,
            max_connections_per_client=self.max_connections_per_client,
            wait=self.wait,
            wait_content=self.wait_content,
            tls=self._tls(),
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
        return context
