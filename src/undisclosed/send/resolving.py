# SPDX-License-Identifier: Apache-2.0
"""Asks the domain name system, for the checks."""

from collections.abc import Sequence

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from undisclosed.send.checks.view import ResolverAway

PATIENCE = 4.0
"""Seconds for one question, all name servers together."""


class DnsResolver:
    """Asks these name servers, or the system's where none is given."""

    def __init__(self, name_servers: Sequence[str] = (), port: int = 53) -> None:
        self._name_servers = tuple(name_servers)
        self._port = port
        self._resolver: dns.resolver.Resolver | None = None

    def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, each joined (RFC 7208 §3.3)."""
        return tuple(
            b"".join(one.strings).decode("utf-8", "replace")
            for one in self._ask(name, dns.rdatatype.TXT)
            if isinstance(one, TXT)
        )

    def exchanges(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records; ``.`` among them refuses mail (RFC 7505)."""
        return tuple(
            one.exchange.to_text()
            for one in self._ask(name, dns.rdatatype.MX)
            if isinstance(one, MX)
        )

    def addresses(self, name: str) -> tuple[str, ...]:
        """The A and AAAA records."""
        kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
        return tuple(one.to_text() for kind in kinds for one in self._ask(name, kind))

    def _ask(self, name: str, kind: dns.rdatatype.RdataType) -> "list[dns.rdata.Rdata]":
        try:
            answer = self._opened().resolve(
                dns.name.from_text(name), kind, lifetime=PATIENCE
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return []
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except (dns.exception.DNSException, OSError):
            raise ResolverAway from None
        return list(answer)

    def _opened(self) -> dns.resolver.Resolver:
        """The resolver, once it is needed: the system's settings may be missing."""
        if self._resolver is None:
            resolver = dns.resolver.Resolver(configure=not self._name_servers)
            if self._name_servers:
                resolver.nameservers = list(self._name_servers)
                resolver.port = self._port
            self._resolver = resolver
        return self._resolver
