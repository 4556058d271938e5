# SPDX-License-Identifier: Apache-2.0
"""Header blocks in a body are found in the languages in which mail programs write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import spellings
from undisclosed.core.shown.quoted_headers import quoted_people

LANGUAGES = {
    "English": ("From", "Sent", "To"),
    "Dutch": ("Van", "Verzonden", "Aan"),
    "French": ("De", "Envoyé", "À"),
    "German": ("Von", "Gesendet", "An"),
    "Spanish": ("De", "Enviado", "Para"),
    "Italian": ("Da", "Inviato", "A"),
    "Swedish": ("Från", "Skickat", "Till"),
    "Japanese": ("差出人", "送信日時", "宛先"),
}
QUOTINGS = ["", "> ", ">> ", "> > ", "| ", "  ", "*"]


@given(
    spellings, spellings, st.sampled_from(sorted(LANGUAGES)), st.sampled_from(QUOTINGS)
)
def test_the_people_of_a_block_are_found(author, recipient, language, quoting):
    who, when, to = LANGUAGES[language]
    lines = (f"{who}: {author}", f"{when}: Monday", f"{to}: Ann <{recipient}>,")
    text = "".join(f"{quoting}{line}\r\n" for line in (*lines, " bob@b.example"))

    people, rest = quoted_people(f"Hello,\r\n\r\n{text}{quoting}\r\n{quoting}Bye\r\n")

    assert {each.person for each in people} == {author, recipient, "bob@b.example"}
    assert "@" not in rest
    assert "Bye" in rest


@pytest.mark.parametrize(
    "text",
    [
        "To: ann@a.example\n",
        "Subject: x\nDate: y\n ann@a.example",
        "To whom it may concern: ann@a.example\nFrom here on: bob@b.example",
        "To: ann@a.example\n\nHello\n\nFrom: bob@b.example",
        "",
    ],
)
def test_what_is_no_block_is_left_to_the_text(text):
    assert quoted_people(text) == ([], text) or not quoted_people(text)[0]


def test_a_block_ends_at_its_blank_line():
    text = "From: a@a.example\nTo: b@b.example\n\nask c@c.example"

    people, rest = quoted_people(text)

    assert [each.person for each in people] == ["a@a.example", "b@b.example"]
    assert "c@c.example" in rest


@given(st.text(max_size=200))
def test_reading_never_raises(text):
    quoted_people(text)
