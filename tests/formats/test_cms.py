# SPDX-License-Identifier: Apache-2.0
"""S/MIME content: what was signed, who can decrypt, whose certificates it holds."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.cms import read_cms, without_recipients

SIGNED = bytes.fromhex("06092a864886f70d010702")
ENVELOPED = bytes.fromhex("06092a864886f70d010703")
COMPRESSED = bytes.fromhex("060b2a864886f70d0109100109")
DATA = bytes.fromhex("06092a864886f70d010701")
ANN, BOB = b"\x02\x02\x0a\xb1", b"\x02\x02\x0a\xb2"


def der(tag: int, *values: bytes, indefinite: bool = False) -> bytes:
    """One value with its length, definite or not."""
    body = b"".join(values)
    if indefinite:
        return bytes((tag, 0x80)) + body + b"\0\0"
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body


def info(serial: bytes, key: bytes = b"key") -> bytes:
    """A KeyTransRecipientInfo (RFC 5652 §6.2.1)."""
    return der(0x30, b"\x02\x01\x00", der(0x30, der(0x30), serial), der(4, key))


def content(kind: bytes, *values: bytes, indefinite: bool = False) -> bytes:
    """A ContentInfo."""
    inner = der(0x30, *values, indefinite=indefinite)
    explicit = der(0xA0, inner, indefinite=indefinite)
    return der(0x30, kind, explicit, indefinite=indefinite)


def enveloped(*infos: bytes, indefinite: bool = False) -> bytes:
    """An EnvelopedData for these recipients."""
    recipients = der(0x31, *infos, indefinite=indefinite)
    secret = der(0x30, DATA, der(0x30), der(0x80, b"secret" * 40))
    return content(
        ENVELOPED, b"\x02\x01\x00", recipients, secret, indefinite=indefinite
    )


def signed(inner: bytes, certificates: bytes = b"") -> bytes:
    """A SignedData over these octets."""
    encapsulated = der(0x30, DATA, der(0xA0, inner))
    given = der(0xA0, certificates) if certificates else b""
    return content(SIGNED, b"\x02\x01\x01", der(0x31), encapsulated, given, der(0x31))


def test_what_was_signed_is_given_back() -> None:
    assert read_cms(signed(der(4, b"Hello."))).inner == b"Hello."


def test_what_was_signed_may_stand_in_pieces() -> None:
    pieces = der(0x24, der(4, b"Hel"), der(4, b"lo."), indefinite=True)

    assert read_cms(signed(pieces)).inner == b"Hello."


def test_a_detached_signature_holds_nothing() -> None:
    bare = content(SIGNED, b"\x02\x01\x01", der(0x31), der(0x30, DATA), der(0x31))

    assert read_cms(bare).inner is None
    assert read_cms(bare).is_whole


def test_compressed_content_is_read() -> None:
    packed = der(0x30, DATA, der(0xA0, der(4, zlib.compress(b"Hello."))))

    found = read_cms(content(COMPRESSED, b"\x02\x01\x00", der(0x30), packed))

    assert found.inner == b"Hello."


def test_the_texts_of_certificates_are_found() -> None:
    alternative = der(4, der(0x30, der(0x81, b"ann@a.example")))
    names = der(0x30, der(0x16, b"bob@b.example"), der(0x1E, "ö@c".encode("utf-16-be")))

    found = read_cms(signed(der(4, b""), der(0x30, names, alternative)))

    assert found.texts == ("bob@b.example", "ö@c", "ann@a.example")


@pytest.mark.parametrize("indefinite", [False, True])
def test_recipients_are_named_by_serial_number(indefinite: bool) -> None:
    data = enveloped(info(ANN), info(BOB), indefinite=indefinite)

    assert read_cms(data).recipient_ids == {"0AB1", "0AB2"}


def test_one_number_of_two_authorities_is_two_recipients() -> None:
    issuers = [der(0x30, der(0x31, der(0x30))), der(0x30)]
    infos = [
        der(0x30, b"\x02\x01\x00", der(0x30, each, ANN), der(4, b"key"))
        for each in issuers
    ]

    assert len(read_cms(enveloped(*infos)).recipient_ids) == 2
    assert len(read_cms(enveloped(infos[0], infos[0])).recipient_ids) == 1


@pytest.mark.parametrize("indefinite", [False, True])
def test_the_recipient_infos_of_others_are_left_out(indefinite: bool) -> None:
    data = enveloped(info(ANN, b"x" * 200), info(BOB), indefinite=indefinite)

    pruned = without_recipients(data, {"0AB1"})

    assert pruned == enveloped(info(BOB), indefinite=indefinite)


def test_key_agreement_for_several_goes_only_as_a_whole() -> None:
    keys = [der(0x30, der(0x30, der(0x30), one), der(4, b"k")) for one in (ANN, BOB)]
    agreed = der(0xA1, b"\x02\x01\x03", der(0xA0), der(0x30), der(0x30, *keys))
    data = enveloped(agreed)

    assert read_cms(data).recipient_ids == {"0AB1", "0AB2"}
    assert without_recipients(data, {"0AB1"}) == data
    assert without_recipients(data, {"0AB1", "0AB2"}) == enveloped()


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert read_cms(data).recipient_ids == frozenset()


@given(st.data())
def test_broken_content_is_read(data: st.DataObject) -> None:
    whole = enveloped(info(ANN), info(BOB), indefinite=data.draw(st.booleans()))
    place = data.draw(st.integers(0, len(whole) - 1))
    broken = whole[:place] + data.draw(st.binary(max_size=3)) + whole[place + 1 :]

    read_cms(broken)
    assert len(without_recipients(broken, {"0AB1"})) <= len(broken) + 8


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", [b"\x30\x80", b"\x24\x80", b"\x30\x84", b"\x04\x00"])
def test_deep_and_long_content_is_bounded(piece: bytes) -> None:
    head = b"\x30\x80" + ENVELOPED + b"\xa0\x80"

    assert not read_cms(head + piece * 500_000).is_whole


def test_recipients_are_named_by_key_identifier() -> None:
    by_key = der(0x30, b"\x02\x01\x02", der(0x80, b"\xab\xcd"), der(4, b"key"))
    by_agreed = der(0x30, der(0xA0, der(4, b"\x12\x34")), der(4, b"k"))
    agreed = der(0xA1, b"\x02\x01\x03", der(0xA0), der(0x30), der(0x30, by_agreed))

    assert read_cms(enveloped(by_key, agreed)).recipient_ids == {"ABCD", "1234"}


def test_a_password_names_nobody() -> None:
    password = der(0xA3, b"\x02\x01\x00", der(0x30), der(4, b"k"))

    found = read_cms(enveloped(password))

    assert found.is_whole
    assert found.recipient_ids == frozenset()
    assert without_recipients(enveloped(password), {""}) == enveloped(password)


def test_the_certificates_of_the_originator_are_read() -> None:
    originator = der(0xA0, der(0xA0, der(0x30, der(0x16, b"ann@a.example"))))
    secret = der(0x30, DATA, der(0x30), der(0x80, b"secret"))
    recipients = der(0x31, info(ANN))
    data = content(ENVELOPED, b"\x02\x01\x02", originator, recipients, secret)

    assert read_cms(data).texts == ("ann@a.example",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        der(0x30, SIGNED),
        content(SIGNED),
        content(DATA, b"\x02\x01\x00"),
        der(0x31, SIGNED, der(0xA0, der(0x30))),
        signed(der(4, b"x"))[:-4],
        b"\x1f\x81\x01\x00",
    ],
)
def test_what_is_no_content_is_given_back_unchanged(data: bytes) -> None:
    assert read_cms(data).inner is None
    assert without_recipients(data, {"01"}) == data


def test_compressed_content_without_content_is_read() -> None:
    empty = content(COMPRESSED, b"\x02\x01\x00", der(0x30, DATA))

    assert read_cms(empty).inner is None


def test_content_that_inflates_without_end_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("undisclosed.formats.cms.LONGEST_INFLATED", 100)
    packed = der(0x30, DATA, der(0xA0, der(4, zlib.compress(bytes(100_000)))))

    found = read_cms(content(COMPRESSED, b"\x02\x01\x00", der(0x30, DATA), packed))

    assert not found.is_whole
    assert found.inner == bytes(100)
