# SPDX-License-Identifier: Apache-2.0
"""The TLS of a server: its certificate, and whose certificates it asks for."""

import ssl
from pathlib import Path

from undisclosed.errors import UndisclosedError


class CertificateUnreadable(UndisclosedError):
    """The certificate or its key (guard.tls_certificate, guard.tls_key) is no use."""


class AuthoritiesUnreadable(UndisclosedError):
    """The file of authorities for clients' certificates is no use."""


def server_tls(
    certificate: Path | None, key: Path | None, client_ca: Path | None = None
) -> ssl.SSLContext | None:
    """What STARTTLS begins with (RFC 3207); None without a certificate.

    ``client_ca``: file of the authorities (PEM) that clients' certificates are
    verified with; None: none is asked for. Raises CertificateUnreadable or
    AuthoritiesUnreadable.
    """
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise CertificateUnreadable(
            certificate=certificate.name, why=error.strerror
        ) from None
    if client_ca is not None:
        _ask_for_certificates(context, client_ca)
    return context


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
