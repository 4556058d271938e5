# SPDX-License-Identifier: Apache-2.0
"""Timestamps of an authority outside (RFC 3161): asked for, and verified.

The authority sees a SHA-256 hash and nothing else. What it answers is believed only
where the status grants a time, the imprint is our hash, the nonce is the one that was
sent, and the certificate that signed it leads to the authority that the settings name
and is for timestamps alone. The signature and the chain are verified by
rfc3161-client (ADR 0046), the rest is read a second time by ``store.verifier``.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final, Self
from urllib.parse import SplitResult, urlsplit, urlunsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.store.verifier import (
    NoTimestamp,
    Timestamp,
    der_values,
    der_within,
    read_timestamp,
)

LONGEST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read; one with a whole chain has ten thousand."""

PATIENCE: Final = timedelta(seconds=10)
"""How long an authority may take for its whole answer."""

_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"
_OK: Final = 200
_CERTIFICATES: Final = 0xA0  # [0] of SignedData (RFC 5652 §5.1)


class AuthorityAway(TransientError):
    """The time-stamping authority did not answer in time, or not with a timestamp."""


class TimestampWrong(UndisclosedError):
    """What the time-stamping authority answered does not verify."""


class AuthorityUnknown(UndisclosedError):
    """The file of the time-stamping authority holds no certificate in PEM."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Whom to ask, and whose signatures are believed.

    ``roots`` are the certificates that a chain may end with, ``patience`` is for a
    whole answer. ``url`` is http or https: what comes back is signed either way.
    """

    url: str
    roots: tuple[x509.Certificate, ...] = field(repr=False)
    patience: timedelta = PATIENCE

    @classmethod
    def of(cls, url: str, ca: Path) -> Self:
        """The authority of the settings. Raises AuthorityUnknown."""
        return cls(url, certificates_of(ca))


