# SPDX-License-Identifier: Apache-2.0
"""Both ends of an SMTP session (RFC 5321) as state machines without I/O.

No socket, no clock, no thread: bytes go in, events come out, replies go in,
bytes come out. ``server.py`` and ``client.py`` put sockets around them; tests and
fuzzers need none.

The server's end::

    machine = ServerProtocol("mx.a.example", Limits())
    machine.greet(reply)
    machine.receive(data)                      # any piece of the stream
    while (event := machine.next_event()) is not None:
        machine.answer(event.number, reply)    # now, or later, in any order
    machine.data_to_send()                     # replies, in the order of commands

Only RCPT is read while replies are outstanding, so that MAIL and all RCPT of a
pipelining client (RFC 2920) can be passed on together. Every other command
waits until all before it are answered. The same bytes in one piece or in a
thousand lead to the same events and the same replies. (But for STARTTLS: what
has come behind it when it is read was injected, and ends the session.)

The client's end::

    machine = ClientProtocol()
    machine.command(b"EHLO a.example\\r\\n", token)
    machine.data_to_send()
    machine.receive(data)
    while (answered := machine.next_reply()) is not None:
        token, reply = answered

It sends ahead where the server offered PIPELINING, and one command at a time
where it did not.
"""

from undisclosed.transport.smtp.client_protocol import ClientProtocol
from undisclosed.transport.smtp.events import (
    Event,
    Hello,
    Login,
    MailFrom,
    Message,
    MessageRefused,
    RcptTo,
    Reset,
    StartTls,
)
from undisclosed.transport.smtp.server_protocol import ServerProtocol, ServerState

__all__ = [
    "ClientProtocol",
    "Event",
    "Hello",
    "Login",
    "MailFrom",
    "Message",
    "MessageRefused",
    "RcptTo",
    "Reset",
    "ServerProtocol",
    "ServerState",
    "StartTls",
]
