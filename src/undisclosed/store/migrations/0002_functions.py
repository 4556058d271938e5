# SPDX-License-Identifier: Apache-2.0
"""What only the database can do: keep the journal, and hold a mail in one step."""

from typing import ClassVar

from django.db import migrations

JOURNAL = """
CREATE FUNCTION store_journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The journal is only ever added to.' USING ERRCODE = '42501';
END $$;

CREATE TRIGGER store_journal_append_only
BEFORE UPDATE OR DELETE OR TRUNCATE ON store_journalentry
FOR EACH STATEMENT EXECUTE FUNCTION store_journal_is_append_only();
"""

JOURNAL_BACK = """
DROP TRIGGER store_journal_append_only ON store_journalentry;
DROP FUNCTION store_journal_is_append_only();
"""

# Sealed values do not compress, and trying costs more than storing them.
STORAGE = """
ALTER TABLE store_heldchunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE store_heldmail
    ALTER COLUMN envelope_sealed SET STORAGE EXTERNAL,
    ALTER COLUMN reading_sealed SET STORAGE EXTERNAL;
ALTER TABLE store_outgoingmail
    ALTER COLUMN content_sealed SET STORAGE EXTERNAL,
    ALTER COLUMN envelope_sealed SET STORAGE EXTERNAL,
    ALTER COLUMN patch_sealed SET STORAGE EXTERNAL;
ALTER TABLE store_caughtmail ALTER COLUMN content_sealed SET STORAGE EXTERNAL;
ALTER TABLE store_rememberedwave
    ALTER COLUMN people SET STORAGE EXTERNAL,
    ALTER COLUMN audience SET STORAGE EXTERNAL,
    ALTER COLUMN sketch SET STORAGE EXTERNAL;
-- A row changes its state two or three times: leave room for that in its page.
ALTER TABLE store_outgoingmail SET (fillfactor = 70);
"""

# Django makes a second index for LIKE on each text key; ids are only ever compared.
LIKE = """
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT indexname FROM pg_indexes
                 WHERE schemaname = current_schema()
                   AND tablename LIKE 'store\\_%' AND indexname LIKE '%\\_like'
    LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END $$;
"""

# One statement and one commit for one hold. The lock lets two deliveries of the same
# bytes see one another; the statements after it see what the other committed.
HOLD = """
CREATE FUNCTION store_hold(
    _id text, _mailing text, _reservation text, _findings jsonb,
    _people integer, _disclosures bigint, _viewers integer, _singly_refused text,
    _received timestamptz, _expires timestamptz, _retry_since timestamptz,
    _size bigint, _digest bytea, _sender_hash bytea, _people_hashes bigint[],
    _data_key bytea, _envelope bytea, _sender bytea, _subject bytea, _reading bytea,
    _chunks bytea[]
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    earlier text;
BEGIN
    PERFORM pg_advisory_xact_lock(
        ('x' || encode(substr(_digest, 1, 8), 'hex'))::bit(64)::bigint);
    SELECT id INTO earlier FROM store_heldmail
     WHERE digest_hash = _digest AND received_at >= _retry_since
     ORDER BY received_at LIMIT 1;
    IF earlier IS NOT NULL THEN
        RETURN earlier;
    END IF;
    INSERT INTO store_heldmail (
        id, mailing_id, reservation_id, state, findings, people, disclosures, viewers,
        singly_refused, received_at, expires_at, escalations, size, digest_hash,
        sender_hash, people_hashes, data_key, envelope_sealed, sender_sealed,
        subject_sealed, reading_sealed, decided_by
    ) VALUES (
        _id, _mailing, _reservation, 'held', _findings, _people, _disclosures,
        _viewers, _singly_refused, _received, _expires, 0, _size, _digest,
        _sender_hash, _people_hashes, _data_key, _envelope, _sender,
        _subject, _reading, ''
    );
    INSERT INTO store_heldchunk (hold_id, number, sealed)
    SELECT _id, number - 1, sealed
      FROM unnest(_chunks) WITH ORDINALITY AS chunk(sealed, number);
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
        state = 'held';
    INSERT INTO store_journalentry (at, event, actor, facts)
    VALUES (_received, 'held', 'guard', jsonb_build_object(
        'hold', _id, 'mailing', _mailing, 'people', _people,
        'disclosures', _disclosures, 'viewers', _viewers));
    RETURN _id;
END $$;
"""

HOLD_BACK = "DROP FUNCTION store_hold;"


class Migration(migrations.Migration):
    """The journal's trigger, the storage of sealed columns, the hold."""

    dependencies: ClassVar = [("store", "0001_first")]

    operations: ClassVar = [
        migrations.RunSQL(JOURNAL, JOURNAL_BACK),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
        migrations.RunSQL(LIKE, migrations.RunSQL.noop),
        migrations.RunSQL(HOLD, HOLD_BACK),
    ]
