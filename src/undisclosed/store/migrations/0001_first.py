# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF012, E501
"""The first tables."""

import uuid

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="last login"
                    ),
                ),
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("login_hash", models.BinaryField(unique=True)),
                ("login_sealed", models.BinaryField()),
                ("roles", models.JSONField(default=list)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CaughtMail",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("caught_at", models.DateTimeField()),
                ("mail_from_sealed", models.BinaryField()),
                ("rcpt_tos_sealed", models.BinaryField()),
                ("subject_sealed", models.BinaryField()),
                ("content_sealed", models.BinaryField()),
                ("size", models.BigIntegerField()),
                (
                    "rcpt_hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["-caught_at", "-id"], name="caught_latest"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["rcpt_hashes"], name="caught_recipients"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldMail",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("mailing_id", models.CharField(max_length=64)),
                ("reservation_id", models.CharField(max_length=64, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "held"),
                            ("split", "split"),
                            ("released", "released"),
                            ("withdrawn", "withdrawn"),
                            ("returned", "returned"),
                        ],
                        max_length=16,
                    ),
                ),
                ("findings", models.JSONField(default=list)),
                ("people", models.IntegerField()),
                ("disclosures", models.BigIntegerField()),
                ("viewers", models.IntegerField()),
                ("singly_refused", models.TextField(null=True)),
                ("received_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("escalations", models.IntegerField(default=0)),
                ("size", models.BigIntegerField()),
                ("digest_hash", models.BinaryField()),
                ("sender_hash", models.BinaryField(null=True)),
                (
                    "people_hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("data_key", models.BinaryField(null=True)),
                ("envelope_sealed", models.BinaryField(null=True)),
                ("sender_sealed", models.BinaryField(null=True)),
                ("subject_sealed", models.BinaryField(null=True)),
                ("reading_sealed", models.BinaryField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(default="", max_length=200)),
                ("reason_sealed", models.BinaryField(null=True)),
                ("reported_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["mailing_id", "received_at"], name="held_mailing"
                    ),
                    models.Index(fields=["digest_hash"], name="held_digest"),
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["people_hashes"], name="held_people"
                    ),
                    models.Index(
                        fields=["sender_hash", "-received_at"], name="held_sender"
                    ),
                    models.Index(
                        condition=models.Q(("state", "held")),
                        fields=["received_at"],
                        name="held_open",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("data_key__isnull", False), ("decided_at__isnull", False)
                        ),
                        fields=["decided_at"],
                        name="held_decided",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldChunk",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "hold_id",
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
                    "hold",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chunks",
                        to="store.heldmail",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JournalEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("event", models.CharField(max_length=64)),
                ("actor", models.CharField(max_length=200)),
                ("facts", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["at"], name="journal_at"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LoginLink",
            fields=[
                ("token_hash", models.BinaryField(primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="login_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Mailing",
            fields=[
                (
                    "id",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                ("sender_hash", models.BinaryField(null=True)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("people", models.IntegerField()),
                ("disclosures", models.BigIntegerField()),
                ("waves", models.IntegerField()),
                ("holds", models.IntegerField(default=0)),
                ("open_holds", models.IntegerField(default=0)),
                ("held_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "held"),
                            ("split", "split"),
                            ("released", "released"),
                            ("withdrawn", "withdrawn"),
                            ("returned", "returned"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["state", "-held_at", "-id"], name="mailing_state"
                    ),
                    models.Index(
                        condition=models.Q(("held_at__isnull", False)),
                        fields=["-held_at", "-id"],
                        name="mailing_held",
                    ),
                    models.Index(fields=["last_at"], name="mailing_last"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RememberedWave",
            fields=[
                (
                    "id",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("mailing_id", models.CharField(max_length=64, null=True)),
                ("sender_hash", models.BinaryField()),
                ("digest_hash", models.BinaryField()),
                ("subject_hash", models.BinaryField()),
                ("key_id", models.CharField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("reserved", "reserved"),
                            ("shown", "shown"),
                            ("held", "held"),
                            ("cancelled", "cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("was_held", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
                ("disclosures", models.BigIntegerField()),
                ("people", models.BinaryField()),
                ("audience", models.BinaryField(null=True)),
                ("sketch", models.BinaryField()),
                (
                    "bottom",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["sender_hash", "at"], name="wave_sender"),
                    models.Index(fields=["digest_hash"], name="wave_digest"),
                    models.Index(fields=["mailing_id"], name="wave_mailing"),
                    models.Index(fields=["at"], name="wave_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountAddress",
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
                ("address_hash", models.BinaryField(db_index=True)),
                ("address_sealed", models.BinaryField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addresses",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "address_hash"), name="account_address_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                (
                    "id",
                    models.CharField(max_length=200, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("private copy", "private copy"),
                            ("insiders' copy", "insiders' copy"),
                            ("release", "release"),
                            ("return", "return"),
                            ("notice", "notice"),
                            ("DSN", "DSN"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("sent", "sent"),
                            ("delayed", "delayed"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("envelope_sealed", models.BinaryField()),
                ("patch_sealed", models.BinaryField(null=True)),
                ("content_sealed", models.BinaryField(null=True)),
                ("recipient_hash", models.BinaryField(null=True)),
                ("recipients", models.IntegerField()),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("lease_by", models.CharField(default="", max_length=100)),
                ("lease_until", models.DateTimeField(null=True)),
                ("last_reply_sealed", models.BinaryField(null=True)),
                ("queued_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("reported_at", models.DateTimeField(null=True)),
                ("updated_at", models.DateTimeField()),
                (
                    "hold",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outgoing",
                        to="store.heldmail",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "delayed"])),
                        fields=["next_attempt_at"],
                        name="outgoing_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("reported_at__isnull", True), ("state", "failed")
                        ),
                        fields=["hold", "updated_at"],
                        name="outgoing_unreported",
                    ),
                    models.Index(fields=["recipient_hash"], name="outgoing_recipient"),
                ],
            },
        ),
    ]
