# SPDX-License-Identifier: Apache-2.0
"""A mail as a draft: it says what the mail said, and names what it cannot say."""

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Row
from undisclosed.send.from_mail import from_mail, markdown_of
from undisclosed.send.merge import compile_draft
from undisclosed.send.message import Marks
from undisclosed.send.template import Text, parse

SAM = Address("sam", "council.example")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PICTURE = b"\x89PNG\r\n\x1a\n"


def mail(text="Dear all,\n\nit is Monday.\n", **fields):
    made = EmailMessage()
    made["From"] = "Sam Marsh <sam@council.example>"
    made["Subject"] = "Bins"
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    if text:
        made.set_content(text)
    return made


def drafted(made, subject="Bins"):
    return from_mail(bytes(made), subject, SAM)


def merged(draft):
    """The message that one person would get of it: subject, text, words of the HTML."""
    row = Row(1, Address("ann", "a.example"), {"Address": "ann@a.example"})
    seen = compile_draft(draft, ("Address",)).preview(row, Marks("x", NOW))
    body = seen.html.partition("<body>")[2]
    return seen.subject, seen.text, html.unescape(re.sub(r"<[^>]+>", " ", body))


SIGNS = st.text(alphabet="ab {}%#*_-+=>[]()`<&;\\|~1.!\n", max_size=80)


@given(SIGNS)
@example("Total {{ x }} and {% if y %} {# z #}")
@example("Kind regards\n-- \nSam\n===\n")
@example("a | b\n--|--\n1 | 2\n")
@example("&amp; &#64; <b>not bold</b> [no](link)\n    code")
def test_no_sign_of_a_mail_means_anything_in_the_draft(text):
    written = markdown_of(text)
    draft = drafted(mail("x")).draft

    assert all(isinstance(one, Text) for one in parse(written, ()))
    if text.strip():
        _, _, shown = merged(replace(draft, markdown=written))
        assert words(shown) == words(text)


def words(text):
    """What people read, but for spaces and the dashes of lists."""
    return re.sub(r"\s|^\s*-\s(?=\w)", "", text, flags=re.MULTILINE)


@given(st.text(alphabet="ab{}%# ", min_size=1, max_size=30))
def test_a_subject_stays_what_it_was(subject):
    made = drafted(mail(), subject).draft

    tree = parse(made.subject, ())

    assert all(isinstance(one, Text) for one in tree)
    assert "".join(one.text for one in tree) == " ".join(subject.split())


def test_short_lines_end_where_they_ended_and_long_ones_flow():
    text = (
        "Kind regards\nSam\n\n" + "a long line that the program broke " * 2 + "\nhere."
    )

    assert "Kind regards\\\nSam" in markdown_of(text)
    assert "broke\\" not in markdown_of(text)


def test_a_mail_of_html_alone_becomes_its_words():
    made = mail("")
    made.set_content(
        "<p>Dear all,</p><p>it is <b>Monday</b>: <a href='https://c.example'>see</a>."
        "</p><ul><li>one</li><li>two</li></ul><script>no()</script>",
        subtype="html",
    )

    found = drafted(made)

    assert "it is Monday: see." in merged(found.draft)[1]
    assert "- one\n" in found.draft.markdown
    assert "no()" not in found.draft.markdown
    assert found.left_out == (
        "the formatting: the words of the HTML were taken",
        "1 link: only the words that lead there were taken",
    )


def test_pictures_inside_the_text_are_named_and_files_are_taken():
    made = mail()
    made.add_alternative("<p>it is Monday <img src='cid:a@b.example'></p>", "html")
    page = made.get_payload()[1]
    page.add_related(PICTURE, "image", "png", cid="<a@b.example>", disposition="inline")
    made.add_attachment(b"Ward,Day\n", "text", "csv", filename="Dates Übersicht.csv")
    made.add_attachment("not the text", filename="notes.txt")

    found = drafted(made)

    assert "1 picture inside the text" in found.left_out
    assert [one.name for one in found.draft.attachments] == [
        "Dates Übersicht.csv",
        "notes.txt",
    ]
    assert "not the text" not in found.draft.markdown


def test_attached_messages_and_invitations_are_named():
    made = mail()
    made.add_alternative("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "calendar")
    made.add_attachment(mail("the forwarded text"))

    found = drafted(made)

    assert {"attached messages", "an invitation"} <= set(found.left_out)
    assert "forwarded text" not in found.draft.markdown


def test_what_is_encrypted_cannot_become_a_text():
    made = mail("")
    made.set_content(b"secret", "application", "pkcs7-mime", disposition="inline")

    found = drafted(made)

    assert "its text: there is none that could be read" in found.left_out


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Beste allemaal, uw tarief wordt € 5.\n", "utf-8"),
        ("Szanowni Państwo, stawki się zmieniły.\n", "iso-8859-2"),
        ("各位：费率已更新。\n", "gb18030"),
        ("שלום לכולם\n", "utf-8"),
        ("مرحبا بالجميع\n", "utf-8"),
        ("Уважаемые жители\n", "koi8-r"),
    ],
    ids=["Dutch", "Polish", "Chinese", "Hebrew", "Arabic", "Russian"],
)
def test_a_mail_in_any_language_is_read(text, charset):
    made = mail("")
    made.set_content(text, charset=charset)

    found = drafted(made)

    assert text.strip() in merged(found.draft)[1]
    assert not found.left_out


def test_display_names_with_commas_and_in_other_letters_are_kept():
    made = mail(
        To='"Smith, Ann" <ann@a.example>, =?utf-8?B?WsO8bGxpZywgSsO8cmc=?= '
        "<j@b.example>, eve@c.example",
        Reply_To="Rates <rates@council.example>",
    )

    found = drafted(made)

    assert found.names["ann@a.example"] == "Smith, Ann"
    assert found.names["j@b.example"] == "Züllig, Jürg"
    assert "eve@c.example" not in found.names
    assert found.draft.author_name == "Sam Marsh"
    assert found.draft.reply_to == Address("rates", "council.example")


@given(st.binary(max_size=400))
def test_no_octets_make_it_fail(octets):
    from_mail(b"From: sam@council.example\r\n" + octets, "x", SAM)
