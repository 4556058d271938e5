# SPDX-License-Identifier: Apache-2.0
"""What Memory keeps: mailings and their waves, as keyed hashes and counts."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from undisclosed.core.held import HoldState, WaveState
from undisclosed.core.known import AudienceKind


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
    values for the search. ``thread`` are the people whom the mail shows to each other,
    NULL where it makes nobody known; ``joined`` those whom our own mail brought into
    their thread, this mail's among them.
    """

    id = models.CharField(primary_key=True, max_length=32)
    mailing_id = models.CharField(max_length=64, null=True)  # noqa: DJ001
    sender_hash = models.BinaryField()
    digest_hash = models.BinaryField()
    subject_hash = models.BinaryField()
    message_id_hash = models.BinaryField(null=True)
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
    thread = ArrayField(models.BigIntegerField(), null=True)
    joined = models.BinaryField(null=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["sender_hash", "at"], name="wave_sender"),
            models.Index(fields=["digest_hash"], name="wave_digest"),
            models.Index(fields=["message_id_hash"], name="wave_message"),
            models.Index(fields=["mailing_id"], name="wave_mailing"),
            models.Index(fields=["at"], name="wave_at"),
        ]

    def __str__(self) -> str:
        return f"wave {self.id} ({self.state})"


class Audience(models.Model):
    """Some people who know one another (circle, thread) or must not (hidden).

    ``set_hash`` is made of all of them, so that the same people are kept once.
    ``people`` is how many; ``joined`` those whom our own mail brought together, packed
    as in a wave. ``at`` is the last mail that was of them, ``until`` a circle's end.
    """

    kind = models.CharField(
        max_length=8, choices=[(kind.value, kind.value) for kind in AudienceKind]
    )
    set_hash = models.BinaryField()
    key_id = models.CharField(max_length=16)
    people = models.IntegerField()
    is_sensitive = models.BooleanField(default=False)
    joined = models.BinaryField(null=True)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["kind", "set_hash"], name="audience_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["at"], name="audience_at"),
        ]

    def __str__(self) -> str:
        return f"audience {self.pk} ({self.kind})"


class AudienceMember(models.Model):
    """One person of an audience, as a 64-bit keyed hash."""

    pk = models.CompositePrimaryKey("person", "audience_id")
    person = models.BigIntegerField()
    audience_id = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["audience_id"], name="audience_member"),
        ]

    def __str__(self) -> str:
        return f"member of audience {self.audience_id}"


class Circle(models.Model):
    """People whom an approver declared to know one another; see ``Audience``.

    ``owner`` is an account's id. ``ended_at`` is when it was ended before its time.
    """

    id = models.CharField(primary_key=True, max_length=24)
    owner = models.CharField(max_length=64)
    reason_sealed = models.BinaryField()
    people = models.IntegerField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    audience_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"circle {self.id}"


class VisibleMailControl(models.Model):
    """A person whose visible mail is held for a while, by all their addresses."""

    id = models.CharField(primary_key=True, max_length=24)
    person_hashes = ArrayField(models.BinaryField())
    person_sealed = models.BinaryField()
    reason_sealed = models.BinaryField()
    imposed_by = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"visible-mail control {self.id}"


class MasterKey(models.Model):
    """What a master key does here, and since when; the key itself is never in a table.

    ``seals_since`` is when everything kept for long was first sealed anew with it,
    ``looks_up_since`` when the addresses were hashed anew with it; the latest looks up.
    """

    key_id = models.CharField(primary_key=True, max_length=16)
    seals_since = models.DateTimeField(null=True)
    looks_up_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"master key {self.key_id}"


class MemoryKey(models.Model):
    """A key that Memory hashes with, wrapped; the newest one makes new hashes.

    ``wrapped`` is NULL for the key that comes from the master key itself. Without any
    row that one is the only key. A key that hashes nothing any more is destroyed.
    """

    key_id = models.CharField(max_length=16, unique=True)
    wrapped = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"memory key {self.key_id}"
