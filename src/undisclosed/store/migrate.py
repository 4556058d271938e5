# SPDX-License-Identifier: Apache-2.0
"""Bringing the tables up to this release, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.core.management import call_command
from django.db import connection as django_connection
from django.db.migrations.executor import MigrationExecutor

from undisclosed.store.database import database

_LOCK: Final = 0x756E6469_7363_6C6F  # the same for every process that migrates
_CONNECTION: Final = ("host", "port", "user", "password", "dbname", "sslmode")


def migrate() -> None:
    """Make or change the tables; other processes that want to wait until it is done.

    Raises TransientError where the database is away.
    """
    with database(), _lock():
        call_command("migrate", verbosity=0, interactive=False)


def is_needed() -> bool:
    """Whether tables are missing or of an earlier release. Raises TransientError."""
    with database():
        executor = MigrationExecutor(django_connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def connection_parameters() -> dict[str, Any]:
    """How to open a connection beside that of the thread."""
    given = django_connection.get_connection_params()
    return {name: given[name] for name in _CONNECTION if name in given}


@contextmanager
def _lock() -> Iterator[None]:
    """A lock of a connection of its own: it falls with the process, however it ends."""
    with psycopg.connect("", **connection_parameters()) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield
