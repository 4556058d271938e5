# SPDX-License-Identifier: Apache-2.0
"""A tap between PostgreSQL and the parts: it can stop the world at the n-th answer.

Whatever the parts have done in the database, they have heard an answer to; so a kill
at every answer is a kill at every state that the journal of a mail can be in: the
transaction is committed, and whoever asked for it never learns so.
"""

import contextlib
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

NAME = ".s.PGSQL.5432"
Deed = Callable[[int], None]
"""What is done instead of passing an answer on; told the process that waits for it."""


def kill(pid: int) -> None:
    """kill -9."""
    os.kill(pid, signal.SIGKILL)


def cut(pid: int) -> None:
    """Nothing: the connection is closed, and the process is told so by its socket."""


class Tap:
    """Listens where a part looks for its database; ``url`` is what the part is told."""

    def __init__(self, database_url: str, folder: Path) -> None:
        found = conninfo_to_dict(database_url)
        self._there = str(Path(str(found["host"])) / NAME)
        self.url = make_conninfo(database_url, host=str(folder))
        self._lock = threading.Lock()
        self._left = 0
        self.deed: Deed = cut
        self._target = 0
        self.victims: list[int] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(folder / NAME))
        self._server.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def arm(self, number: int, deed: Deed, target: int) -> None:
        """Do the deed at the n-th answer to a process, and keep that answer back."""
        with self._lock:
            self._left, self.deed, self._target = number, deed, target

    def disarm(self) -> None:
        """Pass everything on from now."""
        with self._lock:
            self._left = 0

    def close(self) -> None:
        """Listen no more; what is connected goes on until one side ends."""
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(
                    target=self._serve, args=(client,), daemon=True
                ).start()

    def _serve(self, client: socket.socket) -> None:
        size = struct.calcsize("3i")
        found = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid = struct.unpack("3i", found)[0]
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as server:
            server.connect(self._there)
            asking = threading.Thread(target=_pass_on, args=(client, server))
            asking.daemon = True
            asking.start()
            while answer := server.recv(1 << 20):
                if self._is_the_one(pid):
                    break
                client.sendall(answer)
            _end(server)
        _end(client)
        client.close()

    def _is_the_one(self, pid: int) -> bool:
        with self._lock:
            if self._left == 0 or pid != self._target:
                return False
            self._left -= 1
            if self._left:
                return False
            self.victims.append(pid)
            self.deed(pid)
            return True


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while asked := source.recv(1 << 20):
            target.sendall(asked)
    _end(target)


def _end(connection: socket.socket) -> None:
    """Both sides learn that it is over, whoever of them is reading."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
