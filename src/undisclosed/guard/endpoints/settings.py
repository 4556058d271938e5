# SPDX-License-Identifier: Apache-2.0
"""How the guard's SMTP endpoint listens and whom it serves."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from undisclosed.guard.endpoints.access import Access
from undisclosed.transport.smtp.limits import MEBIBYTE, Budget, Limits
from undisclosed.transport.smtp.server_tls import server_tls
from undisclosed.transport.smtp.settings import ServerSettings


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
        """The same for the server.

        Raises CertificateUnreadable or AuthoritiesUnreadable.
        """
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
            tls=server_tls(self.tls_certificate, self.tls_key, self.client_ca),
            strangers=self.access.admits_strangers,
        )
