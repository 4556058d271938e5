# SPDX-License-Identifier: Apache-2.0
"""The certificate that a client showed in its TLS handshake (RFC 8446 §4.4.2)."""

import hashlib
import ssl
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that was verified against the authorities that we were given.

    ``fingerprint``: SHA-256 over its DER, lower-case hexadecimal. ``names``: its DNS
    names (RFC 5280 §4.2.1.6), lower-case.
    """

    fingerprint: str = field(repr=False)
    names: frozenset[str] = field(default=frozenset(), repr=False)


def client_certificate(tls: ssl.SSLObject | None) -> ClientCertificate | None:
    """What the client showed and OpenSSL verified; None where it showed nothing.

    A context that asks for no certificate verifies none, and gives none here.
    """
    if tls is None or tls.context.verify_mode is ssl.CERT_NONE:
        return None
    der = tls.getpeercert(binary_form=True)
    said = cast(dict[str, Any] | None, tls.getpeercert())
    if not der or not said:
        return None
    names = frozenset(
        str(name).lower()
        for kind, name in said.get("subjectAltName", ())
        if kind == "DNS"
    )
    return ClientCertificate(hashlib.sha256(der).hexdigest(), names)
