# SPDX-License-Identifier: Apache-2.0
"""Held mail, its content in sealed chunks, and the mail that leaves."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from undisclosed.core.held import CopyState, HoldState, OutgoingKind


class HeldMail(models.Model):
    """One mail that was kept. ``data_key`` is wrapped by a key that is not here.

    ``findings`` is a list of ``{rule, action, people, text}``. ``people_hashes`` are
    64-bit keyed hashes of everybody in the envelope and of whom the mail shows,
    for the search. When ``data_key`` is NULL the content is gone for good.
    """

    id = models.CharField(primary_key=True, max_length=32)
    mailing_id = models.CharField(max_length=64)
    reservation_id = models.CharField(max_length=64, null=True)  # noqa: DJ001
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in HoldState]
    )
    findings = models.JSONField(default=list)
    people = models.IntegerField()
    disclosures = models.BigIntegerField()
    viewers = models.IntegerField()
    singly_refused = models.TextField(null=True)  # noqa: DJ001
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    escalations = models.IntegerField(default=0)
    size = models.BigIntegerField()
    digest_hash = models.BinaryField()
    sender_hash = models.BinaryField(null=True)
    people_hashes = ArrayField(models.BigIntegerField())
    data_key = models.BinaryField(null=True)
    envelope_sealed = models.BinaryField(null=True)
    sender_sealed = models.BinaryField(null=True)
    subject_sealed = models.BinaryField(null=True)
    reading_sealed = models.BinaryField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, default="")
    reason_sealed = models.BinaryField(null=True)
    reported_at = models.DateTimeField(null=True)
    is_ownerless = models.BooleanField(default=False)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["mailing_id", "received_at"], name="held_mailing"),
            models.Index(fields=["digest_hash"], name="held_digest"),
            GinIndex(fields=["people_hashes"], name="held_people"),
            models.Index(fields=["sender_hash", "-received_at"], name="held_sender"),
            models.Index(
                fields=["received_at"], name="held_open", condition=Q(state="held")
            ),
            models.Index(
                fields=["decided_at"],
                name="held_decided",
                condition=Q(decided_at__isnull=False, data_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"held mail {self.id} ({self.state})"


class HeldChunk(models.Model):
    """A quarter of a mebibyte of held content; number and end are authenticated.

    The database does not check the hold of each chunk: both are written, and
    removed, in one transaction by statements of ours.
    """

    pk = models.CompositePrimaryKey("hold_id", "number")
    hold = models.ForeignKey(
        HeldMail,
        on_delete=models.CASCADE,
        related_name="chunks",
        db_index=False,
        db_constraint=False,
    )
    number = models.IntegerField()
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.hold_id}"


class OutgoingMail(models.Model):
    """One transaction to come: a private copy, a release, a notice, a DSN.

    Sealed with the data key of its hold, so that both end together; mail of our own
    with a key of its purpose. ``recipient_hash`` is there where the envelope has one
    recipient.
    """

    id = models.CharField(primary_key=True, max_length=200)
    hold = models.ForeignKey(
        HeldMail, on_delete=models.CASCADE, related_name="outgoing", null=True
    )
    kind = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in OutgoingKind]
    )
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in CopyState]
    )
    envelope_sealed = models.BinaryField()
    patch_sealed = models.BinaryField(null=True)
    content_sealed = models.BinaryField(null=True)
    recipient_hash = models.BinaryField(null=True)
    recipients = models.IntegerField()
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    lease_by = models.CharField(max_length=100, default="")
    lease_until = models.DateTimeField(null=True)
    last_reply_sealed = models.BinaryField(null=True)
    queued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    reported_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_attempt_at"],
                name="outgoing_due",
                condition=Q(state__in=["queued", "delayed"]),
            ),
            models.Index(
                fields=["hold", "updated_at"],
                name="outgoing_unreported",
                condition=Q(state="failed", reported_at__isnull=True),
            ),
            models.Index(fields=["recipient_hash"], name="outgoing_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"
