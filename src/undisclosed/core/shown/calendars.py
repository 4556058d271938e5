# SPDX-License-Identifier: Apache-2.0
"""Calendars: an invitation shows everybody who is invited (RFC 5545, RFC 5546).

ATTENDEE and ORGANIZER name people by ``mailto:``, or by a ``urn:`` with the address in
``EMAIL=``; CN, DELEGATED-TO, DELEGATED-FROM, SENT-BY, MEMBER and any X- parameter may
name more. Resources are people, too: rooms are booked by address, and meeting
requests put there whom their author meant to hide. Every other line is read as text,
but for those that hold identifiers (UID), which look like addresses and are none.
"""

from collections.abc import Iterator

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.html_body import read_html_body
from undisclosed.core.text import addresses_in_text, has_at_sign
from undisclosed.formats.calendar import (
    NO_LINE,
    ContentLine,
    content_lines,
    from_quoted_printable,
    unescaped,
    unescaped_parameter,
)

PREFIX = "calendar "
OTHER = "calendar: other lines"
PEOPLE = ("ATTENDEE", "ORGANIZER", "RESOURCES", "CONTACT", "PARTICIPANT", "FREEBUSY")
"""The properties whose values are people, and the words for them."""

_NAMED = (*PEOPLE, "DESCRIPTION", "LOCATION", "SUMMARY", "COMMENT", "URL", "ATTACH")
_IDENTIFIERS = ("UID", "RELATED-TO", "X-MICROSOFT-CDO-OWNERAPPTID", "X-GWITEM-UID")
_BEGINS = "BEGIN:"


def is_of_people(channel: str) -> bool:
    """Whether the channel is a line that every private copy must be free of."""
    return channel == OTHER or channel.removeprefix(PREFIX) in PEOPLE


def is_calendar(text: str) -> bool:
    """Whether the text has a component, as every calendar has."""
    return _BEGINS in text.upper()


def read_calendar(text: str) -> Iterator[tuple[str, list[Address]]]:
    """Channel and people of each line of a calendar that names anybody."""
    for line in content_lines(text):
        if line.name not in _IDENTIFIERS and names_anybody(line):
            named = line.name in _NAMED
            channel = PREFIX + line.name if named else OTHER
            yield channel, people_of(line)


def files_in(text: str) -> Iterator[tuple[str, str, bytes]]:
    """Media type, name and Base64 of each file inside of a calendar (§3.8.1.1)."""
    if "BASE64" not in text.upper():
        return
    for line in content_lines(text):
        if line.name == "ATTACH" and line.has("ENCODING", "BASE64"):
            given = {name: value.strip('" ').lower() for name, value in line.parameters}
            name = given.get("FILENAME") or given.get("X-FILENAME") or ""
            yield given.get("FMTTYPE", ""), name, line.value.encode("utf-8", "replace")


def names_anybody(line: ContentLine) -> bool:
    """Whether an at sign is in the line, in any form."""
    return (
        has_at_sign(line.value)
        or "=40" in line.value
        or any(has_at_sign(value) for _, value in line.parameters)
    )


def people_of(line: ContentLine) -> list[Address]:
    """Everybody whom a content line names, in its value or a parameter."""
    found: list[Address] = []
    for text in _texts(line):
        if line.name in PEOPLE:
            found += mailboxes(text)
        found += addresses_in_text(text)
        if "<" in text:
            found += read_html_body(text)[0]
    return list(dict.fromkeys(found))


def _texts(line: ContentLine) -> Iterator[str]:
    if line.name == NO_LINE:
        yield line.value
        return
    yield unescaped(line.value)
    if "=40" in line.value:
        yield unescaped(from_quoted_printable(line.value))
    for _, value in line.parameters:
        if has_at_sign(value):
            yield unescaped_parameter(value)
