# SPDX-License-Identifier: Apache-2.0
"""The journal: what was decided and done, in order, without an address.

Batches and seals are written by ``store.sealing``; the database refuses to change or
remove a row of any of the three tables.
"""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models


class JournalEntry(models.Model):
    """One act. Rows are only ever added: the database refuses anything else."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    event = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            # Entries come in the order of time: a coarse index costs nearly nothing.
            BrinIndex(fields=["at"], name="journal_at"),
            # What the page of the journal is narrowed by, newest first.
            models.Index(fields=["event", "id"], name="journal_event"),
            models.Index(fields=["actor", "id"], name="journal_actor"),
            GinIndex(fields=["facts"], name="journal_facts"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event}"


class JournalBatch(models.Model):
    """A run of entries under one hash, which follows the batch before it.

    ``root`` is the root of their Merkle tree (RFC 6962 §2.1), ``last_id`` the highest
    id that any batch up to this one sealed. The ids themselves stand in a column of
    PostgreSQL's own (``int8multirange``), which the migration adds.
    """

    number = models.BigIntegerField(primary_key=True)
    sealed_at = models.DateTimeField()
    last_id = models.BigIntegerField()
    entries = models.IntegerField()
    root = models.BinaryField()
    previous = models.BinaryField(unique=True)
    hash = models.BinaryField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            BrinIndex(fields=["sealed_at"], name="batch_sealed_at"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"


class JournalSeal(models.Model):
    """A day that is over: the root over all entries that its batches sealed."""

    day = models.DateField(primary_key=True)
    first_batch = models.BigIntegerField()
    last_batch = models.BigIntegerField()
    entries = models.IntegerField()
    root = models.BinaryField()
    previous = models.BinaryField(unique=True)
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"seal of {self.day}"


class JournalTimestamp(models.Model):
    """What a time-stamping authority answered about the seal of a day (RFC 3161).

    ``at`` is the time that the answer says.
    """

    day = models.DateField(primary_key=True)
    at = models.DateTimeField()
    response = models.BinaryField()

    def __str__(self) -> str:
        return f"timestamp of {self.day}"
