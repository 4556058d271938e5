# SPDX-License-Identifier: Apache-2.0
"""Encryption of what is stored, and keyed hashes for what is only looked up.

One master key, from the environment or a file that only its owner may read,
never in the database. From it HKDF (RFC 5869) makes a key per purpose; each held
mail has a data key of its own, wrapped by one of them, so that destroying the
wrapped key destroys the mail. Content is AES-256-GCM (NIST SP 800-38D) in chunks;
each chunk's number and whether it is the last are authenticated, so that chunks
can be neither changed nor exchanged nor left out unnoticed.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError

CHUNK = 256 * 1024
"""Bytes of content in one sealed chunk."""

KEY_SIZE = 32
_NONCE_SIZE = 12
_BLOCK = 64  # bytes of a block of SHA-256
_VERSION = b"\x01"
_KEYS = "UNDISCLOSED_KEYS"


class SealBroken(UndisclosedError):
    """What was stored cannot be opened: it was changed, or the key is another one."""


class DataKey:
    """Seals and opens values under one key, each bound to a context.

    The context says what the value is and whose: a sealed value that is moved to
    another row or column does not open. ``earlier`` keys open what they sealed, and
    seal nothing any more.
    """

    __slots__ = ("_cipher", "_earlier")

    def __init__(self, key: bytes, *earlier: bytes) -> None:
        self._cipher = AESGCM(key)
        self._earlier = tuple(map(AESGCM, earlier))

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt and authenticate; the result says nothing but its length."""
        nonce = os.urandom(_NONCE_SIZE)
        sealed = self._cipher.encrypt(nonce, plain, context.encode())
        return _VERSION + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """The value again. Raises SealBroken."""
        if sealed[:1] != _VERSION:
            raise SealBroken(context=context.partition("/")[0])
        start = 1 + _NONCE_SIZE
        nonce, data, about = sealed[1:start], sealed[start:], context.encode()
        for cipher in (self._cipher, *self._earlier):
            try:
                return cipher.decrypt(nonce, data, about)
            except (InvalidTag, ValueError):
                continue
        raise SealBroken(context=context.partition("/")[0])

    def seal_chunks(self, content: bytes, context: str) -> Iterator[bytes]:
        """The content in sealed chunks; an empty content has one empty chunk."""
        last = max(0, (len(content) - 1) // CHUNK)
        view = memoryview(content)
        for number in range(last + 1):
            piece = view[number * CHUNK : (number + 1) * CHUNK]
            yield self.seal(bytes(piece), _chunk(context, number, number == last))

    def open_chunks(self, chunks: Iterable[bytes], context: str) -> bytes:
        """The content whole. Raises SealBroken where a chunk is missing or moved."""
        sealed = list(chunks)
        if not sealed:
            raise SealBroken(context=context.partition("/")[0])
        last = len(sealed) - 1
        return b"".join(
            self.open(chunk, _chunk(context, number, number == last))
            for number, chunk in enumerate(sealed)
        )


def _chunk(context: str, number: int, is_last: bool) -> str:
    return f"{context}/chunk/{number}/{'last' if is_last else 'more'}"


class Keys:
    """Every key there is, made from one master key of 32 bytes, or from several.

    Of several, one after the other, the first seals and signs what is new, and all
    open what they made. The last makes the keyed hashes that are looked up, until all
    of them are made anew at once (``store.rehashing``); one key may stand first and
    last.

    ``id`` names that last master key without telling it; it stands beside what the key
    made, so that an exchanged key is noticed rather than guessed at.
    """

    __slots__ = ("_derived", "_masters", "_sealing", "id")

    def __init__(self, master: bytes) -> None:
        if not master or len(master) % KEY_SIZE:
            raise UndisclosedError(
                "The master key must have 32 bytes.", bytes=len(master)
            )
        masters = [
            master[start : start + KEY_SIZE]
            for start in range(0, len(master), KEY_SIZE)
        ]
        self._masters = tuple(dict.fromkeys(masters))
        self._sealing = [_deriving(one) for one in self._masters]
        self._derived = self._sealing[self._masters.index(masters[-1])]
        self.id = self._derived("key id")[:4].hex()

    def __repr__(self) -> str:
        return f"<Keys {self.id}>"

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose; another purpose has an unrelated key."""
        return self._derived(purpose)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """The same of every master key, the newest first.

        For what is made with the newest and opened with any.
        """
        return tuple(derived(purpose) for derived in self._sealing)

    def of_id(self, key_id: str) -> "Keys | None":
        """The keys of one master key alone; None where it is not among these."""
        for name, master in zip(self.ids, self._masters, strict=True):
            if name == key_id:
                return Keys(master)
        return None

    @property
    def masters(self) -> tuple[bytes, ...]:
        """The master keys themselves, the newest first: for the key file alone."""
        return self._masters

    def hash_all(self, purpose: str, value: bytes) -> tuple[bytes, ...]:
        """The keyed hashes of a value under every master key, the newest first."""
        made = (hmac.digest(key, value, "sha256") for key in self.derive_all(purpose))
        return tuple(made)

    def hash(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA-256 (RFC 2104) under the key of the purpose: 32 bytes."""
        return hmac.digest(self.derive(purpose), value, "sha256")

    def hasher(self, purpose: str) -> Callable[[bytes], int]:
        """A function to 64-bit keyed hashes, signed as PostgreSQL's bigint is.

        The first eight bytes of ``hash``: the two padded keys of HMAC are hashed once
        and not for each of a hundred thousand people.
        """
        key = self.derive(purpose).ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key)).copy
        outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key)).copy
        from_bytes = int.from_bytes

        def hashed(value: bytes) -> int:
            first, second = inner(), outer()
            first.update(value)
            second.update(first.digest())
            return from_bytes(second.digest()[:8], "big", signed=True)

        return hashed

    def seal(self, purpose: str, plain: bytes, context: str) -> bytes:
        """Seal a value that has no data key of its own."""
        return self.sealer(purpose).seal(plain, context)

    def open(self, purpose: str, sealed: bytes, context: str) -> bytes:
        """Open what ``seal`` made. Raises SealBroken."""
        return self.sealer(purpose).open(sealed, context)

    def new_data_key(self, owner: str) -> tuple[DataKey, bytes]:
        """A fresh data key and its wrapped form, bound to the row that owns it."""
        key = AESGCM.generate_key(256)
        return DataKey(key), self.seal("wrap", key, f"data key/{owner}")

    def unwrap(self, wrapped: bytes, owner: str) -> DataKey:
        """The data key of a row. Raises SealBroken."""
        return DataKey(self.open("wrap", wrapped, f"data key/{owner}"))

    def sealer(self, purpose: str) -> DataKey:
        """What seals and opens the values of one purpose."""
        return DataKey(*(derived(f"seal {purpose}") for derived in self._sealing))

    def newest_sealer(self, purpose: str) -> DataKey:
        """The same, but it opens only what the newest master key sealed."""
        return DataKey(self._sealing[0](f"seal {purpose}"))

    @property
    def ids(self) -> tuple[str, ...]:
        """What names each master key, the newest first."""
        return tuple(derived("key id")[:4].hex() for derived in self._sealing)


