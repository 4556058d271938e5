# SPDX-License-Identifier: Apache-2.0
"""Campaigns, their attachments and approvals, and the ledger of their deliveries."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from undisclosed.core.campaign import CampaignState, DeliveryState, MailKind
from undisclosed.store.models.account import Account
from undisclosed.store.models.lists import RecipientList
from undisclosed.store.models.team import Team


class Campaign(models.Model):
    """One template, one list, its approvals, its deliveries.

    ``serial`` is short and stands in opaque tokens. ``draft_sealed`` is the draft
    without its attachments, as JSON, under ``data_key``. ``digest`` is what approvals
    are bound to: template, attachments, list, checks and count; NULL while it can be
    changed. ``findings`` are those of the checks (values without an address),
    ``checked_digest`` what they ran over. ``step`` is how many may leave: 1, 10, then
    all (0).
    ``approved_sealed`` is the draft as somebody last approved it. ``asked_at`` is when
    approvers were last written to, ``reminders`` how often since it was submitted;
    ``check_wanted_at`` and ``check_by`` that a worker is to run the checks,
    ``checked_rows`` how far it is.
    """

    id = models.CharField(primary_key=True, max_length=32)
    serial = models.BigIntegerField(unique=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=200)
    state = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in CampaignState]
    )
    kind = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in MailKind]
    )
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.PROTECT,
        related_name="campaigns",
        db_column="list_id",
        null=True,
    )
    list_version = models.IntegerField(default=0)
    data_key = models.BinaryField(null=True)
    draft_sealed = models.BinaryField(null=True)
    findings = models.JSONField(default=list)
    checked_digest = models.BinaryField(null=True)
    digest = models.BinaryField(null=True)
    recipients = models.IntegerField(default=0)
    needs = models.JSONField(default=list)
    created_by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    submitted_by = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", null=True
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    per_minute = models.IntegerField(default=0)
    in_doubt = models.CharField(max_length=8, default="ask")
    step = models.IntegerField(default=1)
    paused_because = models.CharField(max_length=300, default="")
    hold_id = models.CharField(max_length=32, default="")
    proof_sealed = models.BinaryField(null=True)
    approved_sealed = models.BinaryField(null=True)
    asked_at = models.DateTimeField(null=True)
    reminders = models.IntegerField(default=0, db_default=0)
    check_wanted_at = models.DateTimeField(null=True)
    check_by = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", null=True
    )
    checked_rows = models.IntegerField(default=0, db_default=0)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["team", "-updated_at"], name="campaign_team"),
            models.Index(
                fields=["not_before"],
                name="campaign_open",
                condition=Q(state__in=["scheduled", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"campaign {self.id} ({self.state})"


class CampaignFile(models.Model):
    """A file that goes with a campaign; its content in sealed chunks."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="files"
    )
    name_sealed = models.BinaryField()
    media_type = models.CharField(max_length=200)
    size = models.BigIntegerField()
    digest = models.BinaryField()
    column_sealed = models.BinaryField(null=True)

    def __str__(self) -> str:
        return f"file {self.pk} of {self.campaign_id}"


class CampaignFileChunk(models.Model):
    """A quarter of a mebibyte of a campaign's file."""

    pk = models.CompositePrimaryKey("file_id", "number")
    file = models.ForeignKey(
        CampaignFile, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.IntegerField()
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.file_id}"


class Approval(models.Model):
    """A person's consent to exactly one digest, or their refusal, in one role.

    The database refuses the approval of whoever made or submitted the campaign.
    """

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="approvals"
    )
    digest = models.BinaryField()
    role = models.CharField(max_length=20)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    is_consent = models.BooleanField()
    reason_sealed = models.BinaryField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["campaign", "digest", "account"], name="approval_once"
            )
        ]

    def __str__(self) -> str:
        return f"approval {self.pk} of {self.campaign_id}"


class Delegation(models.Model):
    """An approver's right to decide about one digest in one role, handed on."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="delegations"
    )
    digest = models.BinaryField()
    role = models.CharField(max_length=20)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["campaign", "digest", "role", "account"],
                name="delegation_once",
            )
        ]

    def __str__(self) -> str:
        return f"delegation {self.pk} of {self.campaign_id}"


class Override(models.Model):
    """A finding that somebody answers for, with a reason, for one digest."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="overrides"
    )
    digest = models.BinaryField()
    check_name = models.CharField(max_length=64)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    reason_sealed = models.BinaryField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"override {self.pk} of {self.campaign_id}"


class Delivery(models.Model):
    """One message to one person: a row of the ledger, there before the first byte.

    The table is partitioned by campaign (migration). ``number`` is the list's row.
    ``domain`` is the recipient's domain where enough people of the list share it,
    else empty: a person's own domain would name them.
    """

    pk = models.CompositePrimaryKey("campaign_id", "number")
    campaign = models.ForeignKey(
        Campaign,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    number = models.IntegerField()
    address_hash = models.BinaryField()
    domain = models.CharField(max_length=255, default="")
    state = models.CharField(
        max_length=12, choices=[(one.value, one.value) for one in DeliveryState]
    )
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    lease_by = models.CharField(max_length=100, default="")
    lease_until = models.DateTimeField(null=True)
    reply_code = models.SmallIntegerField(null=True)
    reply_status = models.CharField(max_length=16, default="")
    reply_sealed = models.BinaryField(null=True)
    reason = models.CharField(max_length=32, default="")
    updated_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "store_delivery"

    def __str__(self) -> str:
        return f"delivery {self.number} of {self.campaign_id} ({self.state})"


class RateBucket(models.Model):
    """How much may still leave, over all workers: a token bucket.

    ``key`` names what is limited: the next hop, a keyed hash of a domain, a campaign.
    """

    key = models.CharField(primary_key=True, max_length=100)
    tokens = models.FloatField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"rate {self.key}"


class Progress(models.Model):
    """How far long work is: ``key`` is the campaign's id; see ``store.progress``."""

    key = models.CharField(primary_key=True, max_length=80)
    deed = models.CharField(max_length=16)
    done = models.BigIntegerField()
    whole = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.deed} {self.key}: {self.done} of {self.whole}"
