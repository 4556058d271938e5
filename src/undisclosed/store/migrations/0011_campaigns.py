# SPDX-License-Identifier: Apache-2.0
"""Approvals: who was asked and reminded, what was approved last, what was handed on."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Fields of campaigns, and delegations."""

    dependencies: ClassVar = [("store", "0010_lists")]

    operations: ClassVar = [
        migrations.AddField(
            "campaign", "approved_sealed", models.BinaryField(null=True)
        ),
        migrations.AddField("campaign", "asked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "campaign", "reminders", models.IntegerField(default=0, db_default=0)
        ),
        migrations.AddField(
            "campaign", "check_wanted_at", models.DateTimeField(null=True)
        ),
        migrations.AddField(
            "campaign",
            "check_by",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                null=True,
            ),
        ),
        migrations.AddField(
            "campaign", "checked_rows", models.IntegerField(default=0, db_default=0)
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("digest", models.BinaryField()),
                ("role", models.CharField(max_length=20)),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delegations",
                        to="store.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "digest", "role", "account"),
                        name="delegation_once",
                    )
                ],
            },
        ),
    ]
