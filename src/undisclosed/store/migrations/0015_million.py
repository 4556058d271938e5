# SPDX-License-Identifier: Apache-2.0
"""A million people in one campaign: a tally that does not grow with its list.

The tally had a row for each minute, domain and state, so the page of a campaign read
tens of thousands of them. Now there are two: by domain, for the largest domains of the
list and for all others together; and by time, in minutes and in hours, for what was
answered. Each is read in a few hundred rows, however long the list and the sending.

Whoever writes the ledger of a campaign writes its tally (``store.ledger.expand``); the
trigger counts what changes afterwards, through whatever statement.

A person stands on a list once, and a row of the ledger is a row of the list, so the
ledger's own index of people, in the order of random hashes, only cost time: half of
what writing a million rows took, and a page of disk for each change of a row.
"""

from typing import ClassVar

from django.db import migrations, models

TALLY = """
CREATE TABLE store_domaintally (
    campaign_id varchar(32) NOT NULL,
    domain varchar(255) NOT NULL,
    state varchar(12) NOT NULL,
    shard smallint NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (campaign_id, domain, state, shard)
) WITH (fillfactor = 50);

CREATE TABLE store_timetally (
    campaign_id varchar(32) NOT NULL,
    minutes smallint NOT NULL,
    since timestamptz NOT NULL,
    state varchar(12) NOT NULL,
    shard smallint NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (campaign_id, minutes, since, state, shard)
) WITH (fillfactor = 50);

-- What was counted before. A row without a state names a domain that is counted by
-- itself; all others are counted together, as those without a name are.
WITH largest AS (
    SELECT campaign_id, domain FROM (
        SELECT campaign_id, domain, row_number() OVER (
            PARTITION BY campaign_id ORDER BY sum(number) DESC, domain) AS place
          FROM store_deliverytally WHERE domain <> '' GROUP BY campaign_id, domain
    ) AS placed WHERE place <= 24
)
INSERT INTO store_domaintally (campaign_id, domain, state, shard, number)
SELECT campaign_id, domain, '', -1, 0 FROM largest
UNION ALL
SELECT t.campaign_id, coalesce(l.domain, ''), t.state, -1, sum(t.number)
  FROM store_deliverytally t LEFT JOIN largest l USING (campaign_id, domain)
 GROUP BY 1, 2, 3 HAVING sum(t.number) <> 0;

INSERT INTO store_timetally (campaign_id, minutes, since, state, shard, number)
SELECT campaign_id, span.minutes, date_trunc(span.unit, minute), state, -1, sum(number)
  FROM store_deliverytally
 CROSS JOIN (VALUES (1, 'minute'), (60, 'hour')) AS span(minutes, unit)
 WHERE state IN ('sent', 'delivered', 'failed')
 GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0;

DROP TRIGGER store_delivery_added ON store_delivery;
DROP FUNCTION store_tally_of_new;

-- What did not change its state cancels itself out, so that nothing has to be joined:
-- to end a campaign of a million costs no more for each row than to send one message.
-- A statement has one moment: it is that of every row whose state it changed.
CREATE OR REPLACE FUNCTION store_tally_of_change() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    own CONSTANT smallint := pg_backend_pid() % 8;
BEGIN
    INSERT INTO store_domaintally AS tally
    SELECT c.campaign_id, coalesce(t.domain, ''), c.state, own, sum(c.number)
      FROM (
        SELECT campaign_id, domain, state, sum(one) AS number
          FROM (SELECT campaign_id, domain, state, 1 AS one FROM added
                UNION ALL
                SELECT campaign_id, domain, state, -1 FROM removed) AS each
         GROUP BY campaign_id, domain, state HAVING sum(one) <> 0
      ) AS c
      LEFT JOIN store_domaintally t
        ON t.campaign_id = c.campaign_id AND t.domain = c.domain
       AND t.state = '' AND t.shard = -1
     GROUP BY 1, 2, 3 HAVING sum(c.number) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (campaign_id, domain, state, shard)
    DO UPDATE SET number = tally.number + excluded.number;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    INSERT INTO store_timetally AS tally
    SELECT c.campaign_id, span.minutes, date_trunc(span.unit, moment.at), c.state, own,
           c.number
      FROM (
        SELECT campaign_id, state, sum(one) AS number
          FROM (SELECT campaign_id, state, 1 AS one FROM added
                UNION ALL
                SELECT campaign_id, state, -1 FROM removed) AS each
         WHERE state IN ('sent', 'delivered', 'failed')
         GROUP BY campaign_id, state HAVING sum(one) <> 0
      ) AS c
     CROSS JOIN (SELECT max(updated_at) AS at FROM added) AS moment
     CROSS JOIN (VALUES (1, 'minute'), (60, 'hour')) AS span(minutes, unit)
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (campaign_id, minutes, since, state, shard)
    DO UPDATE SET number = tally.number + excluded.number;
    RETURN NULL;
END $$;

DROP TABLE store_deliverytally;
DROP INDEX delivery_person_once;
"""

TALLY_BACK = """
CREATE UNIQUE INDEX delivery_person_once ON store_delivery (campaign_id, address_hash);

CREATE TABLE store_deliverytally (
    campaign_id varchar(32) NOT NULL,
    shard smallint NOT NULL,
    minute timestamptz NOT NULL,
    domain varchar(255) NOT NULL,
    state varchar(12) NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (campaign_id, minute, domain, state, shard)
) WITH (fillfactor = 70);

INSERT INTO store_deliverytally (campaign_id, shard, minute, domain, state, number)
SELECT campaign_id, 0, date_trunc('minute', updated_at), domain, state, count(*)
  FROM store_delivery GROUP BY 1, 3, 4, 5;

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

CREATE OR REPLACE FUNCTION store_tally_of_change() RETURNS trigger
LANGUAGE plpgsql AS $$
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

DROP TABLE store_timetally;
DROP TABLE store_domaintally;
"""


class Migration(migrations.Migration):
    """The two tallies, suppressions by their date, and how far long work is."""

    dependencies: ClassVar = [("store", "0014_people")]

    operations: ClassVar = [
        migrations.RunSQL(TALLY, TALLY_BACK),
        migrations.AddIndex(
            model_name="suppression",
            index=models.Index(fields=["-at", "-id"], name="suppression_latest"),
        ),
        migrations.CreateModel(
            name="Progress",
            fields=[
                (
                    "key",
                    models.CharField(max_length=80, primary_key=True, serialize=False),
                ),
                ("deed", models.CharField(max_length=16)),
                ("done", models.BigIntegerField()),
                ("whole", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
