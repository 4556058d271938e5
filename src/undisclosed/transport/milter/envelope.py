# SPDX-License-Identifier: Apache-2.0
"""The envelope as an MTA tells it to a milter: the arguments of MAIL and RCPT.

The first argument is the path, the others are ESMTP parameters. The MTA has taken
them already, so a parameter that we do not know is left out and never a reason to
refuse; a path that cannot be read is one, since mail must not be kept for nobody.
"""

from collections.abc import Sequence

from undisclosed.core.address import Address
from undisclosed.core.mail import Recipient
from undisclosed.transport.smtp.commands import Refused, read_mail, read_rcpt
from undisclosed.transport.smtp.extensions import Extensions

_EVERYTHING = Extensions(size=0, eight_bit=True, utf8=True, dsn=True, requiretls=True)
_UTF8 = b"SMTPUTF8"


def sender_of(arguments: Sequence[bytes]) -> tuple[Address | None, tuple[str, ...]]:
    """Sender (None for ``<>``) and parameters of MAIL. Raises Refused."""
    path, *parameters = arguments
    if not path.isascii() and _UTF8 not in (one.upper() for one in parameters):
        # sendmail(1) has no way to say it.
        parameters.append(_UTF8)
    try:
        return _mail(path, parameters)
    except Refused:
        return _mail(path, [one for one in parameters if _is_known_to_mail(one)])


def recipient_of(arguments: Sequence[bytes]) -> Recipient:
    """The recipient of RCPT. Raises Refused."""
    path, *parameters = arguments
    try:
        return _rcpt(path, parameters)
    except Refused:
        return _rcpt(path, [one for one in parameters if _is_known_to_rcpt(one)])


def _mail(
    path: bytes, parameters: Sequence[bytes]
) -> tuple[Address | None, tuple[str, ...]]:
    return read_mail(b"FROM:" + b" ".join([path, *parameters]), _EVERYTHING)


def _rcpt(path: bytes, parameters: Sequence[bytes]) -> Recipient:
    return read_rcpt(b"TO:" + b" ".join([path, *parameters]), _EVERYTHING, utf8=True)


def _is_known_to_mail(parameter: bytes) -> bool:
    try:
        _mail(b"<>", [parameter])
    except Refused:
        return False
    return True


def _is_known_to_rcpt(parameter: bytes) -> bool:
    try:
        _rcpt(b"<a>", [parameter])
    except Refused:
        return False
    return True
