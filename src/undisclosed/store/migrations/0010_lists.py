# SPDX-License-Identifier: Apache-2.0
"""Files on their way into a list."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from undisclosed.core.list_upload import UploadState


class Migration(migrations.Migration):
    """Uploads and their chunks."""

    dependencies: ClassVar = [("store", "0009_people")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="listrow",
            index=models.Index(
                condition=models.Q(("way", "mail"), _negated=True),
                fields=["recipient_list", "way", "number"],
                name="list_on_paper",
            ),
        ),
        migrations.CreateModel(
            name="ListUpload",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                (
                    "state",
                    models.CharField(
                        max_length=12,
                        choices=[(one.value, one.value) for one in UploadState],
                    ),
                ),
                ("size", models.BigIntegerField()),
                ("data_key", models.BinaryField(null=True)),
                ("choices_sealed", models.BinaryField(null=True)),
                ("found_sealed", models.BinaryField(null=True)),
                ("people", models.IntegerField(default=0)),
                ("done", models.IntegerField(default=0)),
                ("by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(db_index=True)),
                (
                    "recipient_list",
                    models.ForeignKey(
                        db_column="list_id",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uploads",
                        to="store.recipientlist",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ListUploadChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "upload_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.IntegerField()),
                ("sealed", models.BinaryField()),
                (
                    "upload",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="store.listupload",
                    ),
                ),
            ],
        ),
    ]
