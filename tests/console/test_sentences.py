# SPDX-License-Identifier: Apache-2.0
"""What the core wrote is said in the reader's language, with its own numbers."""

import pytest
from django.utils import translation
from django.utils.translation import trans_real

from undisclosed.console.sentences import in_the_readers_language, pattern_of

SENTENCES = [
    "37 people would see each other's addresses (To).",
    "1,136 people in 7 mails would see each other's addresses (Cc, Reply-To).",
    "A DKIM signature covers fields that each copy would change (To).",
    "The mail could not be read whole: It has more parts than are read.",
    "",
    "{0} is no number (of ours).",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_without_a_translation_stays_as_it_is(sentence: str) -> None:
    assert in_the_readers_language(sentence) == sentence


def test_a_sentence_is_found_whatever_its_numbers() -> None:
    few = pattern_of("1,136 people in 7 mails would see each other's addresses (Cc).")
    many = pattern_of("99 people in 2 mails would see each other's addresses (To, Cc).")

    assert few[0] == many[0]
    assert few[1] == ("1,136", "7", "Cc")
    assert many[1] == ("99", "2", "To, Cc")


def test_a_translation_may_put_the_parts_in_another_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with translation.override("nl"):
        catalogue = trans_real.catalog()
        monkeypatch.setitem(
            catalogue._catalog._catalogs[0],
            "{0} people in {1} mails would see each other's addresses ({2}).",
            "In {1} mails ({2}) zouden {0} mensen elkaars adres zien.",
        )

        said = in_the_readers_language(
            "1,136 people in 7 mails would see each other's addresses (Cc)."
        )

    assert said == "In 7 mails (Cc) zouden 1,136 mensen elkaars adres zien."
