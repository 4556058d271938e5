# SPDX-License-Identifier: Apache-2.0
"""Our DKIM signatures, as dkimpy verifies them."""

import base64
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from undisclosed.formats.dkim import (
    SIGNED_FIELDS,
    DkimKey,
    DkimKeyUnfit,
    body_hash,
    read_key,
    relaxed,
    signature,
)

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
RSA = DkimKey(
    "council.example", "guard2026", rsa.generate_private_key(65537, key_size=2048)
)
ED25519 = DkimKey("council.example", "guard2026", ed25519.Ed25519PrivateKey.generate())
KEYS = pytest.mark.parametrize("key", [RSA, ED25519], ids=["RSA", "Ed25519"])

FIELDS = (
    (b"From", b" Olive <olive@council.example>"),
    (b"To", b" =?utf-8?q?J=C3=BCrgen?=\r\n <ann@a.example>"),
    (b"Subject", b"   The \t library\r\n\t is open  "),
    (b"Received", b" from somewhere"),
    (b"Date", b" Mon, 2 Mar 2026 09:00:00 +0000"),
    (b"X-Own", b" not signed"),
)
BODY = b"Dear all,\r\n\r\n  the  library\tis open. \r\n\r\n\r\n"


def message(fields: tuple[tuple[bytes, bytes], ...], body: bytes) -> bytes:
    return b"".join(name + b":" + text + b"\r\n" for name, text in fields) + (
        b"\r\n" + body
    )


def signed(key: DkimKey, fields: tuple[tuple[bytes, bytes], ...], body: bytes) -> bytes:
    return signature(fields, body_hash(body), key, AT) + message(fields, body)


class VerifyKey:
    """PyNaCl's class, which dkimpy asks for Ed25519, over the library that we have.

    What dkimpy hashes, and over which fields, stays its own.
    """

    def __init__(self, key: bytes, encoder: type) -> None:
        raw = base64.b64decode(key)
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(raw)

    def verify(self, message: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise BadSignatureError from None
        return message


class BadSignatureError(Exception):
    """PyNaCl's exception."""


@pytest.fixture(autouse=True)
def _ed25519_for_dkimpy(monkeypatch: pytest.MonkeyPatch) -> None:
    nacl = SimpleNamespace(
        signing=SimpleNamespace(VerifyKey=VerifyKey),
        encoding=SimpleNamespace(Base64Encoder=object),
        exceptions=SimpleNamespace(
            BadSignatureError=BadSignatureError, ValueError=ValueError
        ),
    )
    monkeypatch.setattr(dkim, "nacl", nacl, raising=False)


def is_verified(content: bytes, key: DkimKey) -> bool:
    """Whether dkimpy, asked for the record in DNS, finds the signature good."""

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"guard2026._domainkey.council.example."
        return key.record.encode()

    try:
        return bool(dkim.DKIM(content).verify(dnsfunc=in_dns))
    except dkim.ValidationError:
        return False


@KEYS
def test_a_foreign_verifier_finds_the_signature_good(key: DkimKey) -> None:
    assert is_verified(signed(key, FIELDS, BODY), key)


@KEYS
@given(
    body=st.lists(st.text(" \tab.=é", max_size=12), max_size=6).map(
        lambda lines: "".join(f"{line}\r\n" for line in lines).encode()
    ),
    subject=st.text(" \tab:;=", max_size=20),
)
@settings(deadline=None, max_examples=60)
def test_any_body_and_any_spaces_verify(
    key: DkimKey, body: bytes, subject: str
) -> None:
    fields = (*FIELDS[:2], (b"SUBJECT", subject.encode()))

    assert is_verified(signed(key, fields, body), key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ann@a.example", b"bob@b.example"),
        (b"library\tis", b"library was"),
        (b"X-Own", b"Cc: eve@e.example\r\nX-Own"),
        (b"X-Own", b"From: eve@e.example\r\nX-Own"),
    ],
    ids=["another recipient", "another body", "a Cc added", "a second author"],
)
def test_what_is_changed_afterwards_does_not_verify(old: bytes, new: bytes) -> None:
    content = signed(ED25519, FIELDS, BODY)

    assert not is_verified(content.replace(old, new, 1), ED25519)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"X-Own: not signed", b"X-Own: changed"),
        (b"Received: from somewhere\r\n", b"Received: from here\r\nReceived: x\r\n"),
        (b"Subject:   The \t library\r\n\t is open  ", b"subject: The library is open"),
        (b"open. \r\n\r\n\r\n", b"open.\r\n"),
    ],
    ids=["an unsigned field", "trace fields", "spaces of a field", "empty lines"],
)
def test_what_mail_servers_change_on_the_way_still_verifies(
    old: bytes, new: bytes
) -> None:
    content = signed(RSA, FIELDS, BODY)

    assert old in content
    assert is_verified(content.replace(old, new, 1), RSA)


def test_repeated_fields_are_signed_from_the_lowest_up() -> None:
    fields = (*FIELDS, (b"Cc", b" bob@b.example"), (b"Cc", b" carol@c.example"))

    assert is_verified(signed(ED25519, fields, BODY), ED25519)


def test_a_message_with_every_field_that_is_signed_verifies() -> None:
    fields = tuple(
        (name.title().encode(), f" {name} says so".encode()) for name in SIGNED_FIELDS
    )

    content = signed(ED25519, fields, BODY)

    assert is_verified(content, ED25519)
    for name in SIGNED_FIELDS:
        changed = content.replace(f" {name} says so".encode(), b" other", 1)
        assert not is_verified(changed, ED25519)


def test_an_empty_body_is_hashed_as_nothing_at_all() -> None:
    # RFC 6376 §3.4.4: the SHA-256 of the canonicalised empty body.
    expected = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

    assert base64.b64encode(body_hash(b"")).decode() == expected
    assert body_hash(b"\r\n \r\n") == body_hash(b"")


def test_the_example_of_the_standard_is_canonicalised_as_it_says() -> None:
    # RFC 6376 §3.4.5.
    assert relaxed(b"A", b" X") == b"a:X"
    assert relaxed(b"B ", b" Y\t\r\n\tZ  ") == b"b:Y Z"
    assert body_hash(b" C \r\nD \t E\r\n\r\n\r\n") == body_hash(b" C\r\nD E\r\n")


def test_no_line_of_the_signature_is_too_long() -> None:
    field = signature(FIELDS, body_hash(BODY), RSA, AT)

    assert max(map(len, field.split(b"\r\n"))) <= 100
    assert all(line[:1] == b" " for line in field.split(b"\r\n")[1:-1])


def test_two_signatures_of_one_message_are_the_same() -> None:
    assert signed(RSA, FIELDS, BODY) == signed(RSA, FIELDS, BODY)


@KEYS
def test_a_key_is_read_from_its_file(key: DkimKey) -> None:
    pem = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    read = read_key(pem, "council.example", "guard2026")

    assert read.record == key.record
    assert read.algorithm == key.algorithm


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        pem_of(rsa.generate_private_key(65537, key_size=1024)),  # noqa: S505
        pem_of(ec.generate_private_key(ec.SECP256R1())),
    ],
    ids=["nothing", "broken", "RSA of 1,024 bits", "ECDSA"],
)
def test_a_key_that_receivers_do_not_take_is_refused(pem: bytes) -> None:
    with pytest.raises(DkimKeyUnfit):
        read_key(pem, "council.example", "guard2026")


def test_a_key_does_not_print_itself() -> None:
    assert not re.search(r"PRIVATE|object at", repr(RSA))
