# SPDX-License-Identifier: Apache-2.0
"""Access tokens of programs, and tokens of mails that were used."""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Two tables."""

    dependencies: ClassVar = [("store", "0004_desk")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=64, unique=True)),
                ("purpose", models.CharField(max_length=16)),
                ("token_hash", models.BinaryField(unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("asked_since", models.DateTimeField(null=True)),
                ("asked", models.IntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsedToken",
            fields=[
                (
                    "token_hash",
                    models.BinaryField(primary_key=True, serialize=False),
                ),
                ("digest_hash", models.BinaryField()),
                ("until", models.DateTimeField(db_index=True)),
            ],
        ),
    ]
