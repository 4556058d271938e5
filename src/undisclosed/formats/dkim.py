# SPDX-License-Identifier: Apache-2.0
"""DKIM signatures (RFC 6376), relaxed/relaxed, with RSA or Ed25519 (RFC 8463).

Signing only, as bytes in and bytes out: the time is given, both algorithms need no
chance. The hash of a body is a value of its own, so that a thousand copies with one
body hash it once.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from undisclosed.errors import UndisclosedError

SMALLEST_RSA = 2048
"""Bits; receivers may refuse 1,024 (RFC 8301 §3.2 asks signers for 2,048)."""

SIGNED_FIELDS = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id"),
    *("in-reply-to", "references", "mime-version", "content-type"),
    *("content-transfer-encoding", "content-disposition", "list-unsubscribe"),
    *("list-unsubscribe-post", "list-id", "feedback-id"),
    *("resent-from", "resent-to", "resent-cc"),
)
"""Fields that are signed where they are there (RFC 6376 §5.4.1)."""

SIGNED_ONCE_MORE = frozenset({"from", "to", "cc", "subject", "date", "reply-to"})
"""Fields to which nobody may add a second one without breaking the signature."""

_SPACES = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_LINE = 72
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()

Field = tuple[bytes, bytes]
"""A field's name and its body as it is written, without the last line end."""


class DkimKeyUnfit(UndisclosedError):
    """The private key for DKIM cannot be used: RSA of 2,048 bits up, or Ed25519."""


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key, and the name under which its public half is published.

    That is ``selector._domainkey.domain`` (RFC 6376 §3.6.2.1).
    """

    domain: str
    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The name of the algorithm (RFC 6376 §3.3, RFC 8463 §3)."""
        is_rsa = isinstance(self.private, rsa.RSAPrivateKey)
        return "rsa-sha256" if is_rsa else "ed25519-sha256"

    @property
    def is_slow(self) -> bool:
        """Whether a signature costs more than the message: RSA's do."""
        return isinstance(self.private, rsa.RSAPrivateKey)

    @property
    def record(self) -> str:
        """What has to stand in DNS as TXT (RFC 6376 §3.6.1, RFC 8463 §4)."""
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            der = public.public_bytes(
                serialization.Encoding.DER,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
            return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
        raw = public.public_bytes_raw()
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"

    def signed(self, data: bytes) -> bytes:
        """The signature of these bytes."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, _PADDING, _HASH)
        return self.private.sign(hashlib.sha256(data).digest())


def read_key(pem: bytes, domain: str, selector: str) -> DkimKey:
    """The private key of a PEM file without a password. Raises DkimKeyUnfit."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DkimKeyUnfit(selector=selector) from None
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < SMALLEST_RSA:
            raise DkimKeyUnfit(selector=selector, bits=private.key_size)
        return DkimKey(domain, selector, private)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return DkimKey(domain, selector, private)
    raise DkimKeyUnfit(selector=selector)


def body_hash(body: bytes) -> bytes:
    """SHA-256 over the body in its relaxed form (RFC 6376 §3.4.4).

    Lines end in CRLF.
    """
    if b"\t" in body or b"  " in body:
        body = _SPACES.sub(b" ", body)
    body = body.replace(b" \r\n", b"\r\n").removesuffix(b" ").rstrip(b"\r\n")
    return hashlib.sha256(body + b"\r\n" if body else b"").digest()


def relaxed(name: bytes, body: bytes) -> bytes:
    """A field in its relaxed form, without a line end (RFC 6376 §3.4.2)."""
    if b"\n" in body or b"\t" in body or b"  " in body:
        body = _SPACES.sub(b" ", _FOLD.sub(b"", body))
    return name.strip(b" \t").lower() + b":" + body.strip(b" \t\r\n")


def signature(
    fields: Sequence[Field], hashed_body: bytes, key: DkimKey, at: datetime
) -> bytes:
    """The DKIM-Signature field for these fields, its last line end included.

    ``fields`` are all of the header block, from the top down; where a name stands
    several times the lowest is signed first (RFC 6376 §5.4.2).
    """
    names, signed = _signed(fields)
    described = (key.algorithm, key.domain, key.selector, int(at.timestamp()))
    begins, begins_relaxed = _tags(*described, tuple(names))
    body = base64.b64encode(hashed_body)
    signed.append(b"%s%s; b=" % (begins_relaxed, body))
    written = base64.b64encode(key.signed(b"\r\n".join(signed)))
    lines = [written[place : place + _LINE] for place in range(0, len(written), _LINE)]
    return b"%s%s;\r\n b=%s\r\n" % (begins, body, b"\r\n ".join(lines))


@lru_cache(maxsize=64)
def _tags(
    algorithm: str, domain: str, selector: str, seconds: int, names: tuple[str, ...]
) -> tuple[bytes, bytes]:
    """The field up to the hash of the body, as it is written and in relaxed form.

    Many messages that are signed in one second have it in common.
    """
    tags = (
        f" v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n"
        f" s={selector}; t={seconds};\r\n"
        f" h={_folded(names)};\r\n"
        f" bh="
    ).encode("ascii")
    return b"DKIM-Signature:" + tags, relaxed(b"dkim-signature", tags)


def _signed(fields: Sequence[Field]) -> tuple[list[str], list[bytes]]:
    """The names as they stand in h=, and the fields in the order of hashing."""
    by_name: dict[str, list[Field]] = {}
    for one in fields:
        name = one[0].strip().lower().decode("latin-1")
        by_name.setdefault(name, []).append(one)
    names: list[str] = []
    signed: list[bytes] = []
    for name in SIGNED_FIELDS:
        found = by_name.get(name)
        if found:
            signed += [relaxed(*one) for one in reversed(found)]
            names += [name] * len(found)
        if name in SIGNED_ONCE_MORE:
            names.append(name)
    return names, signed


def _folded(names: Sequence[str]) -> str:
    """The list of h=, folded between names (RFC 6376 §3.5)."""
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > _LINE:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n  ".join([*lines, line]).rstrip(":")
