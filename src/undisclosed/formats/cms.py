# SPDX-License-Identifier: Apache-2.0
"""S/MIME content as far as it names people: CMS (RFC 5652) in BER and DER (X.690).

Signed content is not hidden: what was signed is given back, to be read. Encrypted
content names each certificate that opens it, by issuer and serial number or by key
identifier; those of others can be left out, since nothing covers them. Nothing is
decrypted or verified here, nothing raises, depth and number of values are bounded.
"""

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

DEEPEST = 40
MOST_VALUES = 200_000
LONGEST_INFLATED = 64 * 1024 * 1024
"""Bytes of compressed content (RFC 3274) that are read."""

_SIGNED = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_ENVELOPED = bytes.fromhex("2a864886f70d010703")  # 1.2.840.113549.1.7.3
_AUTHENTICATED = bytes.fromhex("2a864886f70d0109100102")  # RFC 5652 §9.1
_COMPRESSED = bytes.fromhex("2a864886f70d0109100109")  # RFC 3274 §1.1
_AUTH_ENVELOPED = bytes.fromhex("2a864886f70d0109100117")  # RFC 5083 §2.1

_INTEGER, _OCTETS, _OID, _SEQUENCE, _SET = 0x02, 0x04, 0x06, 0x30, 0x31
_FIRST, _SECOND = 0xA0, 0xA1  # context-specific, constructed: [0] and [1]
_FIRST_PLAIN = 0x80  # context-specific, primitive: [0]
_CONSTRUCTED = 0x20
# UTF8String, PrintableString, TeletexString, IA5String, and rfc822Name [1] of a
# certificate's names (RFC 5280 §4.2.1.6).
_TEXTS = (0x0C, 0x13, 0x14, 0x16, 0x81)
_WIDE_TEXT = 0x1E  # BMPString
_INDEFINITE = 0x80
_LONG_FORM = 0x80


class _TooMuch(Exception):
    """The bytes are no CMS, are cut off, or hold more than is read."""


@dataclass(frozen=True, slots=True)
class _Value:
    """One value: data[start:end] whole, data[body:body_end] what it holds."""

    tag: int
    start: int
    body: int
    body_end: int
    end: int
    is_indefinite: bool = False


@dataclass(frozen=True, slots=True)
class SignedOrEncrypted:
    """What CMS content says without a key.

    ``inner`` is what was signed or compressed, a part with its own fields; None where
    it is encrypted, or stands elsewhere (a detached signature). ``recipient_ids`` are
    the serial numbers and key identifiers that encryption names, in upper-case
    hexadecimal digits. ``texts`` are those of the certificates in it. ``is_whole`` is
    False where the bytes could not be read to their end.
    """

    inner: bytes | None = field(default=None, repr=False)
    recipient_ids: frozenset[str] = frozenset()
    texts: tuple[str, ...] = field(default=(), repr=False)
    is_whole: bool = True


@dataclass(slots=True)
class _Reader:
    """The values of some bytes; each look at one counts."""

    data: bytes
    left: int = MOST_VALUES

    def value(self, position: int, end: int, depth: int = 0) -> _Value:
        """The value that begins here."""
        self.left -= 1
        if self.left < 0 or depth > DEEPEST or position + 2 > end:
            raise _TooMuch
        tag, body = self.data[position], position + 2
        if tag & 0x1F == 0x1F:  # A tag of several octets: nothing in CMS has one.
            raise _TooMuch
        length = self.data[position + 1]
        if length == _INDEFINITE:
            return self._indefinite(tag, position, end, depth)
        if length > _LONG_FORM:
            size = length - _LONG_FORM
            length = int.from_bytes(self.data[body : body + size], "big")
            body += size
        if body + length > end:
            raise _TooMuch
        return _Value(tag, position, body, body + length, body + length)

    def _indefinite(self, tag: int, start: int, end: int, depth: int) -> _Value:
        """X.690 §8.1.3.6: to the end-of-contents octets."""
        position = start + 2
        while self.data[position : position + 2] != b"\0\0":
            position = self.value(position, end, depth + 1).end
        if position + 2 > end:
            raise _TooMuch
        return _Value(tag, start, start + 2, position, position + 2, True)

    def inside(self, value: _Value) -> Iterator[_Value]:
        """The values that a constructed one holds."""
        position = value.body
        while position < value.body_end:
            one = self.value(position, value.body_end)
            yield one
            position = one.end

    def bytes_of(self, value: _Value) -> bytes:
        """What a value holds; an OCTET STRING may be made of several (§8.7.3)."""
        if not value.tag & _CONSTRUCTED:
            return self.data[value.body : value.body_end]
        return b"".join(map(self.bytes_of, self.inside(value)))


