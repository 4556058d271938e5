# SPDX-License-Identifier: Apache-2.0
"""Joins the settings of the milter with the guard's parts that serve it."""

from datetime import timedelta
from pathlib import Path
from typing import Protocol

from undisclosed.cli.feeds import feed
from undisclosed.cli.ports import refuse_taken
from undisclosed.errors import UndisclosedError
from undisclosed.guard.checkpoint import Checkpoint
from undisclosed.guard.endpoints.milter import MilterEndpoint, MilterSettings
from undisclosed.guard.endpoints.milter_feed import MilterFeed
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.store.settings import HostPort, Settings
from undisclosed.transport.milter import socket_file
from undisclosed.transport.milter.settings import (
    Listening,
    MilterServerSettings,
    TcpSocket,
    UnixSocket,
)
from undisclosed.transport.smtp.limits import Budget, Limits

GRACE = timedelta(seconds=12)
"""For mail that waits for its answer when a guard ends: less than its parent waits."""


class Milter(Protocol):
    """What is served beside the SMTP endpoint."""

    settings: MilterSettings

    async def serve(self, *, reuse_port: bool = False) -> None:
        """Start listening, and return."""

    async def close(self) -> None:
        """Stop."""


def refuse_taken_sockets(settings: Settings) -> None:
    """Raise UndisclosedError where a milter cannot listen."""
    milter = settings.guard.milter
    for name, where in (
        ("guard.milter.listen", milter.listen),
        ("guard.milter.inbound_listen", milter.inbound_listen),
    ):
        if isinstance(where, Path):
            _refuse_unusable(name, settings, where)
        else:
            refuse_taken(name, where)


def _refuse_unusable(name: str, settings: Settings, path: Path) -> None:
    listening = _listening(settings, path)
    if isinstance(listening, UnixSocket):
        try:
            socket_file.refuse_unusable(listening)
        except UndisclosedError as error:
            raise UndisclosedError(f"{name}: {error}") from None


def milters(
    settings: Settings,
    checkpoint: Checkpoint,
    metrics: GuardMetrics,
    *,
    process: int = 0,
) -> list[Milter]:
    """The milters that this process of the guard serves, none of them serving yet.

    Several processes can share a port. A UNIX socket is served by the first alone:
    one process answers several times as fast as an MTA asks.
    """
    milter = settings.guard.milter
    found: list[Milter] = []
    if _is_served(milter.listen, process):
        chosen = _settings(settings, milter.listen)
        found.append(MilterEndpoint(checkpoint, chosen, metrics))
    if _is_served(milter.inbound_listen, process):
        chosen = _settings(settings, milter.inbound_listen)
        found.append(MilterFeed(feed(settings, metrics), chosen))
    return found


def _is_served(where: Path | HostPort | None, process: int) -> bool:
    return isinstance(where, HostPort) or (where is not None and process == 0)


def _settings(settings: Settings, where: Path | HostPort | None) -> MilterSettings:
    limits = settings.guard.limits
    return MilterSettings(
        _listening(settings, where),
        MilterServerSettings(
            clients=settings.guard.clients,
            limits=Limits(
                max_size=limits.max_size,
                max_recipients=limits.max_recipients,
                budget=Budget(limits.in_flight),
            ),
            max_connections=limits.max_connections,
        ),
        grace=GRACE,
    )


def _listening(settings: Settings, where: Path | HostPort | None) -> Listening:
    milter = settings.guard.milter
    if isinstance(where, HostPort):
        return TcpSocket(where.host, where.port)
    return UnixSocket(where or Path(), milter.mode, milter.owner, milter.group)
