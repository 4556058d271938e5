# SPDX-License-Identifier: Apache-2.0
"""The desk: one commit for a hold, copies that are taken back, absence, bypass, trace.

The statement that holds a mail settles its place in Memory and queues its notice,
so that a hold is one commit. Copies of one hold are found for being taken back.
"""

from typing import ClassVar

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

# A notice is queued once for its mailing, and again where all of the mailing had been
# decided before this mail. The job that delivers it is deferred only
# with a new one: NOTIFY makes commits queue up behind one another.
HOLD = """
DROP FUNCTION store_hold;

CREATE FUNCTION store_hold(
    _id text, _mailing text, _reservation text, _findings jsonb,
    _people integer, _disclosures bigint, _viewers integer, _singly_refused text,
    _received timestamptz, _expires timestamptz, _retry_since timestamptz,
    _size bigint, _digest bytea, _sender_hash bytea, _people_hashes bigint[],
    _data_key bytea, _envelope bytea, _sender bytea, _subject bytea, _reading bytea,
    _chunks bytea[], _notice text, _notice_envelope bytea, _notice_content bytea,
    _notice_recipient bytea, _notice_expires timestamptz, _is_ownerless boolean
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    earlier text;
    waiting integer;
BEGIN
    PERFORM pg_advisory_xact_lock(
        ('x' || encode(substr(_digest, 1, 8), 'hex'))::bit(64)::bigint);
    SELECT id || ' ' || state INTO earlier FROM store_heldmail
     WHERE digest_hash = _digest AND received_at >= _retry_since
     ORDER BY received_at LIMIT 1;
    IF earlier IS NOT NULL THEN
        RETURN earlier;
    END IF;
    INSERT INTO store_heldmail (
        id, mailing_id, reservation_id, state, findings, people, disclosures, viewers,
        singly_refused, received_at, expires_at, escalations, size, digest_hash,
        sender_hash, people_hashes, data_key, envelope_sealed, sender_sealed,
        subject_sealed, reading_sealed, decided_by, is_ownerless
    ) VALUES (
        _id, _mailing, _reservation, 'held', _findings, _people, _disclosures,
        _viewers, _singly_refused, _received, _expires, 0, _size, _digest,
        _sender_hash, _people_hashes, _data_key, _envelope, _sender,
        _subject, _reading, '', _is_ownerless
    );
    INSERT INTO store_heldchunk (hold_id, number, sealed)
    SELECT _id, number - 1, sealed
      FROM unnest(_chunks) WITH ORDINALITY AS chunk(sealed, number);
    UPDATE store_rememberedwave SET state = 'held', was_held = true
     WHERE id = _reservation AND state = 'reserved';
    INSERT INTO store_mailing (
        id, sender_hash, first_at, last_at, people, disclosures, waves,
        holds, open_holds, held_at, state
    ) VALUES (
        _mailing, NULL, _received, _received, _people, _disclosures, 1,
        1, 1, _received, 'held'
    ) ON CONFLICT (id) DO UPDATE SET
        holds = store_mailing.holds + 1,
        open_holds = store_mailing.open_holds + 1,
        held_at = greatest(store_mailing.held_at, excluded.held_at),
        last_at = greatest(store_mailing.last_at, excluded.last_at),
        state = 'held'
    RETURNING open_holds INTO waiting;
    INSERT INTO store_journalentry (at, event, actor, facts)
    VALUES (_received, 'held', 'guard', jsonb_build_object(
        'hold', _id, 'mailing', _mailing, 'people', _people,
        'disclosures', _disclosures, 'viewers', _viewers));
    IF _notice IS NULL THEN
        RETURN _id;
    END IF;
    INSERT INTO store_outgoingmail (
        id, kind, state, envelope_sealed, content_sealed, recipient_hash, recipients,
        attempts, next_attempt_at, lease_by, queued_at, expires_at, updated_at
    ) VALUES (
        _notice, 'notice', 'queued', _notice_envelope, _notice_content,
        _notice_recipient, 1, 0, _received, '', _received, _notice_expires, _received
    ) ON CONFLICT (id) DO UPDATE SET
        state = 'queued', attempts = 0, next_attempt_at = _received, lease_by = '',
        lease_until = NULL, envelope_sealed = _notice_envelope,
        content_sealed = _notice_content, expires_at = _notice_expires,
        queued_at = _received, updated_at = _received, reported_at = NULL
      WHERE waiting = 1 AND store_outgoingmail.state IN ('sent', 'failed');
    IF FOUND THEN
        PERFORM procrastinate_defer_jobs_v1(ARRAY[
            ROW('undisclosed', 'deliver', 0, NULL, NULL, '{}'::jsonb, NULL)
                ::procrastinate_job_to_defer_v1])
          WHERE NOT EXISTS (
                SELECT FROM procrastinate_jobs
                 WHERE task_name = 'deliver' AND status = 'todo' OFFSET 20);
    END IF;
    RETURN _id;
END $$;
"""

HOLD_STATES = [
    (state, state)
    for state in ("held", "accepted", "split", "released", "withdrawn", "returned")
]
COPY_STATES = [
    (state, state)
    for state in ("queued", "sent", "delayed", "failed", "withdrawn", "in doubt")
]


class Migration(migrations.Migration):
    """A statement, two tables, when an account is away, and what states there are."""

    dependencies: ClassVar = [("store", "0003_memory")]

    operations: ClassVar = [
        migrations.RunSQL(HOLD, migrations.RunSQL.noop),
        migrations.AlterField(
            "heldmail", "state", models.CharField(choices=HOLD_STATES, max_length=16)
        ),
        migrations.AlterField(
            "outgoingmail",
            "state",
            models.CharField(choices=COPY_STATES, max_length=10),
        ),
        migrations.AlterField(
            "mailing",
            "state",
            models.CharField(choices=HOLD_STATES, default="", max_length=16),
        ),
        migrations.AddField(
            "heldmail", "is_ownerless", models.BooleanField(default=False)
        ),
        migrations.AddField(
            "account", "absent_until", models.DateTimeField(null=True)
        ),
        migrations.CreateModel(
            name="Bypass",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("started_at", models.DateTimeField()),
                ("started_by", models.CharField(max_length=200)),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("reason_sealed", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="AcceptedMail",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("sender_hash", models.BinaryField(null=True)),
                (
                    "people_hashes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField()
                    ),
                ),
                ("size", models.BigIntegerField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["people_hashes"], name="accepted_people"
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["at"], name="accepted_at"
                    ),
                ],
            },
        ),
    ]
