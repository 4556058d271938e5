# SPDX-License-Identifier: Apache-2.0
"""The thread's connection to PostgreSQL, and what its being away is called.

Django keeps one connection per thread. The guard's threads live long and no request
ends them, so a connection that broke is noticed here, dropped, and made anew at the
next call: a database that was stopped and started heals without a restart of ours.
"""

import select
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import django.db
import psycopg
from django.db import connection as django_connection
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from undisclosed.errors import TransientError

Row = tuple[Any, ...]
_SQLSTATE = DiagnosticField.SQLSTATE
_NOT_PREPARED = b"26000"
_AWAY = (
    psycopg.OperationalError,  # class 08, 53 (disk full), 55, 57, 58; lost sockets
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # the standby of a failover
    django.db.OperationalError,
    django.db.InterfaceError,
)


class Prepared:
    """A statement that is prepared once per connection and answers with one text.

    For what happens with every mail: it goes to libpq as it is, in one call, without
    the interpreter's lock. Values are text, bytes, numbers, times or None. Inside a
    transaction it is not prepared: to ask for what is not there would end it.
    """

    __slots__ = ("name", "query")

    def __init__(self, name: str, query: str) -> None:
        self.name = name.encode()
        self.query = query.encode()


def _encoded(value: object) -> Any:  # psycopg's stubs forget that NULL is None
    match value:
        case None | bytes():
            return value
        case str():
            return value.encode()
        case datetime():
            return value.isoformat().encode()
        case _:
            return str(value).encode()


class Connection:
    """A connection for plain SQL, inside ``database()`` only."""

    __slots__ = ("raw",)

    def __init__(self, raw: "psycopg.Connection[Row]") -> None:
        self.raw = raw

    def run(self, query: str, values: Sequence[object] = ()) -> "psycopg.Cursor[Row]":
        """Execute with values bound by the server; prepared when it repeats."""
        # The connection's own cursors would put the values into the text.
        return psycopg.Cursor(self.raw).execute(query.encode(), values)

    def one(self, query: str, values: Sequence[object] = ()) -> Row | None:
        """The first row, or None."""
        return self.run(query, values).fetchone()

    def all(self, query: str, values: Sequence[object] = ()) -> list[Row]:
        """Every row."""
        return self.run(query, values).fetchall()

    def ask(self, statement: Prepared, values: Sequence[object]) -> str:
        """Execute the statement; the text that it answers with."""
        connection = self.raw.pgconn
        encoded = [_encoded(value) for value in values]
        formats = [isinstance(value, bytes) for value in values]
        if connection.transaction_status != TransactionStatus.IDLE:
            query = statement.query
            result = connection.exec_params(query, encoded, param_formats=formats)
            return _text_of(result)
        result = connection.exec_prepared(statement.name, encoded, formats)
        if result.error_field(_SQLSTATE) == _NOT_PREPARED:
            prepared = connection.prepare(statement.name, statement.query)
            _check(prepared, ExecStatus.COMMAND_OK)
            result = connection.exec_prepared(statement.name, encoded, formats)
        return _text_of(result)


def _text_of(result: PGresult) -> str:
    _check(result, ExecStatus.TUPLES_OK)
    return (result.get_value(0, 0) or b"").decode()


def _check(result: PGresult, wanted: ExecStatus) -> None:
    if result.status == wanted:
        return
    if result.error_field(_SQLSTATE) is None:
        # It is no server that says so: the connection broke meanwhile.
        raise psycopg.OperationalError("The connection to the database is lost.")
    raise psycopg.errors.error_from_result(result)


@contextmanager
def database() -> Iterator[Connection]:
    """The thread's connection. Raises TransientError where the database is away.

    Each statement commits by itself, outside of ``transaction()``.
    """
    try:
        _stay_in_transaction()
        _drop_if_dead()
        django_connection.ensure_connection()
        raw = django_connection.connection
        _close_with_thread(raw)
        yield Connection(raw)
    except _AWAY as error:
        state = getattr(error, "sqlstate", None) or "no connection"
        _drop()
        # Not chained: what PostgreSQL says may quote what it was told.
        raise TransientError("The database is away.", state=state) from None


@contextmanager
def transaction() -> Iterator[Connection]:
    """One transaction: all of it is durable when the block ends, or nothing.

    Inside another one it is a savepoint.
    """
    with database() as connection:
        raw = connection.raw
        is_whole = raw.pgconn.transaction_status == TransactionStatus.IDLE
        with _whole(_close_with_thread(raw)) if is_whole else raw.transaction():
            yield connection


def once_connected(check: Callable[[], None]) -> None:
    """Call it once for each connection of this thread; again where it raised.

    Raises TransientError where the database is away.
    """
    with database() as connection:
        closer = _close_with_thread(connection.raw)
        if not closer.is_checked:
            check()
            closer.is_checked = True


@contextmanager
def _whole(closer: "_Closer") -> Iterator[None]:
    """Begin, and commit or roll back: each in one call, as ``Prepared`` statements."""
    connection = closer.raw.pgconn
    _check(connection.exec_(b"BEGIN"), ExecStatus.COMMAND_OK)
    closer.is_whole = True
    try:
        yield
    except BaseException:
        # A connection that is lost has rolled back, and says so at its next use.
        with suppress(psycopg.Error):
            connection.exec_(b"ROLLBACK")
        raise
    finally:
        closer.is_whole = False
    _commit(connection)


def _commit(connection: PGconn) -> None:
    result = connection.exec_(b"COMMIT")
    _check(result, ExecStatus.COMMAND_OK)
    if result.command_status != b"COMMIT":
        # Where a statement failed PostgreSQL rolls back, and calls that no error.
        raise psycopg.errors.InFailedSqlTransaction(
            "A statement of this transaction failed: nothing of it was kept."
        )


class _Closer:
    """Closes a connection when the thread that it belongs to ends.

    ``is_whole``: a transaction of ours is open on it. ``is_checked``: what is to be
    looked at once for each connection was.
    """

    __slots__ = ("is_checked", "is_whole", "raw")

    def __init__(self, raw: "psycopg.Connection[Row]") -> None:
        self.raw = raw
        self.is_whole = False
        self.is_checked = False

    def __del__(self) -> None:
        self.raw.close()


_of_thread = threading.local()


def _close_with_thread(raw: "psycopg.Connection[Row]") -> _Closer:
    closer: _Closer | None = getattr(_of_thread, "closer", None)
    if closer is None or closer.raw is not raw:
        closer = _of_thread.closer = _Closer(raw)
    return closer


def _is_in_whole() -> bool:
    closer: _Closer | None = getattr(_of_thread, "closer", None)
    return closer is not None and closer.is_whole


def _stay_in_transaction() -> None:
    """What is left of a transaction never goes on by itself in another connection."""
    if _is_in_whole() and (
        _of_thread.closer.raw.closed
        or _of_thread.closer.raw is not django_connection.connection
    ):
        raise psycopg.OperationalError("The transaction's connection is lost.")


def _drop_if_dead() -> None:
    """A server that went away has closed its end: then the idle socket is readable."""
    raw = django_connection.connection
    if raw is None or django_connection.in_atomic_block or _is_in_whole():
        return
    if raw.closed:
        _drop()
        return
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    if poll.poll(0):
        _drop()


def _drop() -> None:
    if not django_connection.in_atomic_block and not _is_in_whole():
        django_connection.close()
