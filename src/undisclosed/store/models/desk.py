# SPDX-License-Identifier: Apache-2.0
"""What the desk keeps beside held mail: bypasses, and where accepted mail went."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models


class Bypass(models.Model):
    """A time for which mail goes around the guard, as somebody said it does."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason_sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"bypass until {self.ends_at:%Y-%m-%d %H:%M}"


class AcceptedMail(models.Model):
    """One mail that passed, for who asks where it is: keyed hashes and no address.

    ``people_hashes`` are 64-bit keyed hashes of sender and recipients; nothing of the
    mail itself is kept. Written only where ``guard.trace`` is on.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    sender_hash = models.BinaryField(null=True)
    people_hashes = ArrayField(models.BigIntegerField())
    size = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            GinIndex(fields=["people_hashes"], name="accepted_people"),
            # Rows come in the order of time: a coarse index costs nearly nothing.
            BrinIndex(fields=["at"], name="accepted_at"),
        ]

    def __str__(self) -> str:
        return f"mail accepted {self.at:%Y-%m-%d %H:%M:%S}"
