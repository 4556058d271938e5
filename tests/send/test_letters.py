# SPDX-License-Identifier: Apache-2.0
"""Letters and call sheets: one person on a sheet, and every sign printed."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, Row, Way
from undisclosed.send import paper
from undisclosed.send.letters import (
    Letterhead,
    NoPostalColumns,
    call_sheet,
    letters,
    postal_address,
    postal_columns,
)
from undisclosed.send.merge import compile_draft

COLUMNS = ("First name", "Surname", "Address line 1", "Town", "Postcode", "Ref")
HEAD = Letterhead("Bins Team", "bins@council.example", date(2026, 11, 2))
needs_font = pytest.mark.skipif(
    paper.font() is None, reason="no font (Debian: apt-get install fonts-dejavu-core)"
)

needs_fonts = pytest.mark.skipif(
    not any(Path(one).is_file() for one in paper.MORE_FONTS),
    reason="no fonts (Debian: apt-get install fonts-noto-core fonts-droid-fallback)",
)
needs_engine = pytest.mark.skipif(
    not paper.has_engine(), reason="uharfbuzz is not installed"
)


def person(number, *values, columns=COLUMNS):
    known = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    return Row(number, None, known, Way.POST)


ANN = person(2, "Ann", "Smith", "1 High Street", "Leeds", "LS1 1AA", "R-1")
BOB = person(3, "Bob", "Jones", "2 Low Road", "York", "YO1 9ZZ", "R-2")


def template(markdown="Dear {{ first_name }},\n\nyour reference is *{{ ref }}*."):
    author = Address("bins", "council.example")
    return compile_draft(Draft("Bins of {{ surname }}", markdown, author), COLUMNS)


def pages(made):
    pdf = pypdfium2.PdfDocument(made.content)
    try:
        texts = [page.get_textpage().get_text_bounded() for page in pdf]
    finally:
        pdf.close()
    return [" ".join(text.split()) for text in texts]


def test_each_person_has_a_letter_with_their_own_values():
    ann, bob = pages(letters(template(), [ANN, BOB], HEAD))

    assert "Ann Smith 1 High Street Leeds LS1 1AA" in ann
    assert "Bins of Smith" in ann and "your reference is R-1" in ann
    assert "2 November 2026" in ann and "bins@council.example" in ann
    assert not any(word in ann for word in ("Bob", "Jones", "R-2"))
    assert not any(word in bob for word in ("Ann", "Smith", "R-1"))


@limits(max_examples=4)
@given(st.lists(st.integers(1, 300), min_size=2, max_size=3))
def test_no_sheet_is_shared_however_long_the_letters_are(paragraphs):
    people = [
        person(
            at, f"Person{at}x", "Z", "Street", "Town", "PC", "word and word. " * many
        )
        for at, many in enumerate(paragraphs, 1)
    ]
    marked = template("Person{{ first_name }}\n\n{{ ref }}")

    for text in pages(letters(marked, people, HEAD)):
        shown = [one for one in people if one.values["First name"] in text]
        assert len(shown) <= 1


LONG = "a street with a name that goes on and on and is not to be read through " * 6


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (person(7, "", "S", "1 High", "Leeds", "LS1", "R"), "has no value for the"),
        (person(7, "Ann", "S", "", "Leeds", "", "R"), "has no whole postal address"),
        (person(7, "Ann", "S", LONG, "Leeds", "LS1", "R"), "too long for an envelope"),
        (
            person(7, "Ann", "S\U0001fae0", "1", "Leeds", "LS1", "R"),
            "cannot be printed",
        ),
    ],
    ids=["a value", "an address", "too long an address", "a sign"],
)
def test_who_cannot_be_printed_is_named_and_all_others_are_printed(row, why):
    made = letters(template(), [ANN, row, BOB], HEAD)

    (left,) = made.left_out
    assert (made.people, left.row) == (2, 7)
    assert left.why.startswith("Row 7")
    assert why in left.why
    texts = pages(made)
    assert len(texts) == 2
    assert "Dear Ann" in texts[0] and "Dear Bob" in texts[1]


def test_nothing_but_the_address_is_seen_through_the_window():
    (text,) = in_the_window(letters(template(), [ANN], HEAD))

    assert text == "Ann Smith 1 High Street Leeds LS1 1AA"


def in_the_window(made):
    """What stands 20 to 110 mm from the left and 45 to 90 mm from the top of A4."""
    pdf, point = pypdfium2.PdfDocument(made.content), 72 / 25.4
    try:
        high = pdf[0].get_height()
        box = (20 * point, high - 90 * point, 110 * point, high - 45 * point)
        texts = [page.get_textpage().get_text_bounded(*box) for page in pdf]
    finally:
        pdf.close()
    return [" ".join(text.split()) for text in texts]


def test_what_is_enclosed_is_named_for_all_and_for_each():
    head = replace(HEAD, enclosed=("map.pdf",), own_by=("Ref",))

    ann, bob = pages(letters(template(), [ANN, BOB], head))

    assert "Enclosed: map.pdf, R-1." in ann
    assert "Enclosed: map.pdf, R-2." in bob
    nobodys = letters(template("Dear all"), [person(7, *("A",) * 5, "")], head)
    assert [one.row for one in nobodys.left_out] == [7]


@needs_font
@needs_engine
@pytest.mark.parametrize(
    ("name", "street"),
    [
        ("אברהם כהן", "רחוב הרצל 5"),
        ("محمد علي", "شارع النيل 12"),
        ("شہناز بیگم", "گلی نمبر 3"),
    ],
    ids=["Hebrew", "Arabic", "Urdu"],
)
def test_scripts_from_right_to_left_are_printed(name, street):
    row = person(2, name, "S", street, "Leeds", "LS1 1AA", "R")

    made = letters(template("{{ first_name }},\n\nMonday."), [row], HEAD)

    # The glyphs of shaped scripts have code points of their own in a PDF.
    (text,) = pages(made)
    assert not made.left_out
    assert "Monday." in text
    assert "\ufffd" not in text
    assert glyphs_without_a_name(made) == 0


@needs_fonts
@needs_engine
@pytest.mark.parametrize(
    "name",
    ["सुनीता शर्मा", "রহিমা বেগম", "王小明", "แดง ใจดี", "გიორგი"],
    ids=["Hindi", "Bengali", "Chinese", "Thai", "Georgian"],
)
def test_scripts_of_other_fonts_are_printed(name):
    row = person(2, name, "S", "1 High Street", "Leeds", "LS1 1AA", "R")

    made = letters(template("{{ first_name }},\n\nMonday."), [row], HEAD)

    assert not made.left_out
    assert glyphs_without_a_name(made) == 0


def glyphs_without_a_name(made):
    """How often a font's empty box was printed: glyph 0 (OpenType, .notdef)."""
    pdf = pypdfium2.PdfDocument(made.content)
    try:
        return sum(page.get_textpage().get_text_bounded().count("\x00") for page in pdf)
    finally:
        pdf.close()