@dataclass(frozen=True, slots=True)
class _Content:
    """The values of a ContentInfo (RFC 5652 §3), from the outermost inwards."""

    kind: bytes
    around: tuple[_Value, ...]
    values: tuple[_Value, ...]


def read_cms(data: bytes) -> SignedOrEncrypted:
    """What S/MIME content shows. Never raises."""
    reader = _Reader(data)
    try:
        content = _content(reader)
        if content.kind == _SIGNED:
            return _signed(reader, content)
        if content.kind == _COMPRESSED:
            return _compressed(reader, content)
        if content.kind in (_ENVELOPED, _AUTH_ENVELOPED, _AUTHENTICATED):
            return _encrypted(reader, content)
    except (_TooMuch, ValueError, RecursionError, zlib.error):
        pass
    return SignedOrEncrypted(is_whole=False)


def without_recipients(data: bytes, others: Collection[str]) -> bytes:
    """The content without what is there for these recipients; all else as it is.

    Only the lengths of the values around it change. Bytes that cannot be read are
    given back unchanged.
    """
    reader = _Reader(data)
    try:
        content = _content(reader)
        infos = next((one for one in content.values if one.tag == _SET), None)
        if content.kind not in (_ENVELOPED, _AUTH_ENVELOPED) or infos is None:
            return data
        cuts: list[tuple[int, int]] = []
        for info in reader.inside(infos):
            named = list(_named_by(reader, info))
            if named and all(one in others for one in named):
                cuts.append((info.start, info.end))
        return _cut(data, (*content.around, infos), cuts)
    except (_TooMuch, ValueError, RecursionError):
        return data


def _content(reader: _Reader) -> _Content:
    whole = reader.value(0, len(reader.data))
    kind, explicit, *_ = _several(reader, whole)
    if whole.tag != _SEQUENCE or kind.tag != _OID or explicit.tag != _FIRST:
        raise _TooMuch
    (value, *_) = reader.inside(explicit)
    return _Content(
        reader.bytes_of(kind), (whole, explicit, value), tuple(reader.inside(value))
    )


def _several(reader: _Reader, value: _Value) -> list[_Value]:
    values = list(reader.inside(value))
    if len(values) < 2:
        raise _TooMuch
    return values


def _signed(reader: _Reader, content: _Content) -> SignedOrEncrypted:
    """RFC 5652 §5.1: version, digests, content, certificates, lists, signers."""
    inner = _inner(reader, content)
    texts: list[str] = []
    for value in content.values:
        if value.tag == _FIRST:
            texts += _texts(reader, value, 0)
    return SignedOrEncrypted(inner, texts=tuple(texts))


def _compressed(reader: _Reader, content: _Content) -> SignedOrEncrypted:
    """RFC 3274 §1.1."""
    packed = _inner(reader, content)
    if packed is None:
        return SignedOrEncrypted()
    inflater = zlib.decompressobj()
    inner = inflater.decompress(packed, LONGEST_INFLATED)
    return SignedOrEncrypted(inner, is_whole=not inflater.unconsumed_tail)


def _inner(reader: _Reader, content: _Content) -> bytes | None:
    """The eContent of encapsulated content (RFC 5652 §5.2), if it is there."""
    for value in content.values:
        if value.tag == _SEQUENCE:
            explicit = list(reader.inside(value))[1:]
            if explicit and explicit[0].tag == _FIRST:
                return b"".join(map(reader.bytes_of, reader.inside(explicit[0])))
    return None


