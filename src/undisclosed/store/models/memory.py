# SPDX-License-Identifier: Apache-2.0
"""What Memory keeps: mailings and their waves, as keyed hashes and counts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from undisclosed.core.held import HoldState, WaveState


class Mailing(models.Model):
    """Near-identical mail of one sender, judged as one.

    ``people`` is the union over its mail, ``disclosures`` the sum, ``waves`` how many
    mails; what was never shown because the next hop refused it is not in them.
    ``state`` is ``held`` while a hold of it is undecided, then the last decision;
    empty where nothing of it was ever held.
    """

    id = models.CharField(primary_key=True, max_length=64)
    sender_hash = models.BinaryField(null=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    people = models.IntegerField()
    disclosures = models.BigIntegerField()
    waves = models.IntegerField()
    holds = models.IntegerField(default=0)
    open_holds = models.IntegerField(default=0)
    held_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=16,
        default="",
        choices=[(state.value, state.value) for state in HoldState],
    )

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "-held_at", "-id"], name="mailing_state"),
            models.Index(
                fields=["-held_at", "-id"],
                name="mailing_held",
                condition=models.Q(held_at__isnull=False),
            ),
            models.Index(fields=["last_at"], name="mailing_last"),
        ]

    def __str__(self) -> str:
        return f"mailing {self.id}"


class RememberedWave(models.Model):
    """One mail's place in Memory: a reservation and what became of it.

    ``people`` and ``audience`` are sorted 64-bit keyed hashes, eight bytes each, in
    one value: a hundred thousand people are one row. ``audience`` is NULL where it
    is the same set. ``sketch`` is packed likewise; ``bottom`` repeats its smallest
    values for the search.
    """

    id = models.CharField(primary_key=True, max_length=32)
    mailing_id = models.CharField(max_length=64, null=True)  # noqa: DJ001
    sender_hash = models.BinaryField()
    digest_hash = models.BinaryField()
    subject_hash = models.BinaryField()
    key_id = models.CharField(max_length=16)
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in WaveState]
    )
    was_held = models.BooleanField(default=False)
    at = models.DateTimeField()
    disclosures = models.BigIntegerField()
    people = models.BinaryField()
    audience = models.BinaryField(null=True)
    sketch = models.BinaryField()
    bottom = ArrayField(models.BigIntegerField())

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["sender_hash", "at"], name="wave_sender"),
            models.Index(fields=["digest_hash"], name="wave_digest"),
            models.Index(fields=["mailing_id"], name="wave_mailing"),
            models.Index(fields=["at"], name="wave_at"),
        ]

    def __str__(self) -> str:
        return f"wave {self.id} ({self.state})"
