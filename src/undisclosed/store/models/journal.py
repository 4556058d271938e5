# SPDX-License-Identifier: Apache-2.0
"""The journal: what was decided and done, in order, without an address."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
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
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event}"
