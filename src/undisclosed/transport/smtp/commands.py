# SPDX-License-Identifier: Apache-2.0
"""The arguments of MAIL and RCPT, read and written (RFC 5321 §4.1.1, §4.1.2).

Reading is strict where a mistake could be smuggled on (control characters,
unbalanced brackets) and liberal where old clients are (space after the colon,
source routes, missing brackets).
"""

import re
from collections.abc import Callable

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.replies import Reply

MAX_PATH = 512
"""Longest path taken: twice the 256 octets of RFC 5321 §4.5.3.1.3."""

_SPOILT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\Z")
_VALUE = re.compile(r"[^\x00-\x20=\x7f]+\Z")
_NOT_IN_DOMAIN = re.compile(r'[ <>"\\()]')
_NOT_IN_LOCAL_PART = re.compile(r'[ <>"]')
_ROUTE = re.compile(r"@[^:@<>]+(?:,@[^:@<>]+)*:")


class Refused(Exception):
    """A command that is answered at once with this reply."""

    def __init__(self, answer: Reply) -> None:
        self.answer = answer
        super().__init__(f"refused with {answer.code}")


def read_mail(
    argument: bytes, offered: Extensions
) -> tuple[Address | None, tuple[str, ...]]:
    """Sender (None for ``<>``) and parameters of MAIL. Raises Refused."""
    path, parameters = _path_and_parameters(argument, b"FROM:", replies.BAD_SENDER)
    read = _read_parameters(parameters, offered, _MAIL_PARAMETERS)
    # Whose mail it was for an earlier server (RFC 4954 §5) goes no further.
    read = tuple(one for one in read if not one.startswith("AUTH="))
    if path == "":
        return None, read
    if not path.isascii() and "SMTPUTF8" not in read:
        raise Refused(replies.NEEDS_UTF8)
    return _address(path, replies.BAD_SENDER), read


def read_rcpt(argument: bytes, offered: Extensions, *, utf8: bool) -> Recipient:
    """The recipient that RCPT names. ``utf8``: MAIL said SMTPUTF8. Raises Refused."""
    path, parameters = _path_and_parameters(argument, b"TO:", replies.BAD_RECIPIENT)
    read = _read_parameters(parameters, offered, _RCPT_PARAMETERS)
    if not path.isascii() and not utf8:
        raise Refused(replies.NEEDS_UTF8)
    return Recipient(_address(path, replies.BAD_RECIPIENT), read)


def size_of(parameters: tuple[str, ...]) -> int:
    """The size that MAIL announced; 0 where it did not (RFC 1870 §4)."""
    for parameter in parameters:
        if parameter.startswith("SIZE="):
            return int(parameter[5:])
    return 0


def _path_and_parameters(
    argument: bytes, keyword: bytes, refusal: Reply
) -> tuple[str, str]:
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(replies.BAD_ARGUMENTS)
    try:
        text = argument[len(keyword) :].decode().strip(" \t")
    except UnicodeDecodeError:
        raise Refused(refusal) from None
    if _SPOILT.search(text):
        raise Refused(refusal)
    end = _end_of_path(text)
    if end < 0 or end > MAX_PATH:
        raise Refused(refusal)
    path, rest = text[:end], text[end:]
    if rest and rest[0] != " ":
        raise Refused(refusal)
    return (path[1:-1] if path[:1] == "<" else path), rest.strip(" ")


def _end_of_path(text: str) -> int:
    """Where the path ends; -1 where it does not."""
    if not text.startswith("<"):
        end = text.find(" ")
        bare = text if end < 0 else text[:end]
        return -1 if not bare or set(bare) & set('<>"') else len(bare)
    if '"' not in text:
        return text.find(">") + 1 or -1
    return _end_of_quoted_path(text)


def _end_of_quoted_path(text: str) -> int:
    is_quoted = is_escaped = False
    for position, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif character == "\\" and is_quoted:
            is_escaped = True
        elif character == '"':
            is_quoted = not is_quoted
        elif character == ">" and not is_quoted:
            return position + 1
    return -1


def _address(path: str, refusal: Reply) -> Address:
    if path.startswith("@"):
        # A source route is taken off and not followed (RFC 5321 §4.1.1.3).
        path = _ROUTE.sub("", path, count=1)
    local_part, at, domain = path.rpartition("@")
    if not at:
        local_part, domain = path, ""  # <postmaster>, RFC 5321 §4.1.1.3
    if not local_part or (at and not domain) or not _is_clean(local_part, domain):
        raise Refused(refusal)
    return Address(local_part, domain)


def _is_clean(local_part: str, domain: str) -> bool:
    if _NOT_IN_DOMAIN.search(domain):
        return False
    if local_part.startswith('"'):
        return len(local_part) > 1 and local_part.endswith('"')
    return not _NOT_IN_LOCAL_PART.search(local_part)


def _is_size(value: str, offered: Extensions) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 20


def _is_body(value: str, offered: Extensions) -> bool:
    return value.upper() in ("7BIT", "8BITMIME")


def _is_nothing(value: str, offered: Extensions) -> bool:
    return value == ""


def _is_ret(value: str, offered: Extensions) -> bool:
    return value.upper() in ("FULL", "HDRS")


def _is_notify(value: str, offered: Extensions) -> bool:
    words = value.upper().split(",")
    return words == ["NEVER"] or set(words) <= {"SUCCESS", "FAILURE", "DELAY"}


