# SPDX-License-Identifier: Apache-2.0
"""Feed hostile bytes to the reading of messages.

``python fuzz/header.py 1000000 7`` runs a million inputs, made by mutating mail with
seed 7, and says how many a second; with ``--atheris``, coverage guides the inputs. An
input that raises, loses an address or takes long is printed as bytes.
"""

import importlib
import random
import re
import sys
import time

from undisclosed.core.header import split_content
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

POLICY = Policy()
LONGEST_SECONDS = 2.0
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
    started = time.process_time()
    content = read_content(data, POLICY)
    content.visible_text  # noqa: B018 (it is computed here)
    if time.process_time() - started > LONGEST_SECONDS:
        raise AssertionError("It takes too long.")
    found = {address.person for address in (*content.shown, *content.in_removed)}
    found |= {each.person for each in (content.author, content.sender) if each}
    for field in split_content(data).fields:
        if field.name == "to" and b"=?" not in field.body:
            missed = {each.decode() for each in PLAIN.findall(field.body)} - found
            if missed:
                raise AssertionError("An address in To was not read.")


def mutated(chance: random.Random) -> bytes:
    """A seed with some of its bytes cut, doubled, or replaced."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                del data[at : at + chance.randint(1, 20)]
            case 1:
                data[at:at] = chance.choice(PIECES) * chance.choice((1, 1, 2, 50))
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 60)]
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def run(count: int, seed: int) -> None:
    """Check so many mutated inputs; the first one that fails is printed."""
    chance = random.Random(seed)
    started = time.monotonic()
    for number in range(count):
        data = mutated(chance)
        try:
            check(data)
        except Exception:
            print(f"input {number} of seed {seed}: {data!r}")
            raise
    seconds = time.monotonic() - started
    print(f"{count:,} inputs, {count / seconds:,.0f} a second, nothing found")


def main() -> None:
    """Run under atheris, or by counting."""
    if "--atheris" in sys.argv:
        # Whoever fuzzes installs it.
        atheris = importlib.import_module("atheris")

        sys.argv.remove("--atheris")
        atheris.instrument_all()
        atheris.Setup(sys.argv, check)
        atheris.Fuzz()
    else:
        given = [int(each) for each in sys.argv[1:3]]
        count, seed = given + [20_000, 1][len(given) :]
        run(count, seed)


if __name__ == "__main__":
    main()
