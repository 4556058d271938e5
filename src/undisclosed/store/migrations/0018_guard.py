# SPDX-License-Identifier: Apache-2.0
"""A place in Memory is two questions: what is known of a mail, and: take it.

Every statement apart cost a turn to the database and back while the sender's other
mail waited for the lock.
"""

from typing import ClassVar

from django.db import migrations

# What counts for the judgement is everything not cancelled; what the pages tell is
# what would have been seen, so held mail stays in it after it was split or withdrawn.
TOTALS = """
CREATE FUNCTION store_totals(_mailing text) RETURNS json LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'people', encode(string_agg(DISTINCT people, ''::bytea)
            FILTER (WHERE state <> 'cancelled'), 'hex'),
        'waves', count(*) FILTER (WHERE state <> 'cancelled'),
        'disclosures', coalesce(sum(disclosures)
            FILTER (WHERE state <> 'cancelled'), 0)::bigint,
        'told people', CASE WHEN bool_or(was_held AND state = 'cancelled') THEN encode(
            string_agg(DISTINCT people, ''::bytea)
                FILTER (WHERE state <> 'cancelled' OR was_held), 'hex') END,
        'told waves', count(*) FILTER (WHERE state <> 'cancelled' OR was_held),
        'told disclosures', coalesce(sum(disclosures)
            FILTER (WHERE state <> 'cancelled' OR was_held), 0)::bigint,
        'first', min(at) FILTER (WHERE state <> 'cancelled' OR was_held),
        'last', max(at) FILTER (WHERE state <> 'cancelled' OR was_held))
      FROM store_rememberedwave WHERE mailing_id = _mailing
$$;
"""

# The keys of Memory are compared under the lock: where they are others than the caller
# hashed with, it is told so and asks again. The same bytes again come before another
# transaction of the same message. A text that is the same to the letter is the most
# similar one; else the caller compares.
LOOK = """
CREATE FUNCTION store_look(
    _locks bigint[], _mark text, _asked bigint[], _most integer, _authors bytea[],
    _now timestamptz, _digests bytea[], _messages bytea[], _senders bytea[],
    _since timestamptz, _bottom bigint[], _sketches bytea[], _most_texts integer
) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
    lock bigint;
    mark text;
    audiences json;
    place record;
    texts json;
    mailing text;
BEGIN
    FOREACH lock IN ARRAY _locks LOOP
        PERFORM pg_advisory_xact_lock(lock);
    END LOOP;
    SELECT coalesce(string_agg(key_id, ',' ORDER BY id DESC), '') INTO mark
      FROM store_memorykey;
    IF mark <> _mark THEN
        RETURN json_build_object('mark', mark);
    END IF;
    SELECT json_agg(json_build_array(
               kind, key_id, is_sensitive, encode(joined, 'hex'), members))
      INTO audiences
      FROM (
        SELECT a.kind, a.key_id, a.is_sensitive, a.joined, array_agg(m.person) members
          FROM store_audiencemember m JOIN store_audience a ON a.id = m.audience_id
         WHERE m.person = ANY(_asked) AND (a.until IS NULL OR a.until > _now)
         GROUP BY a.id HAVING count(*) > 1
         ORDER BY a.kind = 'thread', count(*) DESC LIMIT _most
      ) AS audience;
    SELECT id, mailing_id, state, key_id, digest_hash = ANY(_digests) AS is_retry
      INTO place
      FROM store_rememberedwave
     WHERE digest_hash = ANY(_digests)
        OR (message_id_hash = ANY(_messages) AND sender_hash = ANY(_senders)
            AND at >= _since)
     ORDER BY is_retry DESC, at LIMIT 1;
    IF place.id IS NOT NULL THEN
        mailing := place.mailing_id;
    ELSIF cardinality(_bottom) > 0 THEN
        WITH latest AS (
            SELECT mailing_id, sender_hash, sketch, max(at) AS at
              FROM store_rememberedwave
             WHERE sender_hash = ANY(_senders) AND at >= _since AND bottom && _bottom
             GROUP BY mailing_id, sender_hash, sketch
             ORDER BY max(at) DESC LIMIT _most_texts
        ), same AS (
            SELECT * FROM latest WHERE sketch = ANY(_sketches)
             ORDER BY at DESC LIMIT 1
        ), compared AS (
            SELECT * FROM same
            UNION ALL
            SELECT * FROM latest WHERE NOT EXISTS (SELECT FROM same)
        )
        SELECT json_agg(json_build_array(
                   mailing_id, encode(sender_hash, 'hex'), encode(sketch, 'hex'))
                   ORDER BY at DESC),
               (SELECT mailing_id FROM same)
          INTO texts, mailing FROM compared;
    END IF;
    RETURN json_build_object(
        'mark', mark,
        'audiences', audiences,
        'is controlled', EXISTS (
            SELECT FROM store_visiblemailcontrol
             WHERE person_hashes && _authors AND lifted_at IS NULL AND until > _now),
        'place', CASE WHEN place.id IS NOT NULL THEN row_to_json(place) END,
        'texts', texts,
        'mailing', mailing,
        'totals', CASE WHEN mailing IS NOT NULL THEN store_totals(mailing) END);
END $$;
"""

# A mailing of one mail has no row yet: a hold makes it, or the next mail.
TAKE = """
CREATE FUNCTION store_take_place(
    _id text, _mailing text, _sender bytea, _digest bytea, _subject bytea,
    _message bytea, _key text, _at timestamptz, _disclosures bigint, _people bytea,
    _audience bytea, _sketch bytea, _bottom bigint[], _thread bigint[], _joined bytea,
    _first timestamptz, _last timestamptz, _told_people integer,
    _told_disclosures bigint, _told_waves integer
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO store_rememberedwave (
        id, mailing_id, sender_hash, digest_hash, subject_hash, message_id_hash,
        key_id, state, was_held, at, disclosures, people, audience, sketch, bottom,
        thread, joined
    ) VALUES (
        _id, _mailing, _sender, _digest, _subject, _message, _key, 'reserved', false,
        _at, _disclosures, _people, _audience, _sketch, _bottom, _thread, _joined
    );
    IF _told_waves IS NOT NULL THEN
        PERFORM store_tell(_mailing, _sender, _first, _last, _told_people,
                           _told_disclosures, _told_waves);
    END IF;
    RETURN _id;
END $$;
"""

TELL = """
CREATE FUNCTION store_tell(
    _mailing text, _sender bytea, _first timestamptz, _last timestamptz,
    _people integer, _disclosures bigint, _waves integer
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO store_mailing (
        id, sender_hash, first_at, last_at, people, disclosures, waves,
        holds, open_holds, state
    ) VALUES (
        _mailing, _sender, _first, _last, _people, _disclosures, _waves, 0, 0, ''
    ) ON CONFLICT (id) DO UPDATE SET
        sender_hash = excluded.sender_hash, people = excluded.people,
        disclosures = excluded.disclosures, waves = excluded.waves,
        last_at = greatest(store_mailing.last_at, excluded.last_at);
    RETURN _mailing;
END $$;
"""

BACK = """
DROP FUNCTION store_take_place;
DROP FUNCTION store_tell;
DROP FUNCTION store_look;
DROP FUNCTION store_totals;
"""


class Migration(migrations.Migration):
    """Four functions of Memory."""

    dependencies: ClassVar = [("store", "0017_journal")]

    operations: ClassVar = [migrations.RunSQL(TOTALS + LOOK + TELL + TAKE, BACK)]
