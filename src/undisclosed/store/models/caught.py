# SPDX-License-Identifier: Apache-2.0
"""The post office's catch: mail that did not leave this machine."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models


class CaughtMail(models.Model):
    """One caught mail. ``undisclosed.store.caught`` writes and opens it."""

    id = models.CharField(primary_key=True, max_length=32)
    caught_at = models.DateTimeField()
    mail_from_sealed = models.BinaryField()
    rcpt_tos_sealed = models.BinaryField()
    subject_sealed = models.BinaryField()
    content_sealed = models.BinaryField()
    size = models.BigIntegerField()
    rcpt_hashes = ArrayField(models.BigIntegerField())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-caught_at", "-id"], name="caught_latest"),
            GinIndex(fields=["rcpt_hashes"], name="caught_recipients"),
        ]

    def __str__(self) -> str:
        return f"caught mail {self.id}"
