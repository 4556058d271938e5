# SPDX-License-Identifier: Apache-2.0
"""Where a message shows people: one file for one channel, one table of the fields.

==================  =============================================================
destinations        To, Cc, Bcc and the Resent- ones
authors             further addresses in From, Sender, Return-Path; Resent-From
replies             Reply-To and its relatives
receipts            who is told what became of the message
gateways            the envelope's recipients, left behind by servers; removed
traces              Received
identifiers         Message-ID and References: nobody, In-Reply-To: who is named
lists               List-*: a list's own addresses are nobody
other_fields        any other field
protected_fields    fields under a signature, shown instead of the message's own
quoted_headers      forwarded and quoted header blocks in a body
attached_messages   header blocks of attached messages; delivery reports
body_text           plain text
html_body           HTML
calendars           invitations: ATTENDEE and every other line
cards               vCards
encryption          whose keys encryption names; keys, certificates, signed content
documents           spreadsheets, PDF, archives, TNEF, by a reader of their own
==================  =============================================================

``parts`` is the table of what is read how in a body; docs/reference/channels.md says
of each channel which vectors show it.
"""

import functools

from undisclosed.core.header import field_name
from undisclosed.core.shown import (
    authors,
    destinations,
    gateways,
    identifiers,
    lists,
    other_fields,
    receipts,
    replies,
    traces,
)
from undisclosed.core.shown.channel import FieldChannel

FIELD_CHANNELS: dict[str, FieldChannel] = {
    **destinations.CHANNELS,
    **authors.CHANNELS,
    **replies.CHANNELS,
    **receipts.CHANNELS,
    **gateways.CHANNELS,
    **traces.CHANNELS,
    **identifiers.CHANNELS,
    **other_fields.CHANNELS,
}


LONGEST_REMEMBERED = 64
"""Bytes of a field name that is worth remembering."""


def channel_of(name: str) -> FieldChannel | None:
    """The channel of a field by its name; None for fields that name nobody."""
    known = FIELD_CHANNELS.get(name)
    if known is None:
        known = (
            identifiers.identifier_channel(name)
            or gateways.gateway_channel(name)
            or lists.list_channel(name)
            or other_fields.other_channel(name)
        )
    return known


@functools.lru_cache(maxsize=2048)
def short_name_and_channel(raw_name: bytes) -> tuple[str, FieldChannel | None]:
    """Name and channel of a field, remembered: names are few, messages many."""
    name = field_name(raw_name)
    return name, channel_of(name)


def name_and_channel(raw_name: bytes) -> tuple[str, FieldChannel | None]:
    """The field's name and its channel; nothing long is remembered."""
    if len(raw_name) <= LONGEST_REMEMBERED:
        return short_name_and_channel(raw_name)
    name = field_name(raw_name)
    return name, channel_of(name)
