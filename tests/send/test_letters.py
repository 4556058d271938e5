# SPDX-License-Identifier: Apache-2.0
"""Letters and call sheets: one person on a sheet, and every sign printed."""

from datetime import date

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
    NoPostalAddress,
    NoPostalColumns,
    call_sheet,
    letters,
    postal_address,
    postal_columns,
)
from undisclosed.send.merge import compile_draft
from undisclosed.send.paper import CannotBePrinted
from undisclosed.send.template import MissingValue

COLUMNS = ("First name", "Surname", "Address line 1", "Town", "Postcode", "Ref")
HEAD = Letterhead("Bins Team", "bins@council.example", date(2026, 11, 2))
needs_font = pytest.mark.skipif(
    paper.font() is None, reason="no font (Debian: apt-get install fonts-dejavu-core)"
)


def person(number, *values, columns=COLUMNS):
    known = dict.fromkeys(columns, "") | dict(zip(columns, values, strict=False))
    return Row(number, None, known, Way.POST)


ANN = person(2, "Ann", "Smith", "1 High Street", "Leeds", "LS1 1AA", "R-1")
BOB = person(3, "Bob", "Jones", "2 Low Road", "York", "YO1 9ZZ", "R-2")


def template(markdown="Dear {{ first_name }},\n\nyour reference is *{{ ref }}*."):
    author = Address("bins", "council.example")
    return compile_draft(Draft("Bins of {{ surname }}", markdown, author), COLUMNS)


def pages(content):
    pdf = pypdfium2.PdfDocument(content)
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


def test_a_letter_without_a_value_is_an_error_that_names_the_row():
    with pytest.raises(MissingValue, match="Row 7"):
        letters(template(), [person(7, "", "S", "1 High", "Leeds", "LS1", "R")], HEAD)


def test_a_letter_without_a_whole_address_is_an_error_that_names_the_row():
    with pytest.raises(NoPostalAddress, match="Row 7"):
        letters(template(), [person(7, "Ann", "S", "", "Leeds", "", "R")], HEAD)


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


@pytest.mark.parametrize("sign", ["\U0001fae0", "س", "\u4e2d"])
def test_what_cannot_be_printed_is_an_error_and_not_an_empty_box(sign):
    row = person(9, "Ann", f"Smith{sign}", "1 High Street", "Leeds", "LS1", "R")

    with pytest.raises(CannotBePrinted, match="Row 9"):
        letters(template(), [row], HEAD)


def test_without_a_font_western_letters_are_printed_and_others_refused(monkeypatch):
    monkeypatch.setattr(paper, "FONTS", ())

    (text,) = pages(letters(template(), [ANN], HEAD))

    assert "Dear Ann," in text
    with pytest.raises(CannotBePrinted):
        letters(template(), [person(2, "Łucja", "Z", "1", "Leeds", "LS1", "R")], HEAD)


def test_a_call_sheet_has_a_sheet_for_each_person():
    ann, bob = pages(call_sheet([ANN, BOB], COLUMNS, heading="Bin days"))

    assert "Row 2" in ann and "First name: Ann" in ann and "Notes" in ann
    assert "Bob" not in ann and "Ann" not in bob


def test_an_error_of_a_sheet_names_no_value():
    row = person(9, "Ann", "Smith\U0001fae0", "1 High Street", "Leeds", "LS1", "R")

    with pytest.raises(CannotBePrinted) as caught:
        call_sheet([row], COLUMNS, heading="")

    assert "Smith" not in str(caught.value)
