# SPDX-License-Identifier: Apache-2.0
"""Timestamps of the journal's daily seals; which master key does what, since when."""

from typing import ClassVar

from django.db import migrations, models

TIMESTAMPS = """
CREATE TRIGGER store_journal_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON store_journaltimestamp
FOR EACH STATEMENT EXECUTE FUNCTION store_journal_is_append_only();
"""


class Migration(migrations.Migration):
    """Two tables; an access token says which key hashed it."""

    dependencies: ClassVar = [("store", "0016_returns")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="JournalTimestamp",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("response", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="MasterKey",
            fields=[
                (
                    "key_id",
                    models.CharField(max_length=16, primary_key=True, serialize=False),
                ),
                ("seals_since", models.DateTimeField(null=True)),
                ("looks_up_since", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="accesstoken",
            name="key_id",
            field=models.CharField(default="", db_default="", max_length=16),
        ),
        migrations.RunSQL(TIMESTAMPS, migrations.RunSQL.noop),
    ]
