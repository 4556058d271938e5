# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.mime``: hostile parts, boundaries, encodings and charsets.

Nothing may raise or hang, no address may print itself, and whoever is shown to nobody
in particular is shown to every viewer, too.
"""

from fuzz.guiding import main, mutations
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

POLICY = Policy(own_domains=frozenset({"council.example"}))
VIEWERS = tuple(Recipient(Address(f"v{n}", f"home{n}.example")) for n in range(3))
SEEDS = (
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nann@a.example\r\n"
    b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>bob@b.example\r\n"
    b"--x--\r\n",
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/"
    b'alternative; boundary="b"\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n--a--\r\nepilogue\r\n',
    b"Content-Type: message/rfc822\r\n\r\nTo: ann@a.example\r\nContent-Type: text/"
    b"plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBAAGIA\r\n",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n"
    b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.test"
    b"\r\n\r\nFinal-Recipient: rfc822; ann@a.example\r\nAction: failed\r\n--r--\r\n",
    b"Content-Type: message/partial; id=1; number=1; total=2\r\n\r\nTo: a@b.test\r\n",
    b"begin 644 list.txt\r\n#86)C\r\n`\r\nend\r\n",
    b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nMIIBIwYJKoZIhvcNAQcCoIIBFDCCARAC\r\n",
    b"-----BEGIN PGP MESSAGE-----\r\n\r\nhF4DAAAAAAAAAAASAQdA\r\n"
    b"-----END PGP MESSAGE-----\r\n",
    b"BEGIN:VCARD\r\nEMAIL:ann@a.example\r\nEND:VCARD\r\n",
)  # fmt: skip
PIECES = (
    *(b"--x", b"--x--", b"--a\r\n", b"\r\n\r\n", b"\r\n", b"\n", b"\r", b" ", b"\t"),
    *(b"@", b"=40", b"&#64;", b"+AEA-", b"\x1b$B", b"\xff\xfe", b"\x00", b"=\r\n"),
    *(b"Content-Type: text/plain; charset=", b"utf-7", b"utf-16", b"iso-2022-jp"),
    *(b"Content-Transfer-Encoding: ", b"base64", b"quoted-printable", b"x-uuencode"),
    *(b"boundary=", b'"', b";", b"*0*=utf-8''", b"multipart/mixed"),
    b"message/rfc822",
    *(b"ann@a.example", b"<!--", b"-->", b"<style>", b"text/calendar\r\n"),
)  # fmt: skip


def check(data: bytes) -> None:
    """Raise where reading this breaks a promise."""
    content = read_content(data, POLICY)
    _ = content.visible_text
    for one in content.shown:
        assert one.spelled_out() and "@" not in str(one).replace("…@", "")
    mail = Mail(Envelope(Address("sam", "council.example"), VIEWERS), data)
    reading = read(mail, POLICY)
    assert reading.content.shown.keys() == content.shown.keys()


if __name__ == "__main__":
    main(check, mutations(SEEDS, PIECES))
