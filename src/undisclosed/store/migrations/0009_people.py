# SPDX-License-Identifier: Apache-2.0
"""People: who wrote a campaign, epochs of pseudonyms, what is counted for a time."""

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SHORT_TIME = """
CREATE UNLOGGED TABLE store_shorttime (
    key bytea PRIMARY KEY,
    value jsonb NOT NULL,
    ends_at timestamptz
);
CREATE INDEX short_time_ends_at ON store_shorttime (ends_at);
"""

SHORT_TIME_BACK = "DROP TABLE store_shorttime;"

# Whoever wrote any version of a campaign is one of its authors.
OWN = """
CREATE OR REPLACE FUNCTION store_nobody_approves_their_own() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_consent AND (EXISTS (
        SELECT FROM store_campaign
         WHERE id = NEW.campaign_id
           AND NEW.account_id IN (created_by_id, submitted_by_id)
    ) OR EXISTS (
        SELECT FROM store_campaignauthor
         WHERE campaign_id = NEW.campaign_id AND account_id = NEW.account_id
    )) THEN
        RAISE EXCEPTION 'Nobody approves their own.' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
"""

OWN_BACK = """
CREATE OR REPLACE FUNCTION store_nobody_approves_their_own() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_consent AND EXISTS (
        SELECT FROM store_campaign
         WHERE id = NEW.campaign_id
           AND NEW.account_id IN (created_by_id, submitted_by_id)
    ) THEN
        RAISE EXCEPTION 'Nobody approves their own.' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    """Authors, epochs, and a table for a short time."""

    dependencies: ClassVar = [("store", "0008_send")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="PeopleEpoch",
            fields=[
                ("number", models.IntegerField(primary_key=True, serialize=False)),
                ("wrapped", models.BinaryField(null=True)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="CampaignAuthor",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "campaign_id",
                        "account_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
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
                        related_name="authors",
                        to="store.campaign",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(SHORT_TIME, SHORT_TIME_BACK),
        migrations.RunSQL(OWN, OWN_BACK),
    ]
