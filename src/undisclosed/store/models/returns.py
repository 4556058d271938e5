# SPDX-License-Identifier: Apache-2.0
"""What came back of campaigns: a line for each report, and how their seeds stand."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from undisclosed.store.models.campaign import Campaign


class ReturnedMail(models.Model):
    """One report, complaint, auto-reply or unsubscribe that was taken.

    ``key`` is a keyed hash of what it is and about which delivery: of one delivery each
    kind counts once, whichever way and however often it comes. Without a campaign it is
    about nothing that we know.
    """

    key = models.BinaryField(primary_key=True)
    campaign_id = models.CharField(max_length=32, default="")
    number = models.IntegerField(null=True)
    address_hash = models.BinaryField(null=True)
    kind = models.CharField(max_length=12)
    cause = models.CharField(max_length=20, default="")
    status = models.CharField(max_length=16, default="")
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["campaign_id", "kind", "at"], name="returned_campaign"
            ),
            models.Index(fields=["campaign_id", "number"], name="returned_delivery"),
            models.Index(fields=["at"], name="returned_at"),
            models.Index(
                fields=["address_hash", "at"],
                name="returned_person",
                condition=Q(kind="failed"),
            ),
        ]

    def __str__(self) -> str:
        return f"returned mail ({self.kind})"


class SeedRound(models.Model):
    """The latest round of a campaign's seeds (``store.seeds``).

    ``findings`` are sentences without an address; ``reason_sealed`` is why somebody
    answers for them.
    """

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    number = models.IntegerField()
    state = models.CharField(max_length=12)
    sent_at = models.DateTimeField()
    findings = models.JSONField(default=list)
    reason_sealed = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"seeds of {self.campaign_id} ({self.state})"
