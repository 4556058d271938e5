# SPDX-License-Identifier: Apache-2.0
"""Ways to have a stamp speak for a mail that nobody decided about: none does."""

import pytest

from tests.guard.worlds import NOW, POLICY, mail, people
from undisclosed.core.disclosure import read
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.mail import Mail
from undisclosed.core.patch import Patch
from undisclosed.guard.origin import UNKNOWN
from undisclosed.guard.stamp import StampPass, StampWriter
from undisclosed.guard.testing import ForgetfulOnce

KEY = b"stamp key" * 4
EVERYBODY = people(range(9))
RELEASED = mail(EVERYBODY)

PIECE = "Content-Type: message/partial; id=x; number=1\r\nMIME-Version: 1.0\r\n"
ENCRYPTED = "Content-Type: application/pkcs7-mime\r\nMIME-Version: 1.0\r\n"


def stamp_of(released: Mail) -> bytes:
    """The stamp of a release, as each of its recipients gets it."""
    kind = OutgoingKind.RELEASE
    copy = Outgoing("copy1", "hold1", kind, released.envelope, Patch())
    finished = StampWriter(KEY, POLICY).finished(
        copy, released.content, released.content, NOW
    )
    return finished.removesuffix(released.content)


@pytest.mark.parametrize("more", [PIECE, ENCRYPTED], ids=["a piece", "S/MIME"])
def test_a_releases_stamp_says_nothing_of_what_cannot_be_read(more: str) -> None:
    other = mail(EVERYBODY, more=more, text="To: x\r\n\r\nAnother text.\r\n")
    came = Mail(other.envelope, stamp_of(RELEASED) + other.content)
    reading = read(came, POLICY)
    assert reading.content.uncertain

    passed = StampPass(KEY, ForgetfulOnce()).of(came, reading, UNKNOWN, NOW)

    assert passed is None
