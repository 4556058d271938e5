# SPDX-License-Identifier: Apache-2.0
"""Limits are kept, and said."""

from undisclosed.core.address import Address
from undisclosed.core.notes import Notes

PEOPLE = [Address(f"p{number}", "a.example") for number in range(10)]


def test_one_person_stands_once_with_every_channel():
    notes = Notes(100)
    shown = {}

    notes.note(shown, [PEOPLE[0], PEOPLE[0]], "To")
    notes.note(shown, [PEOPLE[0]], "Cc")
    notes.note(shown, [PEOPLE[0]], "To")

    assert shown == {PEOPLE[0]: ("To", "Cc")}


def test_who_sent_the_message_is_not_written_down():
    shown = {}

    Notes(100, frozenset({PEOPLE[0]})).note(shown, PEOPLE[:2], "To")

    assert list(shown) == [PEOPLE[1]]


def test_above_the_limit_reading_stops_and_says_so():
    notes = Notes(4)
    shown = {}

    notes.note(shown, PEOPLE, "To")

    assert len(shown) == 4
    assert list(notes.uncertain) == [
        "It shows more than 4 addresses: not all were read."
    ]


def test_a_field_is_cut_where_it_holds_more_at_signs_than_are_read():
    notes = Notes(1)
    text = "a@b " * 1010

    cut = notes.within_limit(text)

    assert cut.count("@") == 1002
    assert notes.uncertain
    assert notes.within_limit("a@b") == ""
