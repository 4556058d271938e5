# SPDX-License-Identifier: Apache-2.0
"""The ledger's tally: how many are where, by minute and domain, kept by triggers.

A page that counts a million rows would be slow; whoever changes a row changes the
tally in the same transaction, through whatever statement. Each connection counts in
one of eight shards, so that workers do not wait for one another.
"""

from typing import ClassVar

from django.db import migrations

TALLY = """
CREATE TABLE store_deliverytally (
    campaign_id varchar(32) NOT NULL,
    shard smallint NOT NULL,
    minute timestamptz NOT NULL,
    domain varchar(255) NOT NULL,
    state varchar(12) NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (campaign_id, minute, domain, state, shard)
) WITH (fillfactor = 70);

CREATE FUNCTION store_tally_of_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO store_deliverytally AS tally
    SELECT campaign_id, pg_backend_pid() % 8, date_trunc('minute', updated_at),
           domain, state, count(*)
      FROM added GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 3, 4, 5
    ON CONFLICT (campaign_id, minute, domain, state, shard)
    DO UPDATE SET number = tally.number + excluded.number;
    RETURN NULL;
END $$;

CREATE FUNCTION store_tally_of_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO store_deliverytally AS tally
    SELECT campaign_id, pg_backend_pid() % 8, minute, domain, state, sum(number)
      FROM (
        SELECT n.campaign_id, date_trunc('minute', n.updated_at) AS minute,
               n.domain, one.state, one.number
          FROM added n JOIN removed o USING (campaign_id, number)
         CROSS JOIN LATERAL (VALUES (o.state, -1), (n.state, 1)) AS one(state, number)
         WHERE n.state <> o.state
      ) AS change GROUP BY 1, 2, 3, 4, 5 HAVING sum(number) <> 0 ORDER BY 1, 3, 4, 5
    ON CONFLICT (campaign_id, minute, domain, state, shard)
    DO UPDATE SET number = tally.number + excluded.number;
    RETURN NULL;
END $$;

CREATE TRIGGER store_delivery_added AFTER INSERT ON store_delivery
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION store_tally_of_new();

CREATE TRIGGER store_delivery_changed AFTER UPDATE ON store_delivery
REFERENCING OLD TABLE AS removed NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION store_tally_of_change();

-- What is in a worker's hands, and whose.
CREATE INDEX delivery_leased ON store_delivery (lease_by)
 WHERE lease_until IS NOT NULL;

-- What is claimed next, found as quickly near the end as at the start. The tally
-- answers what the other two were for, and each index costs every change of a row.
CREATE INDEX delivery_waiting ON store_delivery (campaign_id, number)
 WHERE state IN ('queued', 'delayed');
DROP INDEX delivery_due;
DROP INDEX delivery_state;

-- How many of what is asked for may leave now; what is granted is taken.
CREATE FUNCTION store_take(
    _key text, _wanted double precision, _per_second double precision,
    _most double precision, _now timestamptz
) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
    granted double precision;
    there double precision;
    since timestamptz;
BEGIN
    INSERT INTO store_ratebucket (key, tokens, at) VALUES (_key, _most, _now)
    ON CONFLICT (key) DO NOTHING;
    SELECT tokens, at INTO there, since FROM store_ratebucket
     WHERE key = _key FOR UPDATE;
    there := least(_most,
        there + greatest(0, extract(epoch FROM _now - since)) * _per_second);
    granted := least(_wanted, floor(there));
    UPDATE store_ratebucket SET tokens = there - granted, at = greatest(since, _now)
     WHERE key = _key;
    RETURN granted;
END $$;
"""

TALLY_BACK = """
DROP FUNCTION store_take;
CREATE INDEX delivery_due ON store_delivery (campaign_id, next_attempt_at, number)
 WHERE state IN ('queued', 'delayed');
CREATE INDEX delivery_state ON store_delivery (campaign_id, state, domain);
DROP INDEX delivery_waiting;
DROP INDEX delivery_leased;
DROP TRIGGER store_delivery_changed ON store_delivery;
DROP TRIGGER store_delivery_added ON store_delivery;
DROP FUNCTION store_tally_of_change;
DROP FUNCTION store_tally_of_new;
DROP TABLE store_deliverytally;
"""


class Migration(migrations.Migration):
    """The tally and the rates."""

    dependencies: ClassVar = [("store", "0011_campaigns")]

    operations: ClassVar = [migrations.RunSQL(TALLY, TALLY_BACK)]
