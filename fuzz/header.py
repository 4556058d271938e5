# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.header``: hostile bytes into the reading of messages.

Nothing may raise or hang, and an address that any reader would find is not lost.
"""

import re

from fuzz.guiding import main, mutations
from undisclosed.core.header import split_content
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

POLICY = Policy()
SEEDS = (
    b"From: Ann <ann@a.example>\r\nTo: bob@b.example, \"C, D\" <c@d.example>\r\n"
    b"Subject: =?utf-8?q?Z=C3=B6?=\r\n\r\nHello eve@e.example\r\n",
    b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
    b"Content-Type: message/rfc822\n\nTo: c@d.example\n\nhi\n--x\n"
    b"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
    b"<p>From: f&#64;g.example<br>To: h=40i.example</p>\n--x--\n",
    b"To : Team: a@b.example; <@r:c@d.example>, =?utf-8?b?YUBiLmV4YW1wbGU=?=\r\n"
    b"Bcc: \"x@y.example\" <z@w.example>\r\n"
    b"Received: by x id 1@2 for <q@r.example>\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n\r\nYW5uQGEuZXhhbXBsZQ==\r\n",
)  # fmt: skip
PIECES = (
    b"@", b"<", b">", b'"', b"(", b")", b"\\", b",", b";", b":", b"\r", b"\n", b" ",
    b"\x00", b"\xff", b"\xef\xbc\xa0", b"=?", b"?=", b"=40", b"%40", b"&#64;", b"--x",
    b"\r\n\r\n", b"To:", b"Content-Type: text/html\r\n", b"charset=utf-16", b"[", b"]",
)  # fmt: skip
# A search that any reader would do; what it finds in a To field must be read.
PLAIN = re.compile(rb"(?<![^\s,;<])[a-z]+@[a-z]+\.example(?![^\s,;>])")


def check(data: bytes) -> None:
    """Raise where reading this breaks a promise."""
    content = read_content(data, POLICY)
    content.visible_text  # noqa: B018 (it is computed here)
    found = {address.person for address in (*content.shown, *content.in_removed)}
    found |= {each.person for each in (content.author, content.sender) if each}
    for field in split_content(data).fields:
        if field.name == "to" and b"=?" not in field.body:
            missed = {each.decode() for each in PLAIN.findall(field.body)} - found
            if missed:
                raise AssertionError("An address in To was not read.")


if __name__ == "__main__":
    main(check, mutations(SEEDS, PIECES))
