# SPDX-License-Identifier: Apache-2.0
"""Files on their way into a list: sealed until they are imported, then gone.

A file lies here between its check and its import, so that what was checked is what is
imported, by whatever machine. Its key is destroyed with the import; what nobody
imports goes within a day.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from undisclosed.core.list_upload import UploadEvent, UploadState, upload_after
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, jobs, journal
from undisclosed.store.crypto import CHUNK, DataKey
from undisclosed.store.database import Connection, database, transaction

KEPT: Final = timedelta(days=1)
"""How long a file waits for its import."""

_SPACE: Final = 0x6C697374  # advisory locks of uploads; the second key is the id's

_KEEP: Final = """
INSERT INTO store_listupload (
    id, list_id, state, size, data_key, choices_sealed, people, done, by, created_at
) VALUES (%s, %s, 'waiting', %s, %b, %b, 0, 0, %s, %s)
"""
_ADD: Final = (
    "INSERT INTO store_listuploadchunk (upload_id, number, sealed) VALUES (%s, %s, %b)"
)
_GET: Final = """
SELECT id, list_id, state, size, data_key, choices_sealed, found_sealed, people, done,
       by, created_at
  FROM store_listupload WHERE id = %s
"""
_LATEST: Final = (
    "SELECT id FROM store_listupload WHERE list_id = %s"
    " ORDER BY created_at DESC, id LIMIT 1"
)
_CHUNK: Final = (
    "SELECT sealed FROM store_listuploadchunk WHERE upload_id = %s AND number = %s"
)
_WANTED: Final = (
    "SELECT id FROM store_listupload WHERE state IN ('waiting', 'confirmed')"
    " ORDER BY created_at, id"
)
_TELL: Final = "UPDATE store_listupload SET done = %s WHERE id = %s"
_STATE: Final = "UPDATE store_listupload SET state = %s, done = 0 WHERE id = %s"
_FOUND: Final = (
    "UPDATE store_listupload SET found_sealed = %b, people = %s WHERE id = %s"
)
_CHOICES: Final = (
    "UPDATE store_listupload SET choices_sealed = %b, found_sealed = NULL WHERE id = %s"
)
_FORGET: Final = (
    "UPDATE store_listupload SET data_key = NULL, choices_sealed = NULL,"
    " found_sealed = NULL WHERE id = %s"
)
_EMPTY: Final = "DELETE FROM store_listuploadchunk WHERE upload_id = %s"
_DROP: Final = "DELETE FROM store_listupload WHERE id = %s"
_OVER: Final = "SELECT id FROM store_listupload WHERE created_at < %s LIMIT %s"


class NoSuchUpload(UndisclosedError):
    """There is no such file: it was imported, discarded, or its day is over."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was uploaded. ``found`` is what its check wrote, "" before.

    ``people`` are those that the check counted; ``done`` the rows read so far by what
    is going on now.
    """

    id: str
    list_id: str
    state: UploadState
    size: int
    choices: Mapping[str, str] = field(repr=False)
    found: bytes = field(repr=False)
    people: int
    done: int
    by: str
    created_at: datetime

    @property
    def is_working(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in (UploadState.WAITING, UploadState.CONFIRMED)


def keep(
    list_id: str,
    pieces: Iterable[bytes],
    *,
    choices: Mapping[str, str],
    by: str,
    now: datetime,
) -> str:
    """Keep a file, whose pieces may have any length; its id. A job checks it.

    Whatever else was on its way into this list is dropped.
    """
    upload_id = secrets.token_hex(16)
    key, wrapped = crypto.keys().new_data_key(f"upload/{upload_id}")
    sealed = _seal_choices(key, upload_id, choices)
    with transaction() as connection:
        before = connection.one(_LATEST, (list_id,))
        if before is not None:
            _drop(connection, before[0])
        connection.run(_KEEP, (upload_id, list_id, 0, wrapped, sealed, by, now))
        size = 0
        for number, piece in enumerate(_even(pieces)):
            size += len(piece)
            chunk = key.seal(piece, f"upload/{upload_id}/{number}")
            connection.run(_ADD, (upload_id, number, chunk))
        connection.run(
            "UPDATE store_listupload SET size = %s WHERE id = %s", (size, upload_id)
        )
        _write(connection, "list file uploaded", upload_id, list_id, by, now)
        jobs.defer(connection, jobs.LISTS)
    return upload_id


def get(upload_id: str) -> Upload:
    """One of them. Raises NoSuchUpload."""
    with database() as connection:
        row = connection.one(_GET, (upload_id,))
    if row is None:
        raise NoSuchUpload
    number, list_id, state, size, wrapped, choices, found, people, done, by, at = row
    told: dict[str, str] = {}
    text = b""
    if wrapped is not None:
        key = crypto.keys().unwrap(bytes(wrapped), f"upload/{number}")
        told = json.loads(key.open(bytes(choices), f"choices/{number}"))
        text = key.open(bytes(found), f"found/{number}") if found else b""
    after = UploadState(state)
    return Upload(number, list_id, after, size, told, text, people, done, by, at)


def latest(list_id: str) -> Upload | None:
    """The file that was uploaded last for a list, if it is still known."""
    with database() as connection:
        row = connection.one(_LATEST, (list_id,))
    return get(row[0]) if row else None


def content(upload_id: str) -> Iterator[bytes]:
    """The file, piece by piece. Raises NoSuchUpload, SealBroken."""
    size = get(upload_id).size
    key, read, number = _key(upload_id), 0, 0
    while read < size:
        with database() as connection:
            row = connection.one(_CHUNK, (upload_id, number))
        if row is None:
            raise NoSuchUpload
        piece = key.open(bytes(row[0]), f"upload/{upload_id}/{number}")
        read, number = read + len(piece), number + 1
        yield piece


def wanted() -> list[str]:
    """The files that wait to be checked or imported, the oldest first."""
    with database() as connection:
        return [row[0] for row in connection.all(_WANTED)]


@contextmanager
def at_work(upload_id: str) -> Iterator[bool]:
    """A transaction in which nobody else works on a file; False where somebody does.

    Whoever ends without an answer lets go of it with the connection.
    """
    with transaction() as connection:
        row = connection.one(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_SPACE, upload_id)
        )
        yield bool(row and row[0])


def tell(upload_id: str, done: int) -> None:
    """How many rows were read; over another connection than the work's own."""
    with database() as connection:
        connection.run(_TELL, (done, upload_id))


