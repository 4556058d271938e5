# SPDX-License-Identifier: Apache-2.0
"""Journal reports as Exchange writes them, around the mail of other tests."""

import binascii

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient

RULE = Address("journal-7f3kq9w2m5x8c1vb", "feed.council.example")
"""The address that a journal rule sends to."""


def report(of: Mail, *, to: Address = RULE, encoding: str = "7bit") -> Mail:
    """The report about a mail, on its way to the feed."""
    sender = of.envelope.mail_from
    recipients = "".join(
        f"Recipient: {one.address.spelled_out()}\r\n" for one in of.envelope.recipients
    )
    content = (
        "From: <exchange@council.example>\r\n"
        f"To: <{to.spelled_out()}>\r\n"
        "Date: Mon, 2 Mar 2026 09:00:05 +0000\r\n"
        "Message-ID: <report@council.example>\r\n"
        "X-MS-Journal-Report:\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="report"\r\n\r\n'
        "--report\r\n"
        'Content-Type: text/plain; charset="us-ascii"\r\n'
        "Content-Transfer-Encoding: 7bit\r\n\r\n"
        f"Sender: {sender.spelled_out() if sender else '<>'}\r\n"
        "Subject: Newsletter\r\n"
        "Message-Id: <1@council.example>\r\n"
        f"{recipients}\r\n"
        "--report\r\n"
        "Content-Type: message/rfc822\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode()
    inside = of.content
    if encoding == "base64":
        inside = _base64(inside)
    content += inside + b"\r\n--report--\r\n"
    return Mail(Envelope(None, (Recipient(to),)), content)


def _base64(content: bytes) -> bytes:
    return binascii.b2a_base64(content, newline=False)
