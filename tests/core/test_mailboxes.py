# SPDX-License-Identifier: Apache-2.0
"""No spelling of an address list hides anybody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import LIST_SPELLINGS, address_lists, list_spellings
from undisclosed.core.encoded_words import field_text
from undisclosed.core.mailboxes import mailboxes


def _people(text):
    return {address.person for address in mailboxes(text)}


def _spelled(text):
    return [address.spelled_out() for address in mailboxes(text)]


@given(address_lists, list_spellings)
def test_every_spelling_of_a_list_shows_everybody(addresses, spelling):
    body = LIST_SPELLINGS[spelling](addresses).encode()

    assert _people(field_text(body)) >= set(addresses)


ordinary = sorted(set(LIST_SPELLINGS) - {"in one quoted name", "in one comment", "nul"})


@given(address_lists, st.sampled_from(ordinary))
def test_ordinary_spellings_show_nobody_else(addresses, spelling):
    body = LIST_SPELLINGS[spelling](addresses).encode()

    assert _people(field_text(body)) == set(addresses)


SPECIALS = "ab.@<>\"(),;:\\[]% \t\n\x00\uff20=?_-'"


@given(st.text(SPECIALS, max_size=60))
def test_never_fewer_than_a_plain_search_finds(text):
    plain = re.findall(r"[a-z]@[a-z]", text)

    assert not plain or mailboxes(text)
    for found in plain:
        assert any(found in person for person in _people(text))


@given(st.text(max_size=200))
def test_reading_never_raises(text):
    mailboxes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann <ann@a.example>, bob@b.example", ["ann@a.example", "bob@b.example"]),
        ('"last, first"@a.example', ['"last, first"@a.example']),
        ("ann@[192.0.2.1], bob@[IPv6:2001:db8::1]",
         ["ann@[192.0.2.1]", "bob@[IPv6:2001:db8::1]"]),
        ("a@b@c.example", ["a@b", "b@c.example", "a@b@c.example"]),
        ("ann%a.example@relay.example",
         ["ann%a.example@relay.example", "ann@a.example"]),
        ("ann@a.example)<own@o.example>", ["ann@a.example", "own@o.example"]),
        ("ann(his account)@a.example(his host)", ["ann@a.example"]),
        ("Muhammed.(the greatest) Ali @(the) Vegas.example",
         ["Muhammed.Ali@Vegas.example"]),
        ("\"'ann@a.example'\" <ann@a.example>", ["ann@a.example"]),
        ("<ann@a.example?subject=x>", ["ann@a.example"]),
        ("<mailto:ann@a.example?cc=bob@b.example>", ["ann@a.example", "bob@b.example"]),
        ("<ann lee@a.example>",
         ["lee@a.example", "ann lee@a.example", "annlee@a.example"]),
        ("ann@local", ["ann@local"]),
        ("undisclosed-recipients:;", []),
        ("Team: ;", []),
        ("@", []),
        ("ann@", []),
        ("@a.example", []),
        ("", []),
    ],
)  # fmt: skip
def test_addresses_are_read(text, expected):
    assert _spelled(text) == expected


HOSTILE = [
    "<", '"', "(", "@", "[", "\\", "=?", "a@", '"@', "@[", '\\"@', " @", "a. ", "%40",
    "a@b ", 'a"b@', "<a b@c", "a\x00@", ":@", '"a b"@c ', "@'", "(a)@b ", "a@b@ ",
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_long_hostile_text_is_read_to_its_end(piece):
    # Reading that is not linear would not end here within the test's time limit.
    found = mailboxes(piece * 100_000 + ", ann@a.example")

    assert any(address.person.endswith("ann@a.example") for address in found)
