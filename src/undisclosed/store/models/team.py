# SPDX-License-Identifier: Apache-2.0
"""Teams: who works together, and as what. Rights are held per team."""

import uuid
from typing import ClassVar

from django.db import models

from undisclosed.store.models.account import Account


class Team(models.Model):
    """A team that owns lists and campaigns.

    While ``is_trial`` it sends to its own members only, and 50 messages a day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200, unique=True)
    is_trial = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """An account in a team, with the roles that it has there."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="memberships"
    )
    roles = models.JSONField(default=list)
    may_see_rows = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["team", "account"], name="membership_once")
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.team_id}"
