# SPDX-License-Identifier: Apache-2.0
"""What stands behind a milter: it is told of a mail, and answers once.

``on_given_up`` says that the MTA waits no more: an answer given after that is
dropped, and the MTA keeps the mail or refuses it.
"""

from collections.abc import Callable
from typing import Protocol

from undisclosed.transport.milter.events import Message, MessageRefused
from undisclosed.transport.milter.responses import Response

Answer = Callable[[Response], None]


class Handler(Protocol):
    """One connection of an MTA: mail after mail."""

    def on_message(self, message: Message, answer: Answer) -> None:
        """A whole mail. The answer may come later."""

    def on_refused(self, refused: MessageRefused, answer: Answer) -> None:
        """A mail that cannot be judged: too large, or its envelope is unreadable."""

    def on_given_up(self) -> None:
        """The mail that waits for its answer is gone, or the connection is."""
