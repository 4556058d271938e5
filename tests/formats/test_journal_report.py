# SPDX-License-Identifier: Apache-2.0
"""Journal reports ([MS-XJRNL]): their text, as Exchange writes it and as none does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.journal_report import parse_journal_report

ANN, BOB = "ann@a.example", "bob@b.example"
CASES = {
    "To, Cc and Bcc": (
        f"Sender: {ANN}\r\nSubject: A letter\r\nMessage-Id: <1@a.example>\r\n"
        f"To: {BOB}\r\nCc: cy@c.example\r\nBcc: di@d.example\r\n",
        ANN,
        (BOB, "cy@c.example", "di@d.example"),
    ),
    "no field known": (f"Sender: {ANN}\r\nRecipient: {BOB}\r\n", ANN, (BOB,)),
    "a list behind it": (
        f"Sender: {ANN}\r\nTo: {BOB}, Expanded: all@b.example\r\n",
        ANN,
        (BOB,),
    ),
    "a forwarding behind it": (
        f"Sender: {ANN}\nCc: {BOB}, Forwarded: old@b.example\n",
        ANN,
        (BOB,),
    ),
    "the same person twice": (f"To: {BOB}\r\nRecipient: {BOB}\r\n", "", (BOB,)),
    "in brackets": (f"Sender: <{ANN}>\r\nTO:<{BOB}>\r\n", ANN, (BOB,)),
    "two senders": (f"Sender: {ANN}\r\nSender: {BOB}\r\n", ANN, ()),
    "a subject that names a line": (f"Subject: To: {BOB}\r\n", "", ()),
    "nobody": ("Sender: <>\r\n", "", ()),
    "empty": ("", "", ()),
}


@pytest.mark.parametrize(("text", "sender", "recipients"), CASES.values(), ids=CASES)
def test_a_report_says_who_sent_and_to_whom(text, sender, recipients):
    found = parse_journal_report(text)

    assert (found.sender, found.recipients) == (sender, recipients)


def test_it_does_not_print_the_addresses():
    assert "@" not in repr(parse_journal_report(f"Sender: {ANN}\r\nTo: {BOB}\r\n"))


@given(st.text(alphabet="To:CcSenderBcc <>@,.\r\n\t\0é", max_size=200) | st.text())
def test_it_never_raises_and_names_nothing_that_is_not_there(text):
    found = parse_journal_report(text)

    assert all(one and one in text for one in found.recipients)
