# SPDX-License-Identifier: Apache-2.0
"""Replies (RFC 5321 §4.2) with enhanced status codes (RFC 3463), as one table."""

import re
from dataclasses import dataclass, field

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?: |$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply: its code, and its lines with the enhanced status code in front.

    The lines do not stand in the repr: a server may put an address in its reply.
    """

    code: int
    lines: tuple[str, ...] = field(repr=False, default=("",))

    @property
    def is_positive(self) -> bool:
        """Whether the command was done (2yz, RFC 5321 §4.2.1)."""
        return 200 <= self.code < 300

    @property
    def is_transient(self) -> bool:
        """Whether trying again later may succeed (4yz, RFC 5321 §4.2.1)."""
        return 400 <= self.code < 500

    @property
    def text(self) -> str:
        """All lines as one, without the code. It may hold an address."""
        return " ".join(self.lines)

    @property
    def wire(self) -> bytes:
        """The reply as it is sent, multi-line where it has several lines."""
        code, lines = self.code, self.lines
        if len(lines) == 1:
            return f"{code} {lines[0]}\r\n".encode()
        text = [f"{code}-{line}\r\n" for line in lines[:-1]]
        return "".join([*text, f"{code} {lines[-1]}\r\n"]).encode()

    def with_status(self) -> "Reply":
        """The same with an enhanced status code, where a peer left it out.

        We offer ENHANCEDSTATUSCODES, so every 2yz, 4yz and 5yz reply has one
        (RFC 2034 §4), the next hop's own words included.
        """
        if _STATUS.match(self.lines[0]):
            return self
        status = f"{self.code // 100}.0.0"
        return Reply(self.code, tuple(f"{status} {line}" for line in self.lines))


def reply(code: int, text: str) -> Reply:
    """A reply of one line."""
    return Reply(code, (text,))


# The server's own words. Codes: RFC 5321 §4.2.3; status: RFC 3463 §3.
OK = reply(250, "2.0.0 OK")
SENDER_OK = reply(250, "2.1.0 OK")
RECIPIENT_OK = reply(250, "2.1.5 OK")
START_CONTENT = reply(354, "End data with <CR><LF>.<CR><LF>")
START_TLS = reply(220, "2.0.0 Ready to start TLS")
BYE = reply(221, "2.0.0 Bye")
LOGIN_OK = reply(235, "2.7.0 Logged in")
GO_ON = reply(334, "")  # RFC 4954 §4: what follows is base64
WHICH_LOGIN = reply(334, "VXNlcm5hbWU6")
WHICH_PASSWORD = reply(334, "UGFzc3dvcmQ6")
HELP = reply(214, "2.0.0 See RFC 5321")
CANNOT_VERIFY = reply(252, "2.5.0 Cannot VRFY, but send mail and see")

SHUTTING_DOWN = reply(421, "4.3.2 Shutting down, try again later")
TOO_SLOW = reply(421, "4.4.2 Waited too long, closing")
TOO_MANY_CONNECTIONS = reply(421, "4.7.0 Too many connections, try again later")
TOO_MANY_ERRORS = reply(421, "4.7.0 Too many errors, closing")

OUR_FAULT = reply(451, "4.3.0 Something is wrong here, try again later")
HOP_AWAY = reply(451, "4.4.1 The next hop cannot be reached, try again later")
HOP_LOST = reply(451, "4.4.2 The next hop went away, try again later")
HOP_CONFUSED = reply(451, "4.5.0 The next hop answered out of turn, try again later")
NO_ROOM = reply(452, "4.3.1 Too much mail in flight, try again later")
TOO_MANY_RECIPIENTS = reply(452, "4.5.3 Too many recipients, send the rest later")
TLS_AWAY = reply(454, "4.7.0 TLS is not to be had here")
LOGIN_AWAY = reply(454, "4.7.0 Logins cannot be checked now, try again later")

LINE_TOO_LONG = reply(500, "5.5.2 Line too long")
BAD_LINE = reply(500, "5.5.2 A command ends in CR LF and holds no other CR, LF or NUL")
UNKNOWN_COMMAND = reply(500, "5.5.1 No such command")
BAD_ARGUMENTS = reply(501, "5.5.4 These arguments cannot be read")
BAD_SENDER = reply(501, "5.1.7 This sender's address cannot be read")
BAD_RECIPIENT = reply(501, "5.1.3 This recipient's address cannot be read")
LOGIN_CANCELLED = reply(501, "5.7.0 The login was cancelled")
NOT_BASE64 = reply(501, "5.5.2 This is no login as the mechanism has it")
NOT_OFFERED = reply(502, "5.5.1 Not offered here")
HELLO_FIRST = reply(503, "5.5.1 Say EHLO first")
NESTED_MAIL = reply(503, "5.5.1 MAIL was already given")
MAIL_FIRST = reply(503, "5.5.1 Say MAIL first")
RCPT_FIRST = reply(503, "5.5.1 Say RCPT first")
ALREADY_TLS = reply(503, "5.5.1 TLS is already on")
NO_LOGIN_NOW = reply(503, "5.5.1 AUTH comes once, and before MAIL")
NO_SUCH_MECHANISM = reply(504, "5.5.4 This mechanism is not offered here")
LOGIN_FIRST = reply(530, "5.7.0 Log in first")
STARTTLS_FIRST = reply(530, "5.7.0 Say STARTTLS first")
LOGIN_REFUSED = reply(535, "5.7.8 This login and password are not known")
TLS_FIRST = reply(538, "5.7.11 Say STARTTLS before AUTH")
NO_REQUIRETLS = reply(550, "5.7.30 The next hop does not carry REQUIRETLS")
NOT_YOUR_TENANT = reply(550, "5.7.1 This mail does not come from our tenant")
TOO_BIG = reply(552, "5.3.4 The message is too big")
NEEDS_UTF8 = reply(553, "5.6.7 This address needs SMTPUTF8")
NO_UTF8 = reply(553, "5.6.7 The next hop does not carry SMTPUTF8")
NO_RECIPIENTS = reply(554, "5.5.1 No valid recipients")
AFTER_STARTTLS = reply(554, "5.5.1 Nothing may follow STARTTLS before its reply")
NOT_YOURS = reply(554, "5.7.1 This client is not listed here")
LOOP = reply(554, "5.4.6 Too many hops: this mail goes round in circles")
BARE_LINE_END = reply(554, "5.6.0 Bare CR or LF in the message, lines end in CR LF")
HAS_NUL = reply(554, "5.6.0 NUL in the message")
TEXT_LINE_TOO_LONG = reply(554, "5.6.0 A line of the message is too long")
NO_8BIT = reply(554, "5.6.3 The next hop does not carry 8-bit content")
UNKNOWN_PARAMETER = reply(555, "5.5.4 A parameter is not offered here")