def found(upload_id: str, text: bytes, people: int) -> None:
    """Its check is over: what it found, as the caller writes it. Raises as ``step``."""
    _step(upload_id, UploadEvent.FOUND, text, people)


def refuse(upload_id: str, text: bytes) -> None:
    """It cannot be used: why, as the caller writes it. Raises as ``step``."""
    _step(upload_id, UploadEvent.REFUSE, text, 0)


def choose(upload_id: str, choices: Mapping[str, str]) -> None:
    """Check it again with another sheet or column. Raises NoSuchUploadStep."""
    key = _key(upload_id)
    with transaction() as connection:
        _move(connection, upload_id, UploadEvent.CHOOSE)
        sealed = _seal_choices(key, upload_id, choices)
        connection.run(_CHOICES, (sealed, upload_id))
        jobs.defer(connection, jobs.LISTS)


def confirm(upload_id: str, *, by: str, now: datetime) -> None:
    """Import it: a job does. Raises NoSuchUpload, NoSuchUploadStep."""
    with transaction() as connection:
        list_id = _move(connection, upload_id, UploadEvent.CONFIRM)
        _write(connection, "list import confirmed", upload_id, list_id, by, now)
        jobs.defer(connection, jobs.LISTS)


def imported(upload_id: str) -> None:
    """Its rows are the list's: forget the file. Raises NoSuchUploadStep."""
    with transaction() as connection:
        _move(connection, upload_id, UploadEvent.IMPORT)
        connection.run(_FORGET, (upload_id,))
        connection.run(_EMPTY, (upload_id,))


def discard(upload_id: str, *, by: str, now: datetime) -> None:
    """Forget it without importing it. Raises NoSuchUpload."""
    list_id = get(upload_id).list_id
    with transaction() as connection:
        _drop(connection, upload_id)
        _write(connection, "list file discarded", upload_id, list_id, by, now)


def purge(connection: Connection, now: datetime, most: int) -> None:
    """Forget those whose day is over."""
    for (upload_id,) in connection.all(_OVER, (now - KEPT, most)):
        _drop(connection, upload_id)


def _drop(connection: Connection, upload_id: str) -> None:
    connection.run(_EMPTY, (upload_id,))
    connection.run(_DROP, (upload_id,))


def _step(upload_id: str, event: UploadEvent, text: bytes, people: int) -> None:
    key = _key(upload_id)
    with transaction() as connection:
        _move(connection, upload_id, event)
        sealed = key.seal(text, f"found/{upload_id}")
        connection.run(_FOUND, (sealed, people, upload_id))


def _move(connection: Connection, upload_id: str, event: UploadEvent) -> str:
    """Take one step; the list that the file is for."""
    row: Any = connection.one(
        "SELECT state, list_id FROM store_listupload WHERE id = %s FOR UPDATE",
        (upload_id,),
    )
    if row is None:
        raise NoSuchUpload
    after = upload_after(UploadState(row[0]), event)
    connection.run(_STATE, (after.value, upload_id))
    return str(row[1])


def _key(upload_id: str) -> DataKey:
    with database() as connection:
        row = connection.one(
            "SELECT data_key FROM store_listupload WHERE id = %s", (upload_id,)
        )
    if row is None or row[0] is None:
        raise NoSuchUpload
    return crypto.keys().unwrap(bytes(row[0]), f"upload/{upload_id}")


def _seal_choices(key: DataKey, upload_id: str, choices: Mapping[str, str]) -> bytes:
    return key.seal(json.dumps(dict(choices)).encode(), f"choices/{upload_id}")


def _even(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of one size."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        while len(rest) >= CHUNK:
            yield bytes(rest[:CHUNK])
            del rest[:CHUNK]
    if rest:
        yield bytes(rest)


def _write(
    connection: Connection,
    event: str,
    upload_id: str,
    list_id: str,
    by: str,
    now: datetime,
) -> None:
    facts = {"list": list_id, "upload": upload_id}
    journal.write_with(connection, event, facts, actor=by, at=now)
