# SPDX-License-Identifier: Apache-2.0
"""How an SMTP server behaves towards its clients, and who they may be."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from datetime import timedelta

from undisclosed.transport.smtp.limits import Limits

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Network, ...] = (
    ipaddress.ip_network("127.0.0.0/8"),
    ipaddress.ip_network("::1/128"),
)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server behaves towards its clients.

    ``clients`` are the networks that may connect; nobody else is served, unless
    ``strangers``: then everybody may connect, and the handler has to refuse MAIL to
    those who prove nothing by certificate or login.
    ``wait`` is how long a client may take for its next command or the next piece
    of content (RFC 5321 §4.5.3.2.7), ``wait_content`` for one content in all.
    """

    hostname: str = "localhost"
    clients: tuple[Network, ...] = LOOPBACK
    limits: Limits = field(default_factory=Limits)
    max_connections: int = 1000
    max_connections_per_client: int = 500
    wait: timedelta = timedelta(minutes=5)
    wait_content: timedelta = timedelta(minutes=30)
    tls: ssl.SSLContext | None = None
    strangers: bool = False


def is_listed(peer: str, networks: tuple[Network, ...]) -> bool:
    """Whether this IP address is in one of the networks (IPv4 in IPv6 as IPv4)."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
