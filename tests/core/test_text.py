# SPDX-License-Identifier: Apache-2.0
"""Prose shows whom it names, and not its prices and handles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import address_lists, spellings
from undisclosed.core.shown.html_body import read_html_body
from undisclosed.core.text import addresses_in_text, html_text, html_visible_text

WRAPPINGS = ["Mail {}.", "<{}>", "({}),", "'{}'", "„{}“", "*{}*", "mailto:{}", "[{}]",
             "https://x.example/?to={}&x=1", "{}: yes", "連絡先は{}です", "|{}|", "{}…",
             "addr={};", "{}\n", "e-mail={}", "/{}/", "{{\"to\":\"{}\"}}"]  # fmt: skip


def _people(text):
    return {address.person for address in addresses_in_text(text)}


@given(spellings, st.sampled_from(WRAPPINGS))
def test_an_address_is_read_whatever_stands_around_it(spelling, wrapping):
    assert spelling in _people(wrapping.replace("{}", spelling))


@given(spellings, st.sampled_from([w for w in WRAPPINGS if w.isascii()]))
def test_nobody_else_is_read_in_ascii(spelling, wrapping):
    assert _people(wrapping.replace("{}", spelling)) == {spelling}


@given(st.text(max_size=200))
def test_reading_never_raises(text):
    addresses_in_text(text)
    read_html_body(text)
    html_visible_text(text)


@pytest.mark.parametrize(
    "text",
    ["10 pieces @ 2.50 each", "10@2.50", "@handle", "Ann Lee/HOU/ECT@ECT", "a@", "@",
     "user@localhost", "me @ home.example", "@font-face { a: b }", "x@.", "x@-.-"],
)  # fmt: skip
def test_what_is_no_address_is_nobody(text):
    assert _people(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann%40a.example", {"ann@a.example"}),
        ("ann＠a.example", {"ann@a.example"}),
        ("ann@[192.0.2.1]", {"ann@[192.0.2.1]"}),
        ("?to=ann@a.example&cc=bob@b.example", {"ann@a.example", "bob@b.example"}),
        ("bounce-1-ann=a.example@esp.example", {"bounce-1-ann=a.example@esp.example"}),
        ("ann@bücher.example", {"ann@xn--bcher-kva.example"}),
        ("anna-zoë@a.example", {"anna-zoë@a.example"}),
    ],
)
def test_addresses_in_text(text, expected):
    assert _people(text) >= expected


@given(address_lists)
def test_html_shows_everybody_however_their_addresses_are_split(addresses):
    split = [
        one.replace("@", "<b>&#64;</b>").replace(".", ".<wbr>") for one in addresses
    ]
    source = "<table><tr><td>" + "</td><td>".join(split) + "</td></tr></table>"

    found, _ = read_html_body(source)

    assert {address.person for address in found} >= set(addresses)


def test_cells_and_lines_do_not_run_together():
    found, _ = read_html_body(
        "<td>ann@a.example</td><td>bob</td><br>x<p>eve@b.example<p>"
    )

    assert [address.person for address in found][:2] == [
        "ann@a.example",
        "eve@b.example",
    ]
    assert len({address.person for address in found}) == 2


def test_html_text_is_what_a_reader_sees():
    source = "<head><title>T</title><style>a{}</style></head><p>A&amp;B<br>C</p>"

    assert html_visible_text(source).split() == ["A&B", "C"]
    assert "T" in html_text(source)


HOSTILE = [
    "@", "a@", "<", "<a", "<!--", "&#64;", "&", "a@b.example ", "<td>", "a@b.test@",
    "<style>", "</", "%40", "a@b.example<b>", "From: a@b.example\n", "To:\n", "a=",
]  # fmt: skip


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE)
def test_long_hostile_text_is_read_to_its_end(piece):
    # Reading that is not linear would not end here within the test's time limit.
    text = piece * 60_000 + "\n\n ann@a.example "

    assert "ann@a.example" in _people(text)
    assert html_visible_text(text)
    found, quoted = read_html_body(text)
    assert any(each.person == "ann@a.example" for each in (*found, *quoted))
