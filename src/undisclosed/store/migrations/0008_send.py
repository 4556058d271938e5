# SPDX-License-Identifier: Apache-2.0
"""Teams, lists, campaigns and the ledger of their deliveries.

The ledger is partitioned by campaign: a million rows of one do not slow another down.
The database itself refuses an approval by whoever made or submitted the campaign.
"""

import uuid
from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LEDGER = """
CREATE TABLE store_delivery (
    campaign_id varchar(32) NOT NULL,
    number integer NOT NULL,
    address_hash bytea NOT NULL,
    domain varchar(255) NOT NULL DEFAULT '',
    state varchar(12) NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    lease_by varchar(100) NOT NULL DEFAULT '',
    lease_until timestamptz,
    reply_code smallint,
    reply_status varchar(16) NOT NULL DEFAULT '',
    reply_sealed bytea,
    reason varchar(32) NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (campaign_id, number)
) PARTITION BY HASH (campaign_id);

DO $$
BEGIN
    FOR part IN 0..15 LOOP
        -- A row changes its state two or three times: leave room for that in its page.
        EXECUTE format(
            'CREATE TABLE store_delivery_%s PARTITION OF store_delivery'
            ' FOR VALUES WITH (MODULUS 16, REMAINDER %s)'
            ' WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)',
            part, part);
    END LOOP;
END $$;

CREATE INDEX delivery_due ON store_delivery (campaign_id, next_attempt_at, number)
 WHERE state IN ('queued', 'delayed');
CREATE INDEX delivery_in_doubt ON store_delivery (campaign_id, number)
 WHERE state = 'in doubt';
CREATE INDEX delivery_state ON store_delivery (campaign_id, state, domain);
CREATE UNIQUE INDEX delivery_person_once ON store_delivery (campaign_id, address_hash);
"""

LEDGER_BACK = "DROP TABLE store_delivery;"

OWN = """
CREATE FUNCTION store_nobody_approves_their_own() RETURNS trigger
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

CREATE TRIGGER store_approval_not_own BEFORE INSERT OR UPDATE ON store_approval
FOR EACH ROW EXECUTE FUNCTION store_nobody_approves_their_own();

CREATE SEQUENCE store_campaign_serial AS bigint;

ALTER TABLE store_listrow ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE store_campaignfilechunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
"""

OWN_BACK = """
DROP TRIGGER store_approval_not_own ON store_approval;
DROP FUNCTION store_nobody_approves_their_own();
DROP SEQUENCE store_campaign_serial;
"""


