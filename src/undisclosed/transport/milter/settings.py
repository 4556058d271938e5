# SPDX-License-Identifier: Apache-2.0
"""Where a milter listens, and how it behaves towards its MTAs."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.settings import LOOPBACK, Network


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A socket in the file system. Who may connect is who may write to it.

    ``mode`` are its permissions; ``owner`` and ``group`` are names, empty where the
    process's own stay.
    """

    path: Path
    mode: int = 0o660
    owner: str = ""
    group: str = ""

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class TcpSocket:
    """A port. Port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"inet:{host}:{self.port}"


Listening = UnixSocket | TcpSocket


@dataclass(frozen=True, slots=True)
class MilterServerSettings:
    """How a milter behaves towards the MTAs that connect.

    ``clients`` are the networks that may connect over TCP; a UNIX socket has its
    permissions. ``wait`` is how long a connection may say nothing: an MTA keeps it
    open through a whole SMTP session, and libmilter waits for 7,210 seconds, too.
    """

    clients: tuple[Network, ...] = LOOPBACK
    limits: Limits = field(default_factory=Limits)
    max_connections: int = 1000
    wait: timedelta = timedelta(seconds=7210)
