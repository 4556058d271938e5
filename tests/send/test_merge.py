# SPDX-License-Identifier: Apache-2.0
"""One row, one message, one person: whatever stands in the row."""

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, Row, Way
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.send.merge import (
    MissingFile,
    NobodyToMail,
    UnsafeValue,
    compile_draft,
    names_of,
)
from undisclosed.send.message import Marks
from undisclosed.send.template import MissingValue, TemplateError
from undisclosed.send.wire_check import Allowed, SomebodyElse, check_wire

ANN, BOB = Address("ann", "a.example"), Address("bob", "b.example")
TEAM, BOX = Address("team", "council.example"), Address("box", "council.example")
MARKS = Marks("a" * 26, datetime(2026, 11, 21, 9, tzinfo=UTC))
SOURCE = "Dear {{ name }},\n\nsee [your page](https://council.example/{{ ref }})."
COLUMNS = ("Email", "Name", "Ref", "File")


def draft(markdown=SOURCE, subject="Bins: {{ name }}", **more):
    return Draft(subject, markdown, TEAM, "Bin team", BOX, **more)


def row(name="Ann", ref="A1", file="", address=ANN, number=3):
    values = {"Email": "ann@a.example", "Name": name, "Ref": ref, "File": file}
    return Row(number, address, values, Way.MAIL if address else Way.POST)


def template(**more):
    return compile_draft(draft(**more), COLUMNS, hostname="council.example")


def parsed(wire):
    return email.message_from_bytes(wire, policy=email.policy.default)


def part_of(wire, kind):
    found = parsed(wire).get_body((kind,))
    return found.get_content().replace("\r\n", "\n")


values = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1
).filter(str.strip)


