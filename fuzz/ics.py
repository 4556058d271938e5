# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.ics``: hostile calendars (RFC 5545), whole and inside a message.

Nothing may raise or hang, and whoever stands plainly in an unfolded ATTENDEE line of
the calendar must be read.
"""

import re

from fuzz.guiding import main, mutations
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.formats.calendar import content_lines, unfolded

POLICY = Policy()
HEAD = (
    b"From: sam@council.example\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n"
)
SEEDS = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@x\r\nORGANIZER;CN=Sam"
    b":"
    b"mailto:sam@council.example\r\nATTENDEE;RSVP=TRUE:mailto:ann@a.example\r\n"
    b"ATTENDEE;CN=\"B, C\":MAILTO:bob@b.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    b"BEGIN:VCALENDAR\r\nATTENDEE;EMAIL=ann@a.example;CN=ann:urn:uuid:1\r\nATTENDEE;"
    b"DELE\r\n GATED-TO=\"mailto:c@d.example\":mailto:e@\r\n f.example\r\n"
    b"END:VCALENDAR\r\n",
    b"BEGIN:VCALENDAR\r\nDESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=40b.example=\r\n=0D\r\n"
    b"X-ALT-DESC;FMTTYPE=text/html:<a href=\"mailto:g@h.example\">\r\n"
    b"END:VCALENDAR\r\n",
)  # fmt: skip
PIECES = (
    *(b"\r\n ", b"\r\n\t", b"\n ", b"\r\n", b";", b":", b'"', b",", b"\\n", b"\\;"),
    *(b"ATTENDEE", b"ORGANIZER", b"mailto:", b"EMAIL=", b"SENT-BY=", b"urn:uuid:"),
    *(b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"BEGIN:VCALENDAR\r\n", b"X-"),
    *(b"@", b"=40", b"^n", b"^'", b"\x00", b"\xff", b"\xef\xbb\xbf", b"=\r\n"),
)  # fmt: skip
PLAIN = re.compile(r"(?m)^ATTENDEE:mailto:([a-z]+@[a-z]+\.example)\r?$")


def check(data: bytes) -> None:
    """Raise where reading this breaks a promise."""
    text = unfolded(data).decode("utf-8", "replace")
    for line in content_lines(text):
        assert line is not None
    found = {one.person for one in read_content(HEAD + data, POLICY).shown}
    missed = set(PLAIN.findall(text)) - found
    assert not missed, "an ATTENDEE was not read"


if __name__ == "__main__":
    main(check, mutations(SEEDS, PIECES))
