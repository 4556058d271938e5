# SPDX-License-Identifier: Apache-2.0
"""Every field has its channel, and its name is one that users read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.shown import FIELD_CHANNELS, channel_of, name_and_channel
from undisclosed.core.shown.channel import Role, usual_spelling

DESTINATIONS = ["to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"]
REMOVED = ["bcc", "resent-bcc", "apparently-to", "x-apparently-to", "envelope-to",
           "x-envelope-to", "x-original-to", "x-rcpt-to", "x-to", "x-cc", "x-bcc",
           "x-recipients", "x-smtp-rcpt-to"]  # fmt: skip
STAYING = ["to", "delivered-to", "x-delivered-to", "reply-to", "x-reply-to", "received",
           "x-confirm-reading-to", "errors-to", "x-failed-recipients", "subject",
           "x-complaints-to", "x-in-reply-to", "x-anything",
           "autocrypt-gossip"]  # fmt: skip
NOBODY = ["message-id", "resent-message-id", "references", "content-id",
          "x-google-original-message-id"]  # fmt: skip


@pytest.mark.parametrize("name", DESTINATIONS)
def test_destination_fields_are_destinations(name):
    assert FIELD_CHANNELS[name].role is Role.DESTINATION


@pytest.mark.parametrize("name", REMOVED)
def test_what_repeats_the_envelope_is_removed(name):
    channel = channel_of(name)

    assert channel is not None
    assert channel.is_removable


@pytest.mark.parametrize("name", STAYING)
def test_other_fields_stay(name):
    channel = channel_of(name)

    assert channel is not None
    assert not channel.is_removable


@pytest.mark.parametrize("name", NOBODY)
def test_identifiers_are_nobody(name):
    channel = channel_of(name)

    assert channel is not None
    assert channel.read("<1.ann@mx.a.example> <2.bob@mx.b.example>") == []
    assert channel.read("1.ann@mx.a.example") == []


@pytest.mark.parametrize("name", NOBODY)
@pytest.mark.parametrize(
    "text",
    ["ann@a.example, bob@b.example", "Ann <ann@a.example>, Bob <bob@b.example>"],
    ids=["bare", "with names"],
)
def test_a_list_of_people_where_identifiers_belong_is_read(name, text):
    channel = channel_of(name)

    assert channel is not None
    assert {one.person for one in channel.read(text)} == {
        "ann@a.example",
        "bob@b.example",
    }


@given(st.text(max_size=60))
def test_every_name_has_a_channel_whose_label_holds_no_address(name):
    channel = channel_of(name.lower())

    assert channel is None or "@" not in channel.label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("to", "To"),
        ("x-original-to", "X-Original-To"),
        ("resent-bcc", "Resent-Bcc"),
        ("x-smtpapi", "X-SMTPAPI"),
        ("dkim-signature", "DKIM-Signature"),
        ("", "a line that is no field"),
        ("ann@a.example", "a field with an odd name"),
    ],
)
def test_a_field_is_called_as_people_write_it(name, label):
    assert usual_spelling(name) == label


def test_long_names_are_read_as_well():
    name, channel = name_and_channel(b"X-" + b"a" * 500)

    assert len(name) == 502
    assert channel is not None
