# SPDX-License-Identifier: Apache-2.0
"""The mail in a journal report is found again whole, with its envelope."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guard.journals import report
from tests.guard.worlds import mail, people
from undisclosed.core.mail import Mail
from undisclosed.core.reported import FIELD, reported

LETTER = mail(people(range(3)), viewers=people(range(5)))


def envelope(of: Mail) -> tuple[object, list[object]]:
    return of.envelope.mail_from, [one.address for one in of.envelope.recipients]


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_a_report_gives_the_mail_and_its_envelope_back(encoding):
    found = reported(report(LETTER, encoding=encoding).content)

    assert found is not None
    assert found.content.rstrip() == LETTER.content.rstrip()
    assert envelope(found) == envelope(LETTER)


def test_who_stands_in_no_field_of_the_mail_stands_in_the_envelope():
    found = reported(report(mail(people(range(40)), field_name="Bcc")).content)

    assert found is not None
    assert envelope(found)[1] == list(people(range(40)))


@pytest.mark.parametrize(
    "content",
    [
        LETTER.content,
        report(LETTER).content.replace(b"X-MS-Journal-Report", b"X-MS-Other"),
        report(LETTER).content.replace(b"message/rfc822", b"text/plain"),
        report(LETTER).content.replace(
            b"--report--",
            b"--report\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--report--",
        ),
        b"X-MS-Journal-Report:\r\n\r\n",
        b"",
    ],
    ids=[
        "a mail",
        "another field",
        "no mail in it",
        "two mails in it",
        "nothing in it",
        "empty",
    ],
)
def test_what_is_no_report_is_not_opened(content):
    assert reported(content) is None


def test_the_field_s_name_may_be_written_in_any_case():
    content = report(LETTER).content.replace(b"X-MS-Journal-Report", FIELD.encode())

    assert reported(content) is not None


def test_without_a_text_the_mail_has_nobody_s_envelope():
    content = report(LETTER).content.replace(b"text/plain", b"application/pdf", 1)
    found = reported(content)

    assert found is not None
    assert envelope(found) == (None, [])


def test_the_text_of_the_mail_is_not_taken_for_the_report_s():
    lies = "Recipient: eve@attacker.example\r\n"
    content = report(mail(people(range(3)), text=lies)).content
    found = reported(content.replace(b"text/plain", b"application/pdf", 1))

    assert found is not None
    assert envelope(found) == (None, [])


@given(st.binary(max_size=400), st.integers(0, 400))
def test_it_never_raises(noise, place):
    content = report(LETTER).content
    reported(content[:place] + noise + content[place:])
    reported(b"X-MS-Journal-Report:\r\n" + noise)