def test_without_an_engine_scripts_that_need_one_are_left_out(monkeypatch):
    monkeypatch.setattr(paper, "has_engine", lambda: False)
    row = person(2, "محمد", "S", "1 High Street", "Leeds", "LS1 1AA", "R")

    made = letters(template(), [ANN, row], HEAD)

    assert [one.row for one in made.left_out] == [2]
    assert len(pages(made)) == 1


def test_columns_without_a_postal_address_are_refused():
    with pytest.raises(NoPostalColumns):
        postal_columns(("Email", "Name", "Reference"))


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("name", "address_line_1", "POST CODE", "Phone"), 3),
        (("Name", "Street", "City", "ZIP", "Country", "Colour"), 5),
        (("Full name", "Address 1", "Address 2", "Town", "Postcode"), 5),
    ],
    ids=["with underscores", "another country", "numbered"],
)
def test_the_columns_of_postal_addresses_are_known_by_name(columns, found):
    assert len(postal_columns(columns)) == found


def test_an_address_in_one_cell_has_its_own_lines():
    columns = ("Name", "Postal address", "Town")
    row = person(2, "Ann", "Flat 2\n1 High Street\n", "Leeds", columns=columns)

    assert postal_address(row, columns) == ("Ann", "Flat 2", "1 High Street", "Leeds")


@needs_font
def test_letters_beyond_latin_1_are_printed():
    lodz = person(2, "Łucja", "Żak", "ulica Długa 1", "Łódź – €", "90-001", "R")

    (text,) = pages(letters(template(), [lodz], HEAD))

    assert "Łucja Żak ulica Długa 1 Łódź – €" in text


@pytest.mark.parametrize("sign", ["\U0001fae0", "\ue123", "\x07"])
def test_what_cannot_be_printed_is_left_out_and_no_empty_box(sign):
    row = person(9, "Ann", f"Smith{sign}", "1 High Street", "Leeds", "LS1", "R")

    made = letters(template("Monday."), [row], HEAD)

    assert [one.row for one in made.left_out] == [9]
    assert not made.people


def test_without_a_font_western_letters_are_printed_and_others_refused(monkeypatch):
    monkeypatch.setattr(paper, "FONTS", ())
    lodz = person(2, "Łucja", "Z", "1", "Leeds", "LS1", "R")

    made = letters(template(), [ANN, lodz], HEAD)

    (text,) = pages(made)
    assert "Dear Ann," in text
    assert [one.row for one in made.left_out] == [2]


def test_a_call_sheet_has_a_sheet_for_each_person():
    ann, bob = pages(call_sheet([ANN, BOB], COLUMNS, heading="Bin days"))

    assert "Row 2" in ann and "First name: Ann" in ann and "Notes" in ann
    assert "Bob" not in ann and "Ann" not in bob


def test_an_error_of_a_sheet_names_no_value():
    row = person(9, "Ann", "Smith\U0001fae0", "1 High Street", "Leeds", "LS1", "R")

    (left,) = call_sheet([row], COLUMNS, heading="").left_out

    assert left.row == 9
    assert "Smith" not in left.why
