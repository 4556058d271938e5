# SPDX-License-Identifier: Apache-2.0
"""What came back of campaigns."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """One table: reports, complaints, auto-replies, unsubscribes."""

    dependencies: ClassVar = [("store", "0012_ledger")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="ReturnedMail",
            fields=[
                ("key", models.BinaryField(primary_key=True, serialize=False)),
                ("campaign_id", models.CharField(default="", max_length=32)),
                ("number", models.IntegerField(null=True)),
                ("address_hash", models.BinaryField(null=True)),
                ("kind", models.CharField(max_length=12)),
                ("cause", models.CharField(default="", max_length=20)),
                ("status", models.CharField(default="", max_length=16)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["campaign_id", "kind", "at"], name="returned_campaign"
                    ),
                    models.Index(
                        fields=["campaign_id", "number"], name="returned_delivery"
                    ),
                    models.Index(fields=["at"], name="returned_at"),
                    models.Index(
                        condition=models.Q(("kind", "failed")),
                        fields=["address_hash", "at"],
                        name="returned_person",
                    ),
                ],
            },
        ),
    ]