def certificates_of(file: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises AuthorityUnknown."""
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError):
        raise AuthorityUnknown(file=str(file)) from None


def ask(authority: Authority, data: bytes) -> bytes:
    """The authority's answer about the SHA-256 hash of ``data``, verified.

    Raises AuthorityAway and TimestampWrong. Blocks for ``patience`` at most, and for
    a look-up of the authority's name.
    """
    request = (
        TimestampRequestBuilder()
        .data(data)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    response = _in_der(_exchanged(authority, request.as_bytes()))
    digest = request.message_imprint.message.hex()
    verify(response, digest, authority.roots, nonce=request.nonce)
    return response


def verify(
    response: bytes,
    digest: str,
    roots: tuple[x509.Certificate, ...],
    *,
    nonce: int | None = None,
) -> Timestamp:
    """What an answer says, once everything about it holds. Raises TimestampWrong.

    ``digest`` is the hash in hexadecimal. Certificates have to be valid at the time
    that the answer says: one that has run out since is none the worse. Without
    ``nonce`` that of the answer is not compared.
    """
    try:
        stamp = read_timestamp(response)
        answer = decode_timestamp_response(response)
        _verify_signature(answer, digest, roots, nonce)
    except (NoTimestamp, VerificationError, ValueError) as error:
        raise TimestampWrong(because=_words(error)) from None
    if stamp.digest != digest:
        raise TimestampWrong(because="it is of another hash")
    return stamp


def _verify_signature(
    answer: TimeStampResponse,
    digest: str,
    roots: tuple[x509.Certificate, ...],
    nonce: int | None,
) -> None:
    certificates = tuple(
        x509.load_der_x509_certificate(one) for one in answer.signed_data.certificates
    )
    builder = VerifierBuilder(roots=list(roots), nonce=nonce)
    builder.build().verify(answer, bytes.fromhex(digest))
    at = answer.tst_info.gen_time
    # The chain is verified for that time; a root has its own time as well.
    valid = [one for one in roots if _is_valid(one, at)]
    if not any(_may_have_issued(root, certificates) for root in valid):
        raise VerificationError("The root is not valid at that time.")


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _may_have_issued(
    root: x509.Certificate, certificates: tuple[x509.Certificate, ...]
) -> bool:
    return any(root.subject == one.issuer or root == one for one in certificates)


def _words(error: Exception) -> str:
    """The first sentence, without what it quotes: an answer is a stranger's text."""
    text = str(error).partition("\n")[0].partition(":")[0]
    return "".join(one for one in text if one.isalnum() or one in " -.")[:80].strip()


def _in_der(response: bytes) -> bytes:
    """The answer with its certificates in the order of DER (X.690 §11.6).

    Authorities put them in the order of the chain, OpenSSL among them, and nothing
    that is signed covers them. Whatever else is no DER is left to who verifies it.
    """
    try:
        (whole,) = der_values(response, 0, len(response))
        token = der_within(response, whole)[1]
        signed = der_within(response, der_within(response, token)[1])[0]
        found = [one for one in der_within(response, signed) if one[0] == _CERTIFICATES]
        (start, end) = found[0][1:]
        ends = [one[2] for one in der_within(response, found[0])]
    except (IndexError, ValueError):
        return response
    pieces = (response[a:b] for a, b in pairwise([start, *ends]))
    return response[:start] + b"".join(sorted(pieces)) + response[end:]


def _exchanged(authority: Authority, request: bytes) -> bytes:
    """One POST (RFC 3161 §3.4). Redirections are not followed."""
    url = urlsplit(authority.url)
    until = time.monotonic() + authority.patience.total_seconds()
    where = urlunsplit(("", "", url.path or "/", url.query, ""))
    headers = {"Content-Type": _QUERY, "Accept": _REPLY}
    try:
        with (
            closing(_reached(url, until)) as sock,
            _cut_off(sock, until),
            closing(_connection(url, sock)) as connection,
        ):
            connection.request("POST", where, request, headers)
            answer = _read(connection)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise AuthorityAway(error=type(error).__name__) from None
    if time.monotonic() >= until:
        raise AuthorityAway(error="TimeoutError")
    return answer


def _reached(url: SplitResult, until: float) -> socket.socket:
    """A socket to the first address that answers; for https its TLS is not begun.

    Each address has its share of the time that is left, so that one that swallows
    everything leaves some to the next.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    found = socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
    error: OSError = TimeoutError()
    for left, (family, kind, protocol, _, address) in zip(
        range(len(found), 0, -1), found, strict=True
    ):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_remaining(until) / left)
            sock.connect(address)
            sock.settimeout(_remaining(until))
            return _wrapped(url, sock)
        except OSError as failed:
            sock.close()
            error = failed
    raise error


def _wrapped(url: SplitResult, sock: socket.socket) -> socket.socket:
    if url.scheme != "https":
        return sock
    return ssl.create_default_context().wrap_socket(
        sock, server_hostname=url.hostname, do_handshake_on_connect=False
    )


def _connection(url: SplitResult, sock: socket.socket) -> http.client.HTTPConnection:
    """What speaks HTTP through a socket that is there; TLS begins here."""
    host = url.hostname or ""
    if isinstance(sock, ssl.SSLSocket):
        sock.do_handshake()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, url.port, context=sock.context
        )
    else:
        connection = http.client.HTTPConnection(host, url.port)
    connection.sock = sock
    return connection


def _remaining(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@contextmanager
def _cut_off(sock: socket.socket, until: float) -> Iterator[None]:
    """Cut the connection off at a time: a timeout starts anew with every byte."""

    def cut() -> None:
        with suppress(OSError):
            # Of the socket beneath TLS, which another thread is reading.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, until - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(connection: http.client.HTTPConnection) -> bytes:
    response = connection.getresponse()
    if response.status != _OK or response.headers.get_content_type() != _REPLY:
        raise AuthorityAway(status=response.status)
    answer = response.read(LONGEST_ANSWER + 1)
    if len(answer) > LONGEST_ANSWER:
        raise AuthorityAway(error="too long")
    return answer
