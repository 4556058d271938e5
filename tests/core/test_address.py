# SPDX-License-Identifier: Apache-2.0
"""Two spellings of one person's address are equal, and none prints itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import spellings
from undisclosed.core.address import Address, parse_addr_spec, person_of


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_two_texts_have_a_person(local_part, domain):
    assert person_of(local_part, domain).count("@") >= 1


@given(spellings)
def test_letter_case_makes_no_other_person(spelling):
    local_part, _, domain = spelling.partition("@")

    assert Address(local_part.upper(), domain.title()) == Address(local_part, domain)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@a.example", "ANN@A.EXAMPLE"),
        ("ann@a.example", '"ann"@a.example'),
        ("ann@a.example", "ann@a.example."),
        ("ann@a.example", " ann@a.example "),
        ("a\\nn@a.example", "ann@a.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@XN--BCHER-KVA.example"),
        ("ann@bücher。example", "ann@xn--bcher-kva.example"),
        ("ann@😀.example", "ann@xn--e28h.example"),
        ("ａｎｎ@a.example", "ann@a.example"),
        ('"lee, ann"@a.example', '"lee\\, ann"@a.example'),
    ],
)
def test_these_are_one_person(one, other):
    first = Address(*one.rsplit("@", 1))
    second = Address(*other.rsplit("@", 1))

    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@a.example", "ann+news@a.example"),
        ("ann@a.example", "a.nn@a.example"),
        ("ann@a.example", "ann@b.example"),
        ("ann@a.example", "ann@sub.a.example"),
    ],
)
def test_these_are_two_people(one, other):
    assert Address(*one.split("@")) != Address(*other.split("@"))


def test_an_address_never_prints_itself_whole():
    address = Address("ann.lee", "a.example")

    assert "ann" not in f"{address} {address!r} {[address]}"
    assert address.spelled_out() == "ann.lee@a.example"


def test_what_was_written_is_kept():
    assert Address('"Ann"', "A.Example.").spelled_out() == '"Ann"@A.Example.'


def test_an_address_without_a_domain_is_its_local_part():
    assert Address("postmaster", "").spelled_out() == "postmaster"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@a.example", "ann@a.example"),
        (" Ann Lee <ann@a.example> ", "ann@a.example"),
        ("<@relay.example:ann@a.example>", "ann@a.example"),
        ('"lee, ann"@a.example', '"lee, ann"@a.example'),
        ("a@b@c.example", "a@b@c.example"),
        ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
        ("ann@[IPv6:2001:db8::1]", "ann@[IPv6:2001:db8::1]"),
    ],
)
def test_one_address_is_parsed(text, expected):
    address = parse_addr_spec(text)

    assert address is not None
    assert address.spelled_out() == expected


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@a.example", "ann lee@a.example", "a@b.example, c@d.example",
     "a@b.example;", '"ann@a.example', "ann@[a b]", "ann@a.example\nx",
     "x" * 9999 + "@a"],
)  # fmt: skip
def test_what_is_not_one_address_is_none(text):
    assert parse_addr_spec(text) is None


def test_several_at_signs_part_at_the_last_one():
    address = parse_addr_spec("a@b@c.example")

    assert address is not None
    assert (address.local_part, address.domain) == ("a@b", "c.example")


@given(st.text(max_size=700))
def test_parsing_never_raises(text):
    parse_addr_spec(text)
