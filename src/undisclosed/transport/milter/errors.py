# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a milter's socket or with the MTA at its other end."""

from undisclosed.errors import UndisclosedError


class MtaError(UndisclosedError):
    """The peer does not speak the milter protocol."""


class SocketRefused(UndisclosedError):
    """This path cannot be listened on."""


class SocketInUse(UndisclosedError):
    """Another program already listens on this path."""
