# SPDX-License-Identifier: Apache-2.0
"""Content lines of calendars and vCards are found whatever the text is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.calendar import (
    content_lines,
    from_quoted_printable,
    unescaped,
    unescaped_parameter,
    unfolded,
)

FRAGMENTS = [
    "\r\n", "\n", "\r", " ", "\t", ":", ";", ",", '"', "=", "=\r\n", "\\", "^", "@",
    "ATTENDEE", "CN", "ENCODING=QUOTED-PRINTABLE", "mailto:", "item1.", "BEGIN:V",
]  # fmt: skip
texts = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=5)), max_size=40
).map("".join)


@given(texts)
def test_lines_follow_each_other_to_the_end(text: str) -> None:
    position = 0
    for line in content_lines(text):
        assert line.start == position
        position = line.end
    assert position == len(text)


@given(texts)
def test_no_at_sign_is_lost(text: str) -> None:
    kept = "".join(
        line.value + "".join(name + value for name, value in line.parameters)
        for line in content_lines(text)
    )

    assert text.count("@") == kept.count("@")


@given(texts)
def test_values_never_raise(text: str) -> None:
    unescaped(text)
    unescaped_parameter(text)
    from_quoted_printable(text)


@pytest.mark.parametrize(
    ("text", "name", "parameters", "value"),
    [
        ("EMAIL:a", "EMAIL", (), "a"),
        ("email;type=x:a", "EMAIL", (("TYPE", "x"),), "a"),
        ("item1.EMAIL:a", "EMAIL", (), "a"),
        ('A;CN="x:y;z":b', "A", (("CN", '"x:y;z"'),), "b"),
        ("A;X;Y=1:b:c", "A", (("X", ""), ("Y", "1")), "b:c"),
        ("A;EMAIL=a\r\n b:c", "A", (("EMAIL", "ab"),), "c"),
        ("no line", "", (), "no line"),
        ("a@b.example:c", "", (), "a@b.example:c"),
        ("A;CN=\"open:b", "A", (("CN", '"open:b'),), ""),
        ("NOTE;QUOTED-PRINTABLE:a=\r\nb=\r\nc\r\n", "NOTE", (("QUOTED-PRINTABLE", ""),),
         "a=\r\nb=\r\nc"),
    ],
)  # fmt: skip
def test_a_line_is_cut(text: str, name: str, parameters: object, value: str) -> None:
    (line,) = content_lines(text)

    assert (line.name, line.parameters, line.value) == (name, parameters, value)


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [("a\\nb", "a\nb"), ("a\\,b\\;c\\\\", "a,b;c\\"), ("plain", "plain")],
)
def test_values_are_unescaped(escaped: str, plain: str) -> None:
    assert unescaped(escaped) == plain


def test_parameters_are_unescaped() -> None:
    assert unescaped_parameter('"a^nb^\'c^^"') == ' a\nb"c^ '


def test_folds_inside_of_a_character_are_undone() -> None:
    assert unfolded(b"zo\xc3\r\n \xab").decode() == "zoë"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", ["\r\n ", ';"', ";a", "=\r\n", "a:", "\\", '"', "^"])
def test_a_million_characters_are_read_in_linear_time(piece: str) -> None:
    text = "A;ENCODING=QUOTED-PRINTABLE" + piece * (1_000_000 // len(piece))

    assert sum(line.end - line.start for line in content_lines(text)) == len(text)