class Migration(migrations.Migration):
    """The tables of the sending part."""

    dependencies: ClassVar = [("store", "0007_journal")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "campaign_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.IntegerField()),
                ("address_hash", models.BinaryField()),
                ("domain", models.CharField(default="", max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("in doubt", "in doubt"),
                            ("sent", "sent"),
                            ("delayed", "delayed"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                            ("suppressed", "suppressed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(null=True)),
                ("lease_by", models.CharField(default="", max_length=100)),
                ("lease_until", models.DateTimeField(null=True)),
                ("reply_code", models.SmallIntegerField(null=True)),
                ("reply_status", models.CharField(default="", max_length=16)),
                ("reply_sealed", models.BinaryField(null=True)),
                ("reason", models.CharField(default="", max_length=32)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "db_table": "store_delivery",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="RateBucket",
            fields=[
                (
                    "key",
                    models.CharField(max_length=100, primary_key=True, serialize=False),
                ),
                ("tokens", models.FloatField()),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Team",
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
                ("name", models.CharField(max_length=200, unique=True)),
                ("is_trial", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Campaign",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("serial", models.BigIntegerField(unique=True)),
                ("name", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("checked", "checked"),
                            ("submitted", "submitted"),
                            ("approved", "approved"),
                            ("scheduled", "scheduled"),
                            ("sending", "sending"),
                            ("paused", "paused"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("service", "service"), ("marketing", "marketing")],
                        max_length=16,
                    ),
                ),
                ("list_version", models.IntegerField(default=0)),
                ("data_key", models.BinaryField(null=True)),
                ("draft_sealed", models.BinaryField(null=True)),
                ("findings", models.JSONField(default=list)),
                ("checked_digest", models.BinaryField(null=True)),
                ("digest", models.BinaryField(null=True)),
                ("recipients", models.IntegerField(default=0)),
                ("needs", models.JSONField(default=list)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("not_after", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("per_minute", models.IntegerField(default=0)),
                ("in_doubt", models.CharField(default="ask", max_length=8)),
                ("step", models.IntegerField(default=1)),
                ("paused_because", models.CharField(default="", max_length=300)),
                ("hold_id", models.CharField(default="", max_length=32)),
                ("proof_sealed", models.BinaryField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CampaignFile",
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
                ("name_sealed", models.BinaryField()),
                ("media_type", models.CharField(max_length=200)),
                ("size", models.BigIntegerField()),
                ("digest", models.BinaryField()),
                ("column_sealed", models.BinaryField(null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="store.campaign",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CampaignFileChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "file_id",
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
                    "file",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="store.campaignfile",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Override",
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
                ("check_name", models.CharField(max_length=64)),
                ("reason_sealed", models.BinaryField()),
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
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="overrides",
                        to="store.campaign",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecipientList",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=200)),
                ("purpose", models.TextField()),
                ("legal_basis", models.CharField(default="", max_length=200)),
                (
                    "sensitivity",
                    models.CharField(
                        choices=[
                            ("ordinary", "ordinary"),
                            ("confidential", "confidential"),
                            ("special", "special"),
                        ],
                        max_length=16,
                    ),
                ),
                ("data_key", models.BinaryField(null=True)),
                ("columns_sealed", models.BinaryField(null=True)),
                ("rows", models.IntegerField(default=0)),
                ("mailed", models.IntegerField(default=0)),
                ("version", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField()),
                ("imported_at", models.DateTimeField(null=True)),
                ("keep_until", models.DateField(null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lists",
                        to="store.team",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="campaign",
            name="recipient_list",
            field=models.ForeignKey(
                db_column="list_id",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="store.recipientlist",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="campaigns",
                to="store.team",
            ),
        ),
        migrations.CreateModel(
            name="Approval",
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
                ("is_consent", models.BooleanField()),
                ("reason_sealed", models.BinaryField(null=True)),
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
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="store.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "digest", "account"), name="approval_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ListRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "recipient_list_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.IntegerField()),
                ("address_hash", models.BinaryField(null=True)),
                ("domain", models.CharField(default="", max_length=255)),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("mail", "mail"),
                            ("phone", "phone"),
                            ("post", "post"),
                        ],
                        max_length=8,
                    ),
                ),
                ("sealed", models.BinaryField()),
                (
                    "recipient_list",
                    models.ForeignKey(
                        db_column="list_id",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="people",
                        to="store.recipientlist",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("address_hash__isnull", False)),
                        fields=("recipient_list", "address_hash"),
                        name="list_person_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
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
                ("address_hash", models.BinaryField()),
                ("address_sealed", models.BinaryField()),
                ("reason", models.CharField(max_length=32)),
                ("kinds", models.CharField(default="", max_length=16)),
                ("at", models.DateTimeField()),
                ("by", models.CharField(default="", max_length=200)),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="store.team",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("address_hash", "team", "kinds"),
                        name="suppression_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
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
                ("roles", models.JSONField(default=list)),
                ("may_see_rows", models.BooleanField(default=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="store.team",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "account"), name="membership_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(fields=["team", "-updated_at"], name="campaign_team"),
        ),
        migrations.AddIndex(
            model_name="campaign",
            index=models.Index(
                condition=models.Q(("state__in", ["scheduled", "sending"])),
                fields=["not_before"],
                name="campaign_open",
            ),
        ),
        migrations.RunSQL(LEDGER, LEDGER_BACK),
        migrations.RunSQL(OWN, OWN_BACK),
    ]
