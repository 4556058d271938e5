# SPDX-License-Identifier: Apache-2.0
"""The files that go with a campaign, in sealed chunks."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from undisclosed.core.campaign import Attached
from undisclosed.store import crypto
from undisclosed.store.crypto import DataKey
from undisclosed.store.database import Connection, database

_INSERT: Final = """
INSERT INTO store_campaignfile (
    campaign_id, name_sealed, media_type, size, digest, column_sealed
) VALUES (%s, %b, %s, %s, %b, %b) RETURNING id
"""
_CHUNKS: Final = """
INSERT INTO store_campaignfilechunk (file_id, number, sealed)
SELECT %s, number - 1, sealed
  FROM unnest(%b::bytea[]) WITH ORDINALITY AS chunk(sealed, number)
"""
_FILES: Final = (
    "SELECT id, name_sealed, media_type, column_sealed FROM store_campaignfile"
    " WHERE campaign_id = %s ORDER BY id"
)
_READ: Final = (
    "SELECT sealed FROM store_campaignfilechunk WHERE file_id = %s ORDER BY number"
)
_REMOVE: Final = (
    "DELETE FROM store_campaignfilechunk WHERE file_id IN"
    " (SELECT id FROM store_campaignfile WHERE campaign_id = %s)",
    "DELETE FROM store_campaignfile WHERE campaign_id = %s",
)
_SUMMARIES: Final = """
SELECT f.name_sealed, f.media_type, f.size, f.column_sealed, f.digest, c.data_key
  FROM store_campaignfile f JOIN store_campaign c ON c.id = f.campaign_id
 WHERE c.id = %s AND c.data_key IS NOT NULL ORDER BY f.id
"""


@dataclass(frozen=True, slots=True)
class FileSummary:
    """A file without its content.

    ``size`` in octets; ``column`` as in Attached; ``digest`` SHA-256, hexadecimal.
    """

    name: str = field(repr=False)
    media_type: str
    size: int
    column: str
    digest: str = ""


def summaries(campaign_id: str) -> list[FileSummary]:
    """The files of a campaign in their order; no content is opened."""
    with database() as connection:
        rows = connection.all(_SUMMARIES, (campaign_id,))
    if not rows:
        return []
    key = crypto.keys().unwrap(bytes(rows[0][5]), f"campaign/{campaign_id}")
    context = f"file/{campaign_id}"
    return [
        FileSummary(
            key.open(bytes(name), context).decode(),
            media_type,
            size,
            key.open(bytes(column), context).decode() if column else "",
            bytes(digest).hex(),
        )
        for name, media_type, size, column, digest, _ in rows
    ]


def replace(
    connection: Connection, campaign_id: str, key: DataKey, files: Sequence[Attached]
) -> None:
    """Put these files in the place of all earlier ones."""
    for query in _REMOVE:
        connection.run(query, (campaign_id,))
    for number, one in enumerate(files):
        context = f"file/{campaign_id}"
        column = key.seal(one.column.encode(), context) if one.column else None
        values = (
            campaign_id,
            key.seal(one.name.encode(), context),
            one.media_type,
            len(one.content),
            hashlib.sha256(one.content).digest(),
            column,
        )
        row = connection.one(_INSERT, values)
        file_id = row[0] if row else number
        chunks = list(key.seal_chunks(one.content, f"{context}/{file_id}"))
        connection.run(_CHUNKS, (file_id, chunks))


def read(
    connection: Connection, campaign_id: str, key: DataKey
) -> tuple[Attached, ...]:
    """Every file, opened, in the order in which they were given."""
    files = []
    context = f"file/{campaign_id}"
    for file_id, name, media_type, column in connection.all(_FILES, (campaign_id,)):
        chunks = (bytes(row[0]) for row in connection.all(_READ, (file_id,)))
        files.append(
            Attached(
                key.open(bytes(name), context).decode(),
                media_type,
                key.open_chunks(chunks, f"{context}/{file_id}"),
                key.open(bytes(column), context).decode() if column else "",
            )
        )
    return tuple(files)
