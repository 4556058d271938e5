# SPDX-License-Identifier: Apache-2.0
"""How the seeds of campaigns stand."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """One table: the latest round of each campaign's seeds."""

    dependencies: ClassVar = [("store", "0015_million")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SeedRound",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="store.campaign",
                    ),
                ),
                ("number", models.IntegerField()),
                ("state", models.CharField(max_length=12)),
                ("sent_at", models.DateTimeField()),
                ("findings", models.JSONField(default=list)),
                ("reason_sealed", models.BinaryField(null=True)),
            ],
        ),
    ]
