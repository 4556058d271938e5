# SPDX-License-Identifier: Apache-2.0
"""The journal's batches and daily seals, which are only ever added to."""

from typing import ClassVar

import django.contrib.postgres.indexes
from django.db import migrations, models

IDS = """
ALTER TABLE store_journalbatch ADD COLUMN ids int8multirange NOT NULL;

CREATE TRIGGER store_journal_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON store_journalbatch
FOR EACH STATEMENT EXECUTE FUNCTION store_journal_is_append_only();

CREATE TRIGGER store_journal_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON store_journalseal
FOR EACH STATEMENT EXECUTE FUNCTION store_journal_is_append_only();
"""


class Migration(migrations.Migration):
    """Two tables; a batch's ids are a column of PostgreSQL's own."""

    dependencies: ClassVar = [("store", "0005_tokens")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="JournalBatch",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_at", models.DateTimeField()),
                ("last_id", models.BigIntegerField()),
                ("entries", models.IntegerField()),
                ("root", models.BinaryField()),
                ("previous", models.BinaryField(unique=True)),
                ("hash", models.BinaryField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["sealed_at"], name="batch_sealed_at"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="JournalSeal",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("first_batch", models.BigIntegerField()),
                ("last_batch", models.BigIntegerField()),
                ("entries", models.IntegerField()),
                ("root", models.BinaryField()),
                ("previous", models.BinaryField(unique=True)),
                ("hash", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(IDS, migrations.RunSQL.noop),
    ]
