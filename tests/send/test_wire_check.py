# SPDX-License-Identifier: Apache-2.0
"""The last look beside the socket lets nothing pass that the guard's reading finds.

It has a quick way for what plainly is in order. Whatever that lets pass is read here
once more, whole, as the guard reads mail; both must say the same.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, Row
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.masking import masked
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.send.merge import compile_draft
from undisclosed.send.message import Marks
from undisclosed.send.wire_check import Allowed, SomebodyElse, check_wire

TEAM, ANN, BOB = (
    Address("team", "council.example"),
    Address("ann", "a.example"),
    Address("bob", "b.example"),
)
TEMPLATE = compile_draft(
    Draft(
        "Bins, {{ name }}", "Dear {{ name }},\n\nask <help@c.example>.", TEAM, "Büro"
    ),
    ("Name",),
    hostname="c.example",
)
ALLOWED = Allowed.of([TEAM], TEMPLATE.constant_texts())
MARKS = Marks("a" * 26, datetime(2026, 11, 22, tzinfo=UTC))

SPELLINGS = {
    "plain": b"bob@b.example",
    "in capitals": b"BOB@B.EXAMPLE",
    "as a percent form": b"mailto:bob%40b.example",
    "as a number": b"bob&#64;b.example",
    "as a number with zeros": b"bob&#00064;b.example",
    "as a hexadecimal number": b"bob&#X40;b.example",
    "as a name": b"bob&commat;b.example",
    "in full width": "bob\uff20b.example".encode(),
    "in quoted-printable": b"bob=40b.example",
    "across a soft line break": b"bob=\r\n@b.exam=\r\nple",
    "as an encoded word": b"=?utf-8?B?Ym9iQGIuZXhhbXBsZQ==?=",
    "as another encoded word": b"=?us-ascii?q?bob=40b=2Eexample?=",
    "in brackets": b"<bob@b.example>",
    "with dots behind": b"bob@b.example...",
    "beside the recipient": b"ann@a.example,bob@b.example",
    "grown onto an allowed one": b"bob@b.example_team@council.example",
    "in front of an allowed one": b"bobteam@council.example",
    "behind an allowed one": b"team@council.example.b.example",
}
NOISE = (
    *(b"@", b"\r\n", b"\n", b"\r", b"=\r\n", b"&", b"%", b"?", b" ", b":", b"=?", b"."),
    *(b"base64", b"quoted-printable", b"7bit", b"\r\n\r\n", b"--=_text\r\n"),
    *(b"ann@a.example", b"Team@Council.Example", b"help@c.example", b"x" * 260),
)
inserted = st.tuples(
    st.integers(0, 2_000), st.sampled_from((*SPELLINGS.values(), *NOISE))
)


def wire_of(name: str = "Ann") -> bytes:
    return TEMPLATE.message(Row(1, ANN, {"Name": name}), MARKS).wire


def passes(wire: bytes) -> bool:
    try:
        check_wire(wire, ANN, ALLOWED)
    except SomebodyElse:
        return False
    return True


def others_in(wire: bytes) -> set[Address]:
    """Whom the guard's reading finds that has no business in the message."""
    own = {*ALLOWED.people, ANN, *mailboxes(ANN.spelled_out())}
    return set(read_content(wire, Policy()).shown) - own


@given(st.lists(inserted, max_size=4), st.sampled_from(["Ann", "Änn", "A=_n"]))
@example([(120, b"bob@b.example")], "Ann")
@example([(0, b"\r\n")], "Ann")
def test_what_passes_shows_nobody_else_to_the_guard_s_reading(pieces, name):
    wire = wire_of(name)
    for place, piece in pieces:
        wire = wire[:place] + piece + wire[place:]

    if passes(wire):
        assert others_in(wire) == set()


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
@pytest.mark.parametrize("name", ["Ann", "Änn"], ids=["7bit", "quoted-printable"])
def test_no_spelling_of_somebody_else_passes_where_it_is_read(name, spelling):
    wire = wire_of(name).replace(b"Dear ", b"Dear " + spelling + b" ", 1)

    assert not (passes(wire) and others_in(wire))


@pytest.mark.parametrize("place", ["Dear ", "ask ", "Subject: "])
def test_somebody_else_is_found_in_every_part(place):
    wire = wire_of()
    assert passes(wire)

    wire = wire.replace(place.encode(), place.encode() + b"bob@b.example ", 1)

    assert others_in(wire) == {BOB}
    assert not passes(wire)


@pytest.mark.parametrize(
    "line",
    [b"Bcc: ann@a.example", b"X-To: Ann", b"Subject: again", b"Resent-To: x"],
    ids=["Bcc", "a field that is not ours", "a second Subject", "Resent-To"],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["CRLF", "a bare LF"])
def test_a_field_that_is_not_ours_does_not_pass(line, end):
    wire = wire_of().replace(b"\r\nDate:", b"\r\n" + line + end + b"Date:", 1)

    assert not passes(wire)


# Every at sign is explained, also where no reading finds an address.