def _is_text(value: str, offered: Extensions) -> bool:
    return 0 < len(value) <= 500


Check = Callable[[str, Extensions], bool]
Offered = Callable[[Extensions], bool]


def _offers_size(offered: Extensions) -> bool:
    return offered.size is not None


def _offers_eight_bit(offered: Extensions) -> bool:
    return offered.eight_bit


def _offers_utf8(offered: Extensions) -> bool:
    return offered.utf8


def _offers_dsn(offered: Extensions) -> bool:
    return offered.dsn


def _offers_auth(offered: Extensions) -> bool:
    return offered.auth


def _offers_requiretls(offered: Extensions) -> bool:
    return offered.requiretls


_MAIL_PARAMETERS: dict[str, tuple[Offered, Check, Reply]] = {
    "SIZE": (_offers_size, _is_size, replies.UNKNOWN_PARAMETER),
    "BODY": (_offers_eight_bit, _is_body, replies.NO_8BIT),
    "SMTPUTF8": (_offers_utf8, _is_nothing, replies.NO_UTF8),
    "RET": (_offers_dsn, _is_ret, replies.UNKNOWN_PARAMETER),
    "ENVID": (_offers_dsn, _is_text, replies.UNKNOWN_PARAMETER),
    "AUTH": (_offers_auth, _is_text, replies.UNKNOWN_PARAMETER),
    "REQUIRETLS": (_offers_requiretls, _is_nothing, replies.UNKNOWN_PARAMETER),
}
_RCPT_PARAMETERS: dict[str, tuple[Offered, Check, Reply]] = {
    "NOTIFY": (_offers_dsn, _is_notify, replies.UNKNOWN_PARAMETER),
    "ORCPT": (_offers_dsn, _is_text, replies.UNKNOWN_PARAMETER),
}


def _read_parameters(
    text: str, offered: Extensions, table: dict[str, tuple[Offered, Check, Reply]]
) -> tuple[str, ...]:
    if not text:
        return ()
    read: dict[str, str] = {}
    for word in text.split(" "):
        if not word:
            continue
        keyword, equals, value = word.partition("=")
        keyword = keyword.upper()
        _check_parameter(keyword, equals, value, offered, table)
        if keyword in read:
            raise Refused(replies.BAD_ARGUMENTS)
        read[keyword] = f"{keyword}={value}" if equals else keyword
    return tuple(read.values())


def _check_parameter(
    keyword: str,
    equals: str,
    value: str,
    offered: Extensions,
    table: dict[str, tuple[Offered, Check, Reply]],
) -> None:
    row = table.get(keyword)
    if row is None:
        is_syntax = _KEYWORD.match(keyword) is not None
        raise Refused(replies.UNKNOWN_PARAMETER if is_syntax else replies.BAD_ARGUMENTS)
    is_offered, check, refusal = row
    if not is_offered(offered):
        is_seven_bit = keyword == "BODY" and value.upper() == "7BIT"
        if not is_seven_bit:
            raise Refused(refusal)
    if (equals and not _VALUE.match(value)) or not check(value, offered):
        raise Refused(replies.BAD_ARGUMENTS)


def why_not_carried(
    envelope_parameters: tuple[str, ...], hop: Extensions
) -> Reply | None:
    """Why a hop with these extensions cannot carry this MAIL; None where it can."""
    for parameter in envelope_parameters:
        keyword, _, value = parameter.partition("=")
        is_offered, _check, refusal = _MAIL_PARAMETERS[keyword]
        if keyword == "SIZE" or value.upper() == "7BIT" or is_offered(hop):
            continue
        return replies.NO_REQUIRETLS if keyword == "REQUIRETLS" else refusal
    return None


def mail_line(
    mail_from: Address | None,
    parameters: tuple[str, ...],
    hop: Extensions,
    size: int = 0,
) -> bytes:
    """MAIL as this hop can take it: parameters that it does not offer are left out.

    ``size`` replaces the SIZE that was given (RFC 1870 §6.1 wants an estimate).
    """
    words = [f"MAIL FROM:<{mail_from.spelled_out() if mail_from else ''}>"]
    if size and hop.size is not None:
        words.append(f"SIZE={size}")
    words += _carried(
        parameters, hop, _MAIL_PARAMETERS, leave_out="SIZE" if size else ""
    )
    return f"{' '.join(words)}\r\n".encode()


def rcpt_line(recipient: Recipient, hop: Extensions) -> bytes:
    """RCPT as this hop can take it."""
    words = [f"RCPT TO:<{recipient.address.spelled_out()}>"]
    words += _carried(recipient.parameters, hop, _RCPT_PARAMETERS)
    return f"{' '.join(words)}\r\n".encode()


def _carried(
    parameters: tuple[str, ...],
    hop: Extensions,
    table: dict[str, tuple[Offered, Check, Reply]],
    leave_out: str = "",
) -> list[str]:
    carried = []
    for parameter in parameters:
        keyword = parameter.partition("=")[0]
        row = table.get(keyword)
        if keyword != leave_out and row is not None and row[0](hop):
            carried.append(parameter)
    return carried


def needs_utf8(envelope: Envelope) -> bool:
    """Whether an address of this envelope can only travel with SMTPUTF8."""
    addresses = [envelope.mail_from, *envelope.rcpt_tos]
    return not all(a.spelled_out().isascii() for a in addresses if a is not None)
