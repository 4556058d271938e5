# SPDX-License-Identifier: Apache-2.0
"""A table that cannot be written, for tests of what then has not happened either."""

from collections.abc import Iterator
from contextlib import contextmanager

from undisclosed.store.database import database


@contextmanager
def refusing(table: str) -> Iterator[None]:
    """The database refuses every new and every changed row of the table."""
    with database() as connection:
        connection.run(
            "CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'It is refused.'; END $$"
        )
        connection.run(
            f"CREATE TRIGGER refused BEFORE INSERT OR UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refused()"
        )
    try:
        yield
    finally:
        with database() as connection:
            connection.run("DROP FUNCTION refused CASCADE")