@given(values, values)
def test_a_value_stays_a_value_whatever_it_is(name, ref):
    wire = template().message(row(name, ref), MARKS).wire

    read = parsed(wire)
    assert read.keys() == [
        "From", "To", "Subject", "Date", "Message-ID", "Reply-To",
        "Auto-Submitted", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert [part.get_content_type() for part in read.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert read_content(wire, Policy()).destinations == (ANN,)
    assert max(map(len, wire.split(b"\r\n"))) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


@given(values)
def test_a_value_arrives_as_it_was(name):
    wire = template().message(row(name), MARKS).wire

    assert part_of(wire, "plain").startswith(f"Dear {name.strip()},\n")


@pytest.mark.parametrize(
    "name",
    [
        "Ann\r\nBcc: bob@b.example",
        "Ann\nCc: bob@b.example",
        "An\x00n",
        "An\u2028n",
        "An\x85n",
    ],
)
def test_a_value_that_would_begin_a_line_in_the_header_is_refused(name):
    with pytest.raises(UnsafeValue, match='Row 3: the value of "name"'):
        template().message(row(name), MARKS)


def test_a_missing_value_is_an_error_of_its_row():
    with pytest.raises(MissingValue, match="Row 3"):
        template().message(row(ref="  "), MARKS)


def test_a_value_in_a_link_stays_in_its_place():
    wire = template().message(row(ref='A/1"><b>?x=1'), MARKS).wire

    assert "https://council.example/A%2F1%22%3E%3Cb%3E%3Fx%3D1" in part_of(wire, "html")


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:text/html,x", "x"])
def test_a_value_that_is_the_link_has_to_be_one(value):
    made = template(markdown="[page]({{ ref }})")

    assert "https://x.example" in part_of(
        made.message(row(ref="https://x.example"), MARKS).wire, "html"
    )
    with pytest.raises(UnsafeValue, match="no link"):
        made.message(row(ref=value), MARKS)


def test_html_in_a_value_is_text():
    wire = template().message(row("<b>&amp;</b>"), MARKS).wire

    assert "&lt;b&gt;&amp;amp;&lt;/b&gt;" in part_of(wire, "html")
    assert "Dear <b>&amp;</b>," in part_of(wire, "plain")


def test_everybody_gets_the_files_for_all_and_their_own():
    made = template(
        attachments=(
            Attached("rules.pdf", "application/pdf", b"%PDF"),
            Attached("ann.txt", "text/plain", b"for Ann", "File"),
            Attached("bob.txt", "text/plain", b"for Bob", "File"),
        )
    )

    wire = made.message(row(file="ann.txt"), MARKS).wire

    files = {part.get_filename(): part for part in parsed(wire).iter_attachments()}
    assert list(files) == ["rules.pdf", "ann.txt"]
    assert files["ann.txt"].get_content() == "for Ann"


@pytest.mark.parametrize("file", ["", "carol.txt"])
def test_a_file_that_is_not_there_is_an_error_of_its_row(file):
    made = template(attachments=(Attached("ann.txt", "text/plain", b"x", "File"),))

    with pytest.raises(MissingFile, match="Row 3"):
        made.message(row(file=file), MARKS)


def test_who_has_no_address_is_not_mailed():
    with pytest.raises(NobodyToMail):
        template().message(row(address=None), MARKS)


def test_marketing_can_be_unsubscribed_with_one_click():
    marks = Marks("a" * 26, MARKS.date, "https://council.example/u/x")

    read = parsed(template().message(row(), marks).wire)

    assert read["List-Unsubscribe"] == "<https://council.example/u/x>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(TemplateError, match='both called "first_name"'):
        names_of(("First name", "first-name"))


def test_a_preview_is_what_leaves():
    made = template()

    preview = made.preview(row(), MARKS)

    assert preview.subject == "Bins: Ann"
    assert preview.text.startswith("Dear Ann,")
    assert preview.raw == made.message(row(), MARKS).wire


# What stands beside the socket.


def allowed(made):
    return Allowed.of((TEAM, BOX), made.constant_texts())


@given(values.filter(lambda text: "@" not in text), values)
def test_what_was_merged_passes_the_last_check(name, ref):
    made = template()
    wire = made.message(row(name.replace("&", ""), ref), MARKS).wire
    if "@" in ref or "\uff20" in name + ref:
        return

    check_wire(wire, ANN, allowed(made))


def test_an_address_in_the_constant_text_may_stand_in_every_message():
    made = template(markdown="Ask {{ name }} or help@c.example, <desk@c.example>.")

    check_wire(made.message(row(), MARKS).wire, ANN, allowed(made))


DISCLOSURES = {
    "in a value": lambda wire: wire.replace(b"Dear Ann", b"Dear bob@b.example"),
    "in quoted-printable": lambda wire: wire.replace(
        b"7bit\r\n\r\nDear Ann", b"quoted-printable\r\n\r\nDear bob=40b.example"
    ),
    "in an entity": lambda wire: wire.replace(
        b"<p>Dear Ann", b"<p>Dear bob&#64;b.example"
    ),
    "as a percent form": lambda wire: wire.replace(
        b"example/A1", b"example/?to=bob%40b.example"
    ),
    "in Cc": lambda wire: b"Cc: bob@b.example\r\n" + wire,
    "in a second To": lambda wire: b"To: bob@b.example\r\n" + wire,
    "in To as well": lambda wire: wire.replace(
        b"To: ann@a.example", b"To: ann@a.example, bob@b.example"
    ),
    "instead of the recipient": lambda wire: wire.replace(
        b"To: ann@a.example", b"To: bob@b.example"
    ),
    "in the subject": lambda wire: wire.replace(
        b"Subject: Bins: Ann", b"Subject: =?utf-8?B?Ym9iQGIuZXhhbXBsZQ==?="
    ),
    "in an empty Bcc": lambda wire: b"Bcc:\r\n" + wire,
    "as the author": lambda wire: wire.replace(b"<team@council", b"<bob@council"),
    "in Base64": lambda wire: wire.replace(
        b"7bit\r\n\r\nDear Ann", b"base64\r\n\r\nYm9iQGIuZXhhbXBsZQ=="
    ),
}


@pytest.mark.parametrize("change", DISCLOSURES.values(), ids=DISCLOSURES.keys())
def test_somebody_else_on_the_wire_stops_the_campaign(change):
    made = template()
    wire = made.message(row(), MARKS).wire
    changed = change(wire)
    assert changed != wire

    with pytest.raises(SomebodyElse):
        check_wire(changed, ANN, allowed(made))


def test_the_file_of_somebody_else_is_looked_into():
    made = template(
        attachments=(
            Attached("ann.txt", "text/plain", b"for ann@a.example", "File"),
            Attached("bob.txt", "text/plain", b"for bob@b.example", "File"),
        )
    )
    own = made.message(row(file="ann.txt"), MARKS).wire
    others = made.message(row(file="bob.txt"), MARKS).wire

    check_wire(own, ANN, allowed(made))
    with pytest.raises(SomebodyElse):
        check_wire(others, ANN, allowed(made))


def test_what_stands_where_a_value_is_missing_is_constant_text():
    made = template(
        subject="Bins {{ ref | default('for all') }}",
        markdown="Dear {{ name | default('Bob Lee') | upper }}",
    )

    texts = made.constant_texts()

    assert "for all" in texts
    assert texts.count("BOB LEE") == 2  # of the text and of the HTML
