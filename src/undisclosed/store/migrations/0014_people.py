# SPDX-License-Identifier: Apache-2.0
"""The journal can be read by event, by who acted, and by what an act was about."""

from typing import ClassVar

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    """Three indexes."""

    dependencies: ClassVar = [("store", "0013_returns")]

    operations: ClassVar = [
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["event", "id"], name="journal_event"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=models.Index(fields=["actor", "id"], name="journal_actor"),
        ),
        migrations.AddIndex(
            model_name="journalentry",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["facts"], name="journal_facts"
            ),
        ),
    ]