def _encrypted(reader: _Reader, content: _Content) -> SignedOrEncrypted:
    """RFC 5652 §6.1, RFC 5083 §2.1: version, originator, recipients, content."""
    texts: list[str] = []
    named: dict[str, set[bytes]] = {}
    for value in content.values:
        if value.tag == _FIRST and not named:
            texts += _texts(reader, value, 0)
        elif value.tag == _SET and not named:
            for info in reader.inside(value):
                for one, issuer in _certificates(reader, info):
                    named.setdefault(one, set()).add(issuer)
    # Two authorities may give two people the same number: whose it is, is not known.
    alike = {f"{one}/{n}" for one, by in named.items() for n in range(1, len(by))}
    return SignedOrEncrypted(None, frozenset({*named, *alike}), tuple(texts))


def _named_by(reader: _Reader, info: _Value) -> Iterator[str]:
    """Whom a RecipientInfo names (RFC 5652 §6.2): a certificate, or several."""
    for one, _ in _certificates(reader, info):
        yield one


def _certificates(reader: _Reader, info: _Value) -> Iterator[tuple[str, bytes]]:
    """The number of each certificate that is named, and who issued it."""
    values = list(reader.inside(info))
    if info.tag == _SEQUENCE and len(values) > 1:
        yield from _identifier(reader, values[1])
    elif info.tag == _SECOND and values and values[-1].tag == _SEQUENCE:
        # RFC 5652 §6.2.2: key agreement may be for several recipients at once.
        for each in reader.inside(values[-1]):
            first = next(reader.inside(each), None)
            if first is not None:
                yield from _identifier(reader, first)


def _identifier(reader: _Reader, value: _Value) -> Iterator[tuple[str, bytes]]:
    """Issuer and serial number, or a key identifier (RFC 5652 §6.2.1, §10.2.4)."""
    if value.tag == _SEQUENCE:
        for one in reader.inside(value):
            if one.tag == _INTEGER:
                issuer = reader.data[value.body : one.start]
                yield _hexadecimal(reader.bytes_of(one).lstrip(b"\0")), issuer
    elif value.tag == _FIRST_PLAIN:
        yield _hexadecimal(reader.bytes_of(value)), b""
    elif value.tag == _FIRST:
        first = next(reader.inside(value), None)
        if first is not None:
            yield _hexadecimal(reader.bytes_of(first)), b""


def _hexadecimal(data: bytes) -> str:
    return data.hex().upper() or "00"


def _texts(reader: _Reader, value: _Value, depth: int) -> Iterator[str]:
    """Every text in a value; those of extensions stand in octets (RFC 5280 §4.1)."""
    if depth > DEEPEST:
        raise _TooMuch
    if value.tag in _TEXTS:
        yield reader.bytes_of(value).decode("utf-8", "replace")
    elif value.tag == _WIDE_TEXT:
        yield reader.bytes_of(value).decode("utf-16-be", "replace")
    elif value.tag & _CONSTRUCTED:
        for one in reader.inside(value):
            yield from _texts(reader, one, depth + 1)
    elif value.tag == _OCTETS and reader.data[value.body : value.body + 1] == b"\x30":
        inner = reader.value(value.body, value.body_end)
        if inner.end == value.body_end:
            yield from _texts(reader, inner, depth + 1)


def _cut(data: bytes, around: tuple[_Value, ...], cuts: list[tuple[int, int]]) -> bytes:
    """The bytes without the cuts, all of which lie inside of the last value around."""
    value = around[-1]
    pieces, position = [], value.body
    for start, end in cuts:
        pieces.append(data[position:start])
        position = end
    body = b"".join((*pieces, data[position : value.body_end]))
    for outer, inner in zip((*around[-2::-1], None), around[::-1], strict=True):
        whole = _whole(data, inner, body)
        if outer is None:
            return data[: inner.start] + whole + data[inner.end :]
        body = data[outer.body : inner.start] + whole + data[inner.end : outer.body_end]
    return data


def _whole(data: bytes, value: _Value, body: bytes) -> bytes:
    """A value with another body, its length written in the form that it had."""
    tag = data[value.start : value.start + 1]
    if value.is_indefinite:
        return tag + b"\x80" + body + b"\0\0"
    length = len(body)
    if length < _LONG_FORM:
        return tag + bytes((length,)) + body
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return tag + bytes((_LONG_FORM | len(octets),)) + octets + body
