# SPDX-License-Identifier: Apache-2.0
"""Lists of recipients, sealed with a key of their own, and who is not to be mailed."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from undisclosed.core.campaign import Sensitivity, Way
from undisclosed.core.list_upload import UploadState
from undisclosed.store.models.account import Account
from undisclosed.store.models.team import Team


class RecipientList(models.Model):
    """One list: what for, how sensitive, whose, on what basis, until when.

    ``data_key`` is wrapped by a key that is not here; a list without it is destroyed.
    ``columns_sealed`` holds the names of the columns, as JSON; ``version`` grows with
    every import. ``rows`` counts people.
    """

    id = models.CharField(primary_key=True, max_length=32)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="lists")
    name = models.CharField(max_length=200)
    purpose = models.TextField()
    legal_basis = models.CharField(max_length=200, default="")
    sensitivity = models.CharField(
        max_length=16, choices=[(one.value, one.value) for one in Sensitivity]
    )
    owner = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    data_key = models.BinaryField(null=True)
    columns_sealed = models.BinaryField(null=True)
    rows = models.IntegerField(default=0)
    mailed = models.IntegerField(default=0)
    version = models.IntegerField(default=0)
    created_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True)
    keep_until = models.DateField(null=True)
    destroyed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"list {self.id}"


class ListRow(models.Model):
    """One person of a list. ``sealed`` holds the values of all columns, as JSON.

    ``address_hash`` is keyed, and NULL where the person is not mailed. ``domain`` is
    there where five or more of the list share it: a person's own would name them.
    """

    pk = models.CompositePrimaryKey("recipient_list_id", "number")
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.CASCADE,
        related_name="people",
        db_column="list_id",
        db_index=False,
        db_constraint=False,
    )
    number = models.IntegerField()
    address_hash = models.BinaryField(null=True)
    domain = models.CharField(max_length=255, default="")
    way = models.CharField(
        max_length=8, choices=[(one.value, one.value) for one in Way]
    )
    sealed = models.BinaryField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["recipient_list", "address_hash"],
                name="list_person_once",
                condition=Q(address_hash__isnull=False),
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Few of a million: they are counted and read without the others.
            models.Index(
                fields=["recipient_list", "way", "number"],
                name="list_on_paper",
                condition=~Q(way="mail"),
            )
        ]

    def __str__(self) -> str:
        return f"row {self.number} of {self.recipient_list_id}"


class Suppression(models.Model):
    """An address that we do not mail, with reason and date.

    Without a team it holds for all of them. ``kinds`` is empty where it holds for
    every mail, else ``marketing``: an unsubscribe does not stop service mail.
    """

    address_hash = models.BinaryField()
    address_sealed = models.BinaryField()
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="+", null=True
    )
    reason = models.CharField(max_length=32)
    kinds = models.CharField(max_length=16, default="")
    at = models.DateTimeField()
    by = models.CharField(max_length=200, default="")

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["address_hash", "team", "kinds"],
                name="suppression_once",
                nulls_distinct=False,
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-at", "-id"], name="suppression_latest")
        ]

    def __str__(self) -> str:
        return f"suppression {self.pk} ({self.reason})"


class ListUpload(models.Model):
    """A file on its way into a list, sealed with a key of its own.

    ``choices_sealed`` says which sheet and which column of addresses, ``found_sealed``
    what the check found, both as JSON. ``done`` counts the rows that were read, of
    ``people`` where that is known. Once it was imported, its key and its chunks go.
    """

    id = models.CharField(primary_key=True, max_length=32)
    recipient_list = models.ForeignKey(
        RecipientList,
        on_delete=models.CASCADE,
        related_name="uploads",
        db_column="list_id",
    )
    state = models.CharField(
        max_length=12, choices=[(one.value, one.value) for one in UploadState]
    )
    size = models.BigIntegerField()
    data_key = models.BinaryField(null=True)
    choices_sealed = models.BinaryField(null=True)
    found_sealed = models.BinaryField(null=True)
    people = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    by = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"upload {self.id}"


class ListUploadChunk(models.Model):
    """A piece of such a file."""

    pk = models.CompositePrimaryKey("upload_id", "number")
    upload = models.ForeignKey(
        ListUpload, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.IntegerField()
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"chunk {self.number} of {self.upload_id}"
