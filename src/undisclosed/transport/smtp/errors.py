# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a peer or a next hop."""

from undisclosed.errors import TransientError, UndisclosedError


class HopAway(TransientError):
    """The next hop cannot be reached, or went away before it answered."""


class PeerError(UndisclosedError):
    """The server at the other end does not speak SMTP as RFC 5321 has it."""
