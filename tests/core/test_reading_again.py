# SPDX-License-Identifier: Apache-2.0
"""A private copy that is read again in part says what it says when read whole."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, envelope
from tests.core.test_private import headers, people_of_a_mail
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.notes import Notes
from undisclosed.core.policy import Policy
from undisclosed.core.private import private_copy, read_copy
from undisclosed.core.reading import FieldsBefore, read_content
from undisclosed.core.shown import name_and_channel

MESSAGES = Path(__file__).parents[1] / "messages"
OF_BYTES = ("header", "text_parts", "editable", "documents")
"""What says where something stands in the bytes, or keeps them."""


def said(reading: Reading) -> dict[str, object]:
    """Everything that a reading says, but for places in the bytes."""
    of_reading = {
        one.name: getattr(reading, one.name)
        for one in dataclasses.fields(reading)
        if one.compare and one.name != "content"
    }
    content = reading.content
    of_content = {
        one.name: getattr(content, one.name)
        for one in dataclasses.fields(content)
        if one.name not in OF_BYTES
    }
    return {
        **of_reading,
        **of_content,
        "cuts": content.header.cuts,
        "text": content.visible_text,
        "order": [list(content.in_header), list(content.in_text)],
    }


def assert_the_same_again(mail: Mail, policy: Policy) -> None:
    """Each copy says the same, whether it is read in part or whole."""
    reading = read(mail, policy)
    for viewer in sorted(reading.outside_viewers):
        recipient = Recipient(viewer)
        patch = private_copy(mail.content, reading, viewer, policy)
        alone = dataclasses.replace(mail.envelope, recipients=(recipient,))
        whole = read(Mail(alone, patch.apply(mail.content)), policy)

        again = read_copy(mail, reading, patch, recipient, policy)

        assert said(again) == said(whole)
        judged = [judge(one, NOTHING_KNOWN, policy) for one in (again, whole)]
        assert judged[0] == judged[1]


policies = st.sampled_from([POLICY, Policy()])


@given(headers, people_of_a_mail, policies, st.binary(max_size=60))
def test_a_copy_of_any_mail_says_the_same_again(header, viewers, policy, body):
    content = f"From: sam@council.example\r\n{header}\r\n".encode() + body

    assert_the_same_again(Mail(envelope(viewers), content), policy)


@pytest.mark.parametrize(
    "path", sorted(MESSAGES.rglob("*.eml")), ids=lambda path: path.stem
)
def test_a_copy_of_a_message_says_the_same_again(path):
    content = path.read_bytes()
    found = read_content(content, POLICY)
    viewers = [*found.destinations, *found.in_header, SAM][:20]

    assert_the_same_again(Mail(envelope(viewers), content), POLICY)


def test_what_a_limit_cuts_short_is_neither_kept_nor_taken_from_before():
    header = read_content(b"To: ann@a.example, bob@b.example\r\n", POLICY).header
    raw_name, body, *_ = header.cuts[0]
    channel = name_and_channel(raw_name)[1]
    assert channel is not None
    before, fresh = FieldsBefore(header), FieldsBefore(header)

    read_whole = before.read(raw_name, body, channel, Notes(POLICY.max_shown))
    cut = before.read(raw_name, body, channel, nearly_full := Notes(0, at_signs=999))
    first_cut = fresh.read(raw_name, body, channel, Notes(0, at_signs=999))
    then_whole = fresh.read(raw_name, body, channel, Notes(POLICY.max_shown))

    assert len(read_whole[1]) == 2
    assert read_whole == then_whole
    assert cut == first_cut == ("ann@", [])
    assert nearly_full.uncertain