def _deriving(master: bytes) -> Callable[[str], bytes]:
    return lru_cache(maxsize=None)(lambda purpose: _hkdf(master, purpose))


def _hkdf(master: bytes, purpose: str) -> bytes:
    info = f"undisclosed {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_SIZE, salt=None, info=info).derive(
        master
    )


def new_master_key() -> bytes:
    """A fresh master key from the operating system's randomness."""
    return secrets.token_bytes(KEY_SIZE)


def keys() -> Keys:
    """The keys that this process was configured with (store.settings.configure)."""
    return cast(Keys, getattr(settings, _KEYS))


def address_hash(address: Address) -> bytes:
    """What stands for an address in a look-up column: 32 bytes."""
    return keys().hash("address", person_bytes(address))


def address_hash_of_text(text: str) -> bytes:
    """The same, of an address as a person typed it; what is none matches nothing."""
    local_part, _, domain = text.strip().rpartition("@")
    return address_hash(Address(local_part, domain))


def seal_address(address: Address) -> bytes:
    """An address as it was written, for a column that is opened without a mail."""
    plain = json.dumps([address.local_part, address.domain]).encode()
    return keys().seal("address", plain, "address")


def open_address(sealed: bytes) -> Address:
    """What ``seal_address`` sealed. Raises SealBroken."""
    local_part, domain = json.loads(keys().open("address", sealed, "address"))
    return Address(local_part, domain)


def person_bytes(address: Address) -> bytes:
    """What is hashed of an address: two spellings of one person give the same."""
    return address.person.encode("utf-8", "surrogatepass")
