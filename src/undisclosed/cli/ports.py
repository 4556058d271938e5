# SPDX-License-Identifier: Apache-2.0
"""Is a port ours to listen on? Asked before anything is started."""

import socket

from undisclosed.errors import UndisclosedError
from undisclosed.store.settings import HostPort


class PortTaken(UndisclosedError):
    """A port that we need cannot be listened on."""


def refuse_taken(setting: str, where: HostPort | None, processes: int = 1) -> None:
    """Raise PortTaken, which names the setting, where nobody can listen there.

    Several processes listen on as many ports, upwards. None: there is none to ask.
    """
    if where is None:
        return
    for port in range(where.port, where.port + processes):
        try:
            _try(where.host, port)
        except OSError as error:
            raise PortTaken(
                f"The {setting.partition('.')[0]} cannot listen on "
                f"{HostPort(where.host, port)}: {error.strerror}. Is Undisclosed "
                f"running already? Otherwise set {setting} in undisclosed.toml."
            ) from None


def _try(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: what is left of a connection that ended keeps nobody out.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
