# SPDX-License-Identifier: Apache-2.0
"""One embedded PostgreSQL for a whole test run, started when a test first asks.

Django is configured before the tests are collected, since modules that import
models need it then; the server starts with the first test that uses ``database``.
It runs without waiting for the disk: what must survive a crash has tests with a
server of their own.
"""

import atexit
import shutil
import tempfile
from pathlib import Path

import django.db
import psycopg
from django.conf import settings as django_conf

from undisclosed.console.site import site_settings
from undisclosed.store import framework
from undisclosed.store.crypto import Keys
from undisclosed.store.migrate import migrate
from undisclosed.store.postgres import Server
from undisclosed.store.settings import Settings, load

MASTER_KEY = bytes(range(32))
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For a database that nobody misses when the machine goes down."""

ROOM = 2 * 1024**3

_EMPTY = """
SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables
 WHERE schemaname = 'public'
   AND tablename NOT IN ('django_migrations', 'django_content_type',
                         'auth_permission')
"""


def quick_folder() -> str | None:
    """Where temporary files need no disk, if there is room; else the usual place."""
    memory = Path("/dev/shm")  # noqa: S108
    if memory.exists() and shutil.disk_usage(memory).free > ROOM:
        return str(memory)
    return None


class TestDatabase:
    """The server of a test run and its one database."""

    __test__ = False

    def __init__(self) -> None:
        self.data = Path(
            tempfile.mkdtemp(prefix="undisclosed-tests-", dir=quick_folder())
        )
        self.server = Server(self.data, configuration=FAST)
        self.url = self.server.prepare()
        self.settings = self._settings()
        self._is_ready = False
        atexit.register(self.end)

    def _settings(self) -> Settings:
        file = self.data / "undisclosed.toml"
        text = '[store]\ndata = "."\n[holds]\nundo_split = 0\n'
        file.write_text(text, encoding="utf-8")
        return load(file, {"UNDISCLOSED_MASTER_KEY": MASTER_KEY.hex()})

    def configure(self) -> None:
        """Configure Django for it, without starting anything."""
        if not django_conf.configured:
            site = site_settings(url="http://testserver")
            framework.configure(
                self.settings, site, url=self.url, keys=Keys(MASTER_KEY)
            )

    def start(self) -> None:
        """Start the server with every table, once."""
        self.configure()
        if not self._is_ready:
            self.server.start()
            migrate()
            self._is_ready = True

    def empty(self) -> None:
        """Forget every row; the journal's trigger stands aside for this."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            (tables,) = connection.execute(_EMPTY).fetchone() or ("",)
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")

    def end(self) -> None:
        """Stop the server and remove its data."""
        if django_conf.configured:
            django.db.connections.close_all()
        self.server.stop()
        shutil.rmtree(self.data, ignore_errors=True)
