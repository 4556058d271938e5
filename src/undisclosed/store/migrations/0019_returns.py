# SPDX-License-Identifier: Apache-2.0
"""What the next hop refused is found by itself, however long the ledgers are."""

from typing import ClassVar

from django.db import migrations

# Whoever learns from refusals looks every few seconds: at what was refused, and not at
# every row of what is being sent.
REFUSED = """
CREATE INDEX delivery_refused ON store_delivery (campaign_id, number)
 WHERE state = 'failed' AND reason = 'refused';
"""


class Migration(migrations.Migration):
    """One index of the ledger."""

    dependencies: ClassVar = [("store", "0018_guard")]

    operations: ClassVar = [migrations.RunSQL(REFUSED, "DROP INDEX delivery_refused")]