OTHERS = {
    "of a local host": "bob@corp",
    "of this host": "bob@localhost",
    "in quotes": '"bob"@b.example',
    "in quotes with a space": '"bob smith"@b.example',
    "with spaces around the sign": "bob @ b.example",
    "behind a backslash": "bob\\@b.example",
    "with an ideographic stop": "bob@b\u3002example",
    "with the small at sign": "bob\ufe6bb.example",
    "in full width": "bob\uff20b.example",
    "of a host's number": "bob@[192.0.2.1]",
    "with a space without width": "bob@\u200bb.example",
    "grown with an equals sign": "bob=ann@a.example",
    "of a domain that goes on": "ann@a.example\u00fc.example",
    "of a domain that goes on with a line": "ann@a.example_b.example",
    "of a domain that goes on behind a stop": "ann@a.example\u3002b.example",
    "of a domain that goes on with a mark": "ann@a.example\u0331b.example",
    "of a German domain": "bob@b\u00fccher.example",
    "of a domain with a sharp s": "bob@stra\u00dfe.example",
    "of a Japanese domain": "bob@\u4f8b\u3048.example",
    "without an address": "3 @ 5",
    "from right to left": "\u202eelpmaxe@bob",
    "as a number without its end": "bob&#64b.example",
}
TEXT, SUBJECT, LINK, MAILTO = (
    ("Say {{ x }} there.", "Bins"),
    ("Bins.", "Say {{ x }}"),
    ("[page](https://u.example/?q={{ x }})", "Bins"),
    ("[mail](mailto:{{ x }})", "Bins"),
)


def value_passes(value, markdown, subject, to=ANN):
    draft = Draft(subject, markdown, TEAM)
    made = compile_draft(draft, ("X",), hostname="c.example")
    wire = made.message(Row(1, to, {"X": value}), MARKS).wire
    try:
        check_wire(wire, to, Allowed.of([TEAM], made.constant_texts()))
    except SomebodyElse:
        return False
    return True


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("where", [TEXT, SUBJECT], ids=["text", "subject"])
def test_an_at_sign_that_is_nobodys_is_not_let_through(value, where):
    assert not value_passes(value, *where)


@pytest.mark.parametrize("value", list(OTHERS.values())[:-1], ids=list(OTHERS)[:-1])
@pytest.mark.parametrize("where", [LINK, MAILTO], ids=["link", "mailto"])
def test_an_at_sign_that_is_nobodys_is_found_inside_of_links(value, where):
    assert not value_passes(value, *where)


@pytest.mark.parametrize(
    "to",
    [
        ANN,
        Address("ann", "b\u00fccher.example"),
        Address('"ann smith"', "a.example"),
        Address("bounce=ann", "a.example"),
        Address("o'ann+bins", "a.example"),
    ],
    ids=["plain", "beyond ASCII", "quoted", "equals", "apostrophe"],
)
@pytest.mark.parametrize(
    "markdown",
    [
        "Your address is {{ x }}.",
        "Your address (<{{ x }}>), {{ x }}, is known.",
        "We write to *{{ x }}* and _{{ x }}_.",
    ],
    ids=["text", "brackets", "signs"],
)
def test_the_recipient_s_own_address_may_stand_in_a_text(markdown, to):
    assert value_passes(to.spelled_out(), markdown, "Bins", to)


@pytest.mark.parametrize(
    "to",
    [
        ANN,
        Address("ann", "b\u00fccher.example"),
        Address("j\u00f6rg", "b\u00fccher.example"),
    ],
    ids=["plain", "in two scripts", "beyond ASCII"],
)
@pytest.mark.parametrize(
    "markdown",
    [
        "[mail](mailto:{{ x }})",
        "[page](https://u.example/?mail={{ x }})",
        "[page](https://u.example/a?n=1&email={{ x }}&z=2)",
    ],
    ids=["mailto", "query", "between parameters"],
)
def test_the_recipient_s_own_address_may_stand_in_a_link(markdown, to):
    assert value_passes(to.spelled_out(), markdown, "Bins", to)


@pytest.mark.parametrize(
    "markdown",
    [
        "The price is 3 @ 5 each, {{ x }}.",
        "{{ x }} @council and {{ x }}, @bins: follow.",
        "[us](https://social.example/@council) {{ x }}",
        "{{ x }} `desk@intranet` or (desk@intranet)",
        "Say {{ nothing | default('3 @ 5') }}, {{ x }}.",
        "{{ x }}\n\n@council\n\n| a | b |\n|---|---|\n| @c | {{ x }} |",
    ],
    ids=["a price", "a name", "a name in a link", "a host", "a default", "a table"],
)
@pytest.mark.parametrize("value", ["Ann", "\u00c4nn", "50%"])
def test_at_signs_of_the_constant_text_may_stand_in_every_message(markdown, value):
    markdown = markdown.replace("nothing", "y")
    draft = Draft("Bins, {{ x }}", markdown, TEAM, "B\u00fcro")
    made = compile_draft(draft, ("X", "Y"), hostname="c.example")
    wire = made.message(Row(1, ANN, {"X": value}), MARKS).wire

    check_wire(wire, ANN, Allowed.of([TEAM], made.constant_texts()))


def test_a_masked_address_may_stand_in_a_message():
    draft = Draft("Bins", "Your address: {{ x }}, {{ x }}.", TEAM)
    made = compile_draft(draft, ("X",), hostname="c.example")
    row = Row(1, ANN, {"X": "bob@b.example"})
    wire = made.message(row, MARKS, mask=masked).wire

    check_wire(wire, ANN, Allowed.of([TEAM], made.constant_texts()))
