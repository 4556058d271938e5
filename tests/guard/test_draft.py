# SPDX-License-Identifier: Apache-2.0
"""A draft becomes a message that says what the draft says, and nothing else."""

import email
import email.policy

from hypothesis import given
from hypothesis import strategies as st

from tests.guard.worlds import OLIVE, POLICY, people
from undisclosed.core.disclosure import read
from undisclosed.guard.bound import bound_of
from undisclosed.guard.draft import Draft, DraftFile, mail_of

PEOPLE = people(range(3))
TO = ("To", ", ".join(one.spelled_out() for one in PEOPLE))
DRAFT = Draft(OLIVE, PEOPLE, (TO,), "News", "Hello.")
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def test_the_recipients_are_the_envelope_each_once() -> None:
    mail = mail_of(Draft(OLIVE, (*PEOPLE, PEOPLE[0]), (TO,)))

    assert mail.envelope.mail_from == OLIVE
    assert mail.envelope.rcpt_tos == PEOPLE


@given(any_text, any_text, any_text, st.lists(st.binary(max_size=50), max_size=3))
def test_another_reader_finds_what_was_written(subject, plain, html, files) -> None:
    draft = Draft(
        OLIVE,
        PEOPLE,
        (TO,),
        subject,
        plain,
        html,
        tuple(DraftFile("dates.csv", "text/csv", content) for content in files),
    )

    found = email.message_from_bytes(
        mail_of(draft).content, policy=email.policy.default
    )

    parts = [part for part in found.walk() if not part.is_multipart()]
    assert [part.get_content_type() for part in parts] == [
        "text/plain",
        "text/html",
        *["text/csv"] * len(files),
    ]
    assert [part.get_payload(decode=True) for part in parts[2:]] == files
    assert not found.defects


@given(any_text)
def test_no_value_writes_a_field_of_its_own(text: str) -> None:
    draft = Draft(OLIVE, PEOPLE, (("To", text), ("Cc", text)), text, text)

    header = mail_of(draft).content.partition(b"\r\n\r\n")[0]

    names = [line.partition(b":")[0] for line in header.split(b"\r\n")]
    assert names == [
        b"From",
        b"To",
        b"Cc",
        b"Subject",
        b"MIME-Version",
        b"Content-Type",
        b"Content-Transfer-Encoding",
    ]


@given(any_text, any_text, st.binary(max_size=50))
def test_no_file_writes_a_field_of_its_own(name, media_type, content) -> None:
    file = DraftFile(f'x"{name}\r\nBcc: ann@a.example', media_type, content)
    draft = Draft(OLIVE, PEOPLE, (TO,), "News", "Hello.", files=(file,))
    mail = mail_of(draft)

    bound = bound_of(mail, read(mail, POLICY))

    assert bound is not None
    assert len(bound.files) == 1


def test_what_people_are_shown_is_read_as_in_any_mail() -> None:
    mail = mail_of(DRAFT)

    assert read(mail, POLICY).newly_shown == frozenset(PEOPLE)


def test_a_draft_without_any_text_has_an_empty_one() -> None:
    mail = mail_of(Draft(OLIVE, PEOPLE, (TO,)))

    assert read(mail, POLICY).content.visible_text == ""
