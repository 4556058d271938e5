# SPDX-License-Identifier: Apache-2.0
"""What came back of campaigns: a line for each report, without what it said."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


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
