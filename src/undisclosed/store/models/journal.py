# SPDX-License-Identifier: Apache-2.0
"""The journal: what was decided and done, in order, without an address."""

from django.db import models


class JournalEntry(models.Model):
    """One act. Rows are only ever added: the database refuses anything else."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    event = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event}"
