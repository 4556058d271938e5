# SPDX-License-Identifier: Apache-2.0
"""A list that was destroyed cannot be read out of a dump, even with the master key.

The test does what a thief with a dump and the key would do: it tries every key that
can be made or unwrapped on every value, without caring for what authenticates it.
"""

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.postgres import MASTER_KEY, TestDatabase
from tests.store.campaigns import NOW, sending
from undisclosed.core.campaign import DeliveryState
from undisclosed.store import (
    campaigns,
    crypto,
    ledger,
    lists,
    postgres_programs,
    resealing,
    uploads,
)
from undisclosed.store.crypto import Keys
from undisclosed.store.database import database as stored
from undisclosed.store.ledger import Marked

NEEDLES = (b"p3@a.example", b'"p3"', b"P3", b"nickname-of-p3")
"""What only the list, and what was made of it, can have told."""

VERSION, NONCE, TAG = b"\x01", 12, 16
PURPOSES = {one.purpose for one in resealing.COLUMNS} | {"second factor"}


def dumped(database: TestDatabase) -> bytes:
    """What pg_dump writes, all of it."""
    program = postgres_programs.find().path("pg_dump")
    command = [program, "--inserts", database.url]
    return subprocess.run(command, capture_output=True, check=True).stdout


def values_of(dump: bytes) -> Iterator[bytes]:
    """Every value of bytes in a dump."""
    for found in re.finditer(rb"'\\x([0-9a-f]*)'", dump):
        yield bytes.fromhex(found[1].decode())


def opened(key: bytes, value: bytes) -> bytes:
    """What a value says under a key: AES-GCM, its tag and its context not looked at."""
    counter = value[1 : 1 + NONCE] + b"\0\0\0\2"
    decryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    return decryptor.update(value[1 + NONCE : -TAG])


def read_by_a_thief(dump: bytes) -> bytes:
    """Everything that a dump and the master key tell."""
    keys = Keys(MASTER_KEY)
    masters = [keys.derive(f"seal {purpose}") for purpose in sorted(PURPOSES)]
    sealed = [one for one in values_of(dump) if one[:1] == VERSION and len(one) > 29]
    wrapping = keys.derive("seal wrap")
    wrapped = [one for one in sealed if len(one) == 1 + NONCE + 32 + TAG]
    data_keys = [opened(wrapping, one) for one in wrapped]
    plain = [opened(key, one) for one in sealed for key in (*masters, *data_keys)]
    return b"\n".join((dump, *plain))


@pytest.fixture
def sent(database: TestDatabase) -> str:
    """A list that was sent to: its id. An upload waits, servers answered."""
    campaign = sending(5)
    found = campaigns.get(campaign)
    assert found.list_id
    _attach(campaign)
    ledger.begin(campaign, [3], by="worker", now=NOW)
    reply = "550 5.1.1 <p3@a.example> unknown"
    failed = Marked(3, DeliveryState.FAILED, 550, "5.1.1", reply)
    ledger.mark(campaign, [failed], NOW)
    rows = [b"Email;Name\r\np3@a.example;nickname-of-p3\r\n"]
    uploads.keep(found.list_id, rows, choices={}, by="test", now=NOW)
    with stored() as connection:
        connection.run(
            "UPDATE store_campaign"
            " SET state = 'done', ended_at = %s, proof_sealed = %b",
            (NOW, _under_its_key(campaign, b'"p3" was sent')),
        )
    return found.list_id


def _under_its_key(campaign: str, plain: bytes) -> bytes:
    with stored() as connection:
        row = connection.one(
            "SELECT data_key FROM store_campaign WHERE id = %s", (campaign,)
        )
    assert row is not None
    key = crypto.keys().unwrap(bytes(row[0]), f"campaign/{campaign}")
    return key.seal(plain, "proof")


def _attach(campaign: str) -> None:
    """A file that is sent to one person, by a column of the list."""
    sealed = {
        name: _under_its_key(campaign, plain)
        for name, plain in (("name", b"P3.pdf"), ("column", b"File"))
    }
    with stored() as connection:
        row = connection.one(
            "INSERT INTO store_campaignfile (campaign_id, name_sealed, media_type,"
            " size, digest, column_sealed) VALUES (%s, %b, 'text/plain', 9, %b, %b)"
            " RETURNING id",
            (campaign, sealed["name"], bytes(32), sealed["column"]),
        )
        assert row is not None
        content = _under_its_key(campaign, b"nickname-of-p3")
        connection.run(
            "INSERT INTO store_campaignfilechunk (file_id, number, sealed)"
            " VALUES (%s, 0, %b)",
            (row[0], content),
        )


def test_a_thief_with_the_master_key_reads_the_list_while_it_is_there(
    database: TestDatabase, sent: str
) -> None:
    dump = dumped(database)
    told = read_by_a_thief(dump)

    assert not [one for one in NEEDLES if one in dump]
    assert [one for one in NEEDLES if one in told] == list(NEEDLES)


def test_of_a_destroyed_list_a_thief_with_the_master_key_reads_nothing(
    database: TestDatabase, sent: str
) -> None:
    lists.destroy(sent, by="test", now=NOW + timedelta(days=1))

    told = read_by_a_thief(dumped(database))

    assert b"council.example" in told, "the thief does read what is left"
    assert not [one for one in NEEDLES if one in told]


def test_what_is_left_of_a_destroyed_list_is_counts_and_hashes(
    database: TestDatabase, sent: str
) -> None:
    lists.destroy(sent, by="test", now=NOW + timedelta(days=1))

    with psycopg.connect(database.url) as connection:
        for table in ("listrow", "listupload", "listuploadchunk", "campaignfile"):
            query = f"SELECT count(*) FROM store_{table}"  # noqa: S608
            assert connection.execute(query).fetchone() == (0,), table
        kept = "SELECT count(*), count(reply_sealed) FROM store_delivery"
        assert connection.execute(kept).fetchone() == (5, 0)
