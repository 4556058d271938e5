# SPDX-License-Identifier: Apache-2.0
"""People in the journal: one pseudonym for each in each epoch.

The journal is chained and never changed, and people have a right to be forgotten by it.
So an account's id never enters it: what stands there is the id as one AES-256 block
under the key of the epoch (FIPS 197; a permutation, so that the id can be read back and
one person's acts of one epoch belong together). What people wrote in their own words is
sealed under the same key. When an epoch's key is destroyed, nobody can say any more
who stood behind its pseudonyms or what was written, and the chain still verifies: it
was made over what stands there.
"""

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto
from undisclosed.store.crypto import DataKey, SealBroken, new_master_key
from undisclosed.store.database import Connection, database

EPOCH: Final = timedelta(days=90)
"""How long a person keeps one pseudonym."""

_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)
_PREFIX: Final = "person"
_PSEUDONYM: Final = re.compile(r"person:(\d{1,6}):([0-9a-f]{32})")
_WORDS: Final = "words"
_SEALED_WORDS: Final = re.compile(r"words:(\d{1,6}):([0-9A-Za-z_=-]{1,20000})")
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_KEY: Final = "SELECT wrapped FROM store_peopleepoch WHERE number = %s"
_INSERT: Final = """
INSERT INTO store_peopleepoch (number, wrapped, begins_at, ends_at)
VALUES (%s, %b, %s, %s) ON CONFLICT (number) DO NOTHING
"""
_DESTROY: Final = """
UPDATE store_peopleepoch SET wrapped = NULL, destroyed_at = %s
 WHERE number = %s AND wrapped IS NOT NULL AND ends_at <= %s
"""
_OVER: Final = """
SELECT number FROM store_peopleepoch
 WHERE wrapped IS NOT NULL AND ends_at <= %s ORDER BY number
"""
_ALL: Final = (
    "SELECT number, begins_at, ends_at, destroyed_at FROM store_peopleepoch"
    " ORDER BY number"
)


class EpochNotOver(UndisclosedError):
    """The key of this epoch is still needed, or there is no such key."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A time in which each person has one pseudonym."""

    number: int
    begins_at: datetime
    ends_at: datetime
    destroyed_at: datetime | None


def is_person(text: str) -> bool:
    """Whether a text is an account's id, as it is written everywhere."""
    return _ID.fullmatch(text) is not None


def of(connection: Connection, account: str, at: datetime) -> str:
    """What stands in the journal for an account, at this time.

    The epoch's key is made with the first act in it, in the transaction of that act.
    Raises EpochNotOver where the time lies in an epoch whose key is destroyed.
    """
    number = _number(at)
    block = _block(_key(connection, number), UUID(account).bytes, is_sealing=True)
    return f"{_PREFIX}:{number}:{block.hex()}"


def account_of(text: str) -> str:
    """The account behind a pseudonym; "" for anything else, and once it is destroyed.

    Raises TransientError.
    """
    if is_person(text):
        return text
    found = _PSEUDONYM.fullmatch(text)
    if found is None:
        return ""
    with database() as connection:
        row = connection.one(_KEY, (int(found[1]),))
    if row is None or row[0] is None:
        return ""
    key = _unwrapped(int(found[1]), row[0])
    block = _block(key, bytes.fromhex(found[2]), is_sealing=False)
    return str(UUID(bytes=block))


def sealed(connection: Connection, words: str, at: datetime) -> str:
    """What stands in the journal for somebody's own words, which may name anybody.

    Raises EpochNotOver as ``of`` does.
    """
    number = _number(at)
    key = DataKey(crypto.Keys(_key(connection, number)).derive(_WORDS))
    made = key.seal(words.encode("utf-8", "replace"), _WORDS)
    return f"{_WORDS}:{number}:{base64.urlsafe_b64encode(made).decode('ascii')}"


def words_of(text: str) -> str:
    """The words again; "" for anything else, and once their key is destroyed.

    Raises TransientError.
    """
    found = _SEALED_WORDS.fullmatch(text)
    if found is None:
        return ""
    with database() as connection:
        row = connection.one(_KEY, (int(found[1]),))
    if row is None or row[0] is None:
        return ""
    epoch = crypto.Keys(_unwrapped(int(found[1]), row[0]))
    try:
        made = base64.urlsafe_b64decode(found[2])
        return DataKey(epoch.derive(_WORDS)).open(made, _WORDS).decode("utf-8")
    except (SealBroken, ValueError):
        return ""


def hashed(connection: Connection, purpose: str, value: bytes, at: datetime) -> str:
    """What stands in the journal for something else of a person: 64 bits, keyed.

    Under the epoch's key as well, so that it ends with it.
    """
    key = crypto.Keys(_key(connection, _number(at)))
    return key.hash(purpose, value)[:8].hex()


def destroy(connection: Connection, number: int, now: datetime) -> None:
    """Destroy the key of an epoch that is over, for good. Raises EpochNotOver."""
    if not connection.run(_DESTROY, (now, number, now)).rowcount:
        raise EpochNotOver(epoch=number)


def over(connection: Connection, before: datetime) -> list[int]:
    """The epochs that ended before this time and whose keys are still there."""
    return [row[0] for row in connection.all(_OVER, (before,))]


def every() -> list[Epoch]:
    """Every epoch in which somebody acted. Raises TransientError."""
    with database() as connection:
        return [Epoch(*row) for row in connection.all(_ALL)]


def _number(at: datetime) -> int:
    return max(0, (at - _FIRST) // EPOCH)


def _key(connection: Connection, number: int) -> bytes:
    # Never kept in the process: one that was rolled back would seal for nobody.
    row = connection.one(_KEY, (number,))
    if row is None:
        begins_at = _FIRST + number * EPOCH
        sealed = crypto.keys().seal("people", new_master_key(), _context(number))
        values = (number, sealed, begins_at, begins_at + EPOCH)
        connection.run(_INSERT, values)
        row = connection.one(_KEY, (number,))
    if row is None or row[0] is None:
        raise EpochNotOver(epoch=number)
    return _unwrapped(number, row[0])


def _unwrapped(number: int, wrapped: bytes) -> bytes:
    return crypto.keys().open("people", bytes(wrapped), _context(number))


def _context(number: int) -> str:
    return f"people epoch/{number}"


def _block(key: bytes, block: bytes, *, is_sealing: bool) -> bytes:
    # One block, which holds an id and nothing else: there is no second one to compare.
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
    made = cipher.encryptor() if is_sealing else cipher.decryptor()
    return made.update(block) + made.finalize()
