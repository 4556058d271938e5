# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF012
"""Circles, threads and hidden audiences; controls of people; the keys of Memory."""

import django.contrib.postgres.fields
from django.db import migrations, models

# Hashes do not compress, and trying costs more than storing them.
STORAGE = """
ALTER TABLE store_rememberedwave
    ALTER COLUMN thread SET STORAGE EXTERNAL,
    ALTER COLUMN joined SET STORAGE EXTERNAL;
ALTER TABLE store_audience ALTER COLUMN joined SET STORAGE EXTERNAL;
"""

# Django makes a second index for LIKE on each text key; ids are only ever compared.
LIKE = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes
                 WHERE schemaname = current_schema()
                   AND tablename IN ('store_circle', 'store_memorykey',
                                     'store_visiblemailcontrol')
                   AND indexname LIKE '%\\_like'
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    """What Memory knows beyond mailings."""

    dependencies = [("store", "0002_functions")]

    operations = [
        migrations.CreateModel(
            name="Audience",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("circle", "circle"),
                            ("thread", "thread"),
                            ("hidden", "hidden"),
                        ],
                        max_length=8,
                    ),
                ),
                ("set_hash", models.BinaryField()),
                ("key_id", models.CharField(max_length=16)),
                ("people", models.IntegerField()),
                ("is_sensitive", models.BooleanField(default=False)),
                ("joined", models.BinaryField(null=True)),
                ("at", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="AudienceMember",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "person",
                        "audience_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("person", models.BigIntegerField()),
                ("audience_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Circle",
            fields=[
                (
                    "id",
                    models.CharField(max_length=24, primary_key=True, serialize=False),
                ),
                ("owner", models.CharField(max_length=64)),
                ("reason_sealed", models.BinaryField()),
                ("people", models.IntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("audience_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="MemoryKey",
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
                ("key_id", models.CharField(max_length=16, unique=True)),
                ("wrapped", models.BinaryField(null=True)),
                ("made_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="VisibleMailControl",
            fields=[
                (
                    "id",
                    models.CharField(max_length=24, primary_key=True, serialize=False),
                ),
                (
                    "person_hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BinaryField(), size=None
                    ),
                ),
                ("person_sealed", models.BinaryField()),
                ("reason_sealed", models.BinaryField()),
                ("imposed_by", models.CharField(max_length=64)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="rememberedwave",
            name="joined",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="rememberedwave",
            name="message_id_hash",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="rememberedwave",
            name="thread",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), null=True, size=None
            ),
        ),
        migrations.AddIndex(
            model_name="rememberedwave",
            index=models.Index(fields=["message_id_hash"], name="wave_message"),
        ),
        migrations.AddIndex(
            model_name="audience",
            index=models.Index(fields=["at"], name="audience_at"),
        ),
        migrations.AddConstraint(
            model_name="audience",
            constraint=models.UniqueConstraint(
                fields=("kind", "set_hash"), name="audience_once"
            ),
        ),
        migrations.AddIndex(
            model_name="audiencemember",
            index=models.Index(fields=["audience_id"], name="audience_member"),
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(LIKE, migrations.RunSQL.noop),
    ]
