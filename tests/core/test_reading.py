# SPDX-License-Identifier: Apache-2.0
"""What a message shows is read whole, whatever its bytes."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given

from tests.strategies import (
    LIST_SPELLINGS,
    address_lists,
    hostile_bytes,
    list_spellings,
)
from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content, read_content

MESSAGES = Path(__file__).parents[1] / "messages"
POLICY = Policy()


def _people(shown):
    return {address.person: list(channels) for address, channels in shown.items()}


def _message(*fields, body="Hello.\r\n"):
    return "\r\n".join(["From: own@own.example", *fields, "", body]).encode()


@pytest.mark.parametrize(
    "path", sorted(MESSAGES.rglob("*.eml")), ids=lambda path: path.stem
)
def test_a_message_shows_whom_it_shows(path):
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    # What a reader of documents finds: tests/transport/reading/test_vectors.py.
    expected.pop("with_reader", None)

    content = read_content(path.read_bytes(), POLICY)

    assert {"in_protected": {}, "recipient_ids": 0, **expected} == {
        "author": content.author and content.author.person,
        "in_header": _people(content.in_header),
        "in_removed": _people(content.in_removed),
        "in_text": _people(content.in_text),
        "in_forwarded": _people(content.in_forwarded),
        "in_protected": _people(content.in_protected),
        "recipient_ids": content.recipient_ids,
        "auto_submitted": content.auto_submitted,
        "recall": content.recall,
        "uncertain": list(content.uncertain),
    }


def test_every_message_has_its_expected_reading_beside_it():
    messages = {path.with_suffix("") for path in MESSAGES.rglob("*.eml")}
    readings = {path.with_suffix("") for path in MESSAGES.rglob("*.json")}

    assert messages == readings
    assert len(messages) > 90


@given(hostile_bytes)
def test_reading_never_raises(content):
    reading = read_content(content, POLICY)

    assert isinstance(reading.visible_text, str)
    assert all("@" not in sentence for sentence in reading.uncertain)


@given(address_lists, list_spellings)
def test_everybody_in_to_is_shown_and_a_destination(addresses, spelling):
    content = _message(f"To: {LIST_SPELLINGS[spelling](addresses)}")

    reading = read_content(content, POLICY)

    assert set(_people(reading.in_header)) >= set(addresses)
    assert {each.person for each in reading.destinations} >= set(addresses)


@given(address_lists)
def test_hiding_somebody_never_shows_more(addresses):
    before = read_content(_message(f"To: {', '.join(addresses)}"), POLICY)
    after = read_content(_message(f"To: {', '.join(addresses[1:])}"), POLICY)

    assert set(_people(after.shown)) <= set(_people(before.shown))


def test_removals_cut_whole_fields_and_nothing_else():
    content = _message("To: a@a.example", "Bcc: b@b.example,\r\n c@c.example", "X: y")

    (removal,) = read_content(content, POLICY).removals

    cut = content[: removal.start] + content[removal.end :]
    assert cut == _message("To: a@a.example", "X: y")
    assert removal.field == "Bcc"
    assert read_content(cut, POLICY).removals == ()


def test_a_bcc_that_holds_names_only_is_removed():
    assert read_content(_message("Bcc: Ann Lee"), POLICY).removals


def test_an_empty_bcc_is_left():
    assert not read_content(_message("Bcc: "), POLICY).removals


def test_a_gateway_field_that_names_the_author_alone_is_left():
    assert not read_content(_message("X-Original-To: own@own.example"), POLICY).removals


def test_mail_that_others_wrote_is_not_edited():
    policy = Policy(own_domains=frozenset({"council.example"}))

    reading = read_content(_message("Bcc: a@a.example"), policy)

    assert reading.removals == ()
    assert _people(reading.in_header) == {"a@a.example": ["Bcc"]}


def test_mail_of_a_sub_domain_is_ours():
    policy = Policy(own_domains=frozenset({"own.example"}))
    content = b"From: x@sub.own.example\r\nBcc: a@a.example\r\n\r\n"

    assert read_content(content, policy).removals


def test_the_author_is_who_is_in_angle_brackets():
    content = b'From: "bob@b.example" <ann@a.example>\r\n\r\n'

    reading = read_content(content, POLICY)

    assert reading.author is not None
    assert reading.author.person == "ann@a.example"
    assert set(_people(reading.in_header)) == {"bob@b.example"}


def test_a_list_hidden_in_from_is_shown():
    people = [f"p{number}@a.example" for number in range(250)]
    content = f"From: own@own.example, {', '.join(people)}\r\n\r\n".encode()

    assert set(_people(read_content(content, POLICY).in_header)) == set(people)


def test_the_author_is_not_shown_anywhere():
    own = "own@own.example"
    content = _message(
        f"To: {own}",
        f"Reply-To: {own}",
        f"Bcc: a@a.example, {own}",
        body=f"-- \r\n{own}",
    )

    assert own not in _people(read_content(content, POLICY).shown)


def test_the_body_is_read_once_for_all_private_copies():
    original = _message("To: a@a.example, b@b.example", body="Ask c@c.example.")
    whole = read_content(original, POLICY)
    copy = original.replace(b", b@b.example", b"")

    reading = read_content(copy, POLICY, body=whole)

    assert reading.shown == read_content(copy, POLICY).shown
    assert reading.in_text is whole.in_text
    assert reading.visible_text == whole.visible_text


def test_above_the_limit_reading_stops_and_says_so():
    people = ", ".join(f"p{number}@a.example" for number in range(50))

    reading = read_content(_message(f"To: {people}"), Policy(max_shown=20))

    assert len(reading.in_header) == 20
    assert reading.uncertain == ("It shows more than 20 addresses: not all were read.",)


@pytest.mark.timeout(60)
def test_two_hundred_thousand_addresses_are_bounded():
    people = ",\r\n ".join(
        f"p{number}@a{number % 99}.example" for number in range(200_000)
    )

    reading = read_content(_message(f"To: {people}"), POLICY)

    assert len(reading.in_header) == POLICY.max_shown
    assert reading.uncertain


@pytest.mark.timeout(60)
def test_a_large_attachment_is_searched_to_its_end():
    text = b"nobody here\r\n" * 700_000 + b"ann@a.example"
    body = base64.encodebytes(text).decode()
    content = _message("Content-Transfer-Encoding: base64", body=body)

    assert _people(read_content(content, POLICY).in_text) == {
        "ann@a.example": ["body text"]
    }


def test_too_many_parts_are_said():
    body = "--x\r\n\r\nhello\r\n" * 3000
    content = _message("Content-Type: multipart/mixed; boundary=x", body=body)

    (sentence,) = read_content(content, POLICY).uncertain

    assert sentence == "It has more parts, or parts nested deeper, than are read."


def test_what_nothing_reads_is_named():
    body = "--x\r\nContent-Type: image/png\r\n\r\nx\r\n--x--"
    content = _message("Content-Type: multipart/mixed; boundary=x", body=body)

    assert read_content(content, POLICY).unread_parts == ("image/png",)


def test_the_visible_text_is_plain_text_before_html():
    body = (
        "a@pre.example\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>html\r\n"
        "--x\r\n\r\nplain\r\n"
        "--x\r\nContent-Disposition: attachment\r\n\r\nattached\r\n--x--"
    )
    content = _message("Content-Type: multipart/mixed; boundary=x", body=body)

    assert read_content(content, POLICY).visible_text == "plain"


def test_the_visible_text_of_html_is_without_tags():
    content = _message("Content-Type: text/html", body="<style>x</style><p>A<br>B</p>")

    assert read_content(content, POLICY).visible_text.split() == ["A", "B"]


def test_the_visible_text_is_bounded():
    content = _message(body="word " * 100_000)

    assert len(read_content(content, POLICY).visible_text) == 65_536


def test_the_subject_is_decoded():
    content = _message("Subject: =?utf-8?q?Z=C3=B6?=\r\n =?utf-8?q?e?=")

    assert read_content(content, POLICY).subject == "Zöe"


def test_a_reading_does_not_print_an_address():
    content = _message(
        "To: ann@a.example", "Subject: ann@a.example", body="ann@a.example"
    )

    assert "ann" not in repr(read_content(content, POLICY))


def test_one_person_has_every_channel():
    content = _message("To: a@a.example", "Cc: A@A.example", body="a@a.example")

    reading: Content = read_content(content, POLICY)

    assert _people(reading.shown) == {"a@a.example": ["To", "Cc", "body text"]}
