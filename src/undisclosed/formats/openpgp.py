# SPDX-License-Identifier: Apache-2.0
"""OpenPGP messages and keys as far as they name people (RFC 9580).

An encrypted message begins with one packet for each key that opens it, and the key's
id stands in it: whoever has one copy knows whom else it was encrypted for. The
packets are not covered by what protects the message, so those of others can be left
out. Nothing is decrypted here, nothing raises, and everything is linear.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

MOST_PACKETS = 10_000

PUBLIC_KEY_SESSION_KEY = 1  # RFC 9580 §5.1
USER_ID = 13  # RFC 9580 §5.11
_ENCRYPTED_DATA = (9, 18, 20)  # RFC 9580 §5.7, §5.13
_LENGTH_OF_KEY_ID = 8
_ANYBODY = "0" * 16
"""The key id of a hidden recipient (RFC 9580 §5.1.1): it names nobody."""

_ARMOR = re.compile(
    rb"-----BEGIN PGP (MESSAGE|PUBLIC KEY BLOCK|PRIVATE KEY BLOCK|MESSAGE, PART [^-]*)"
    rb"-----[ \t]*\r?\n((?:[A-Za-z-]+:[^\r\n]*\r?\n)*)[ \t]*\r?\n"
    # Programs take one without an end, as well.
    rb"([A-Za-z0-9+/=\s]*)(?:-----END PGP|\Z)"
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_CHECKSUM = re.compile(rb"(?m)^=[A-Za-z0-9+/]{4}[ \t]*\r?\n?\s*\Z")


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: data[start:end] whole, data[body:end] without its head."""

    tag: int
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Armored:
    """One armored block (RFC 9580 §6): text[start:end] is its Base64 and checksum."""

    start: int
    end: int
    data: bytes = field(repr=False)


def packets(data: bytes) -> Iterator[Packet]:
    """The packets of a message or a key, to the first whose length is not known.

    What is encrypted or compressed may come in pieces: it is the last one given.
    """
    position = 0
    for _ in range(MOST_PACKETS):
        head = _head(data, position)
        if head is None:
            return
        tag, body, length = head
        end = len(data) if length is None else body + length
        if end > len(data):
            return
        yield Packet(tag, position, body, end)
        position = end


def recipient_ids(data: bytes) -> frozenset[str]:
    """The key ids that an encrypted message names, in upper-case hexadecimal digits.

    Of newer packets they are fingerprints (RFC 9580 §5.1.2). Hidden recipients have
    none.
    """
    return frozenset(one for _, one in _for_recipients(data) if one)


def is_encrypted(data: bytes) -> bool:
    """Whether a message holds encrypted content, whomever it names."""
    return any(packet.tag in _ENCRYPTED_DATA for packet in packets(data))


def without_recipients(data: bytes, others: Collection[str]) -> bytes:
    """The message without the packets for these key ids; all else as it is."""
    pieces, position = [], 0
    for packet, one in _for_recipients(data):
        if one in others:
            pieces.append(data[position : packet.start])
            position = packet.end
    return b"".join((*pieces, data[position:]))


def user_ids(data: bytes) -> list[str]:
    """Whose keys these are: a name and an address, as a rule."""
    return [
        data[packet.body : packet.end].decode("utf-8", "replace")
        for packet in packets(data)
        if packet.tag == USER_ID
    ]


def armored(text: bytes) -> list[Armored]:
    """Every armored message or key in a text."""
    if b"-----BEGIN PGP " not in text:
        return []
    return [
        Armored(found.start(3), found.end(3), _dearmored(found[3]))
        for found in _ARMOR.finditer(text)
    ]


def rearmored(text: bytes, block: Armored, data: bytes) -> bytes:
    """The Base64 and checksum of other data, with the line ends of this block."""
    old = text[block.start : block.end]
    newline = b"\r\n" if b"\r\n" in old else b"\n"
    length = len(old.partition(newline)[0]) or 64
    coded = base64.b64encode(data)
    lines = [coded[at : at + length] for at in range(0, len(coded), length)]
    if _CHECKSUM.search(old):
        checksum = _crc24(data).to_bytes(3, "big")
        lines.append(b"=" + base64.b64encode(checksum))
    return newline.join((*lines, b""))


def _for_recipients(data: bytes) -> Iterator[tuple[Packet, str]]:
    """The packets with a session key, each with the key id that it names or none."""
    for packet in packets(data):
        if packet.tag in _ENCRYPTED_DATA:
            return
        if packet.tag == PUBLIC_KEY_SESSION_KEY:
            yield packet, _key_id(data[packet.body : packet.end])


def _key_id(body: bytes) -> str:
    version = body[:1]
    if version in (b"\x02", b"\x03"):
        named = body[1 : 1 + _LENGTH_OF_KEY_ID].hex().upper()
        return "" if named == _ANYBODY else named
    if version == b"\x06" and len(body) > 1:
        # A length, the version of the key, and its fingerprint.
        return body[3 : 2 + body[1]].hex().upper()
    return ""


def _head(data: bytes, position: int) -> tuple[int, int, int | None] | None:
    """Tag, place of the body, and its length; None for a length not known here."""
    first = data[position : position + 1]
    if not first or not first[0] & 0x80:
        return None
    if first[0] & 0x40:
        return _new_head(data, position, first[0] & 0x3F)
    # RFC 9580 §4.2.2: the length of the length is in the tag.
    size = (1, 2, 4, 0)[first[0] & 3]
    body = position + 1 + size
    length = int.from_bytes(data[position + 1 : body], "big") if size else None
    return (first[0] & 0x3C) >> 2, body, length


def _new_head(
    data: bytes, position: int, tag: int
) -> tuple[int, int, int | None] | None:
    """RFC 9580 §4.2.1: lengths of one, two or five octets, or partial ones."""
    octets = data[position + 1 : position + 6]
    if not octets:
        return None
    first = octets[0]
    if first < 192:
        return tag, position + 2, first
    if first < 224 and len(octets) > 1:
        return tag, position + 3, ((first - 192) << 8) + octets[1] + 192
    if first == 255:
        return tag, position + 6, int.from_bytes(octets[1:5], "big")
    return tag, position + 2, None


def _dearmored(coded: bytes) -> bytes:
    clean = _NOT_BASE64.sub(b"", _CHECKSUM.sub(b"", coded))
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _crc24(data: bytes) -> int:
    """RFC 9580 §6.1."""
    crc = 0xB704CE
    for octet in data:
        crc = (crc << 8) ^ _CRC[(crc >> 16 ^ octet) & 0xFF]
    return crc & 0xFFFFFF


def _crc_of(octet: int) -> int:
    crc = octet << 16
    for _ in range(8):
        crc = crc << 1 ^ 0x1864CFB if crc & 0x800000 else crc << 1
    return crc & 0xFFFFFF


_CRC = tuple(map(_crc_of, range(256)))
