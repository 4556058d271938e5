# SPDX-License-Identifier: Apache-2.0
"""Access tokens of programs, and the tokens of mails that are good for one mail."""

import uuid

from django.db import models

from undisclosed.store.models.account import Account


class AccessToken(models.Model):
    """What a program shows instead of a log-in. Only the hash of it is kept.

    ``name`` stands in the journal and is what a submission logs in with. With an
    account the token may do what that account's roles allow, and nothing else.
    ``asked_since`` and ``asked`` count its questions within the hour. ``key_id`` names
    the master key that hashed it, empty where that was before keys were noted.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, unique=True)
    purpose = models.CharField(max_length=16)
    token_hash = models.BinaryField(unique=True)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, null=True, related_name="access_tokens"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    asked_since = models.DateTimeField(null=True)
    asked = models.IntegerField(default=0)
    key_id = models.CharField(max_length=16, default="", db_default="")

    def __str__(self) -> str:
        return f"{self.purpose} token {self.name}"


class UsedToken(models.Model):
    """A stamp or a clearance that a mail has used, until it would expire anyway."""

    token_hash = models.BinaryField(primary_key=True)
    digest_hash = models.BinaryField()
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"used token until {self.until:%Y-%m-%d %H:%M}"
