# SPDX-License-Identifier: Apache-2.0
"""Epochs of pseudonyms, and who wrote a campaign."""

from django.db import models

from undisclosed.store.models.account import Account
from undisclosed.store.models.campaign import Campaign


class PeopleEpoch(models.Model):
    """A time in which each person has one pseudonym in the journal.

    ``wrapped`` is the key of its pseudonyms, sealed by a key that is not here. Once
    it is NULL nobody can say any more who stood behind them.
    """

    number = models.IntegerField(primary_key=True)
    wrapped = models.BinaryField(null=True)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"epoch {self.number}"


class CampaignAuthor(models.Model):
    """Somebody who changed a campaign: they do not approve it, whoever submits it."""

    pk = models.CompositePrimaryKey("campaign_id", "account_id")
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="authors"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"author of {self.campaign_id}"
