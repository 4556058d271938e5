# SPDX-License-Identifier: Apache-2.0
"""What an MTA did, as values. Whatever is an event waits for its answer."""

from dataclasses import dataclass, field

from undisclosed.core.mail import Mail
from undisclosed.transport.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Client:
    """Who handed the mail to the MTA, as the MTA tells it.

    ``address`` is an IP address, empty where there is none; ``login`` the name that
    authenticated (the macro ``{auth_authen}``); ``queue_id`` the MTA's own name for
    the mail (the macro ``i``).
    """

    address: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    queue_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """The end of the body came: a whole mail object.

    ``fields`` are the header fields as they stand in the content, each with its line
    ends, in their order; together they are the beginning of the content.
    """

    mail: Mail
    client: Client
    fields: tuple[bytes, ...] = field(repr=False)
    may_change_header: bool = True


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message ended that cannot be judged; ``why`` is what a client would hear."""

    why: Reply
    client: Client


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The mail that waits for its answer is gone at the MTA; nothing is answered."""


Event = Message | MessageRefused | GivenUp
