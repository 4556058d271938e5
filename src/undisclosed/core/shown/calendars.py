# SPDX-License-Identifier: Apache-2.0
"""Calendars: an invitation shows everybody who is invited (RFC 5545, RFC 5546).

ATTENDEE and ORGANIZER name people by ``mailto:``, or by a ``urn:`` with the address in
``EMAIL=``; CN, DELEGATED-TO, DELEGATED-FROM, SENT-BY, MEMBER and any X- parameter may
name more. Resources are people, too: rooms are booked by address, and meeting
requests put there whom their author meant to hide. Every other line is read as text,
but for those that hold identifiers (UID), which look like addresses and are none.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from undisclosed.core.address import Address
from undisclosed.core.charsets import decode
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.html_body import read_html_body
from undisclosed.core.text import addresses_in_text, has_at_sign, html_has_at_sign
from undisclosed.core.transfer_encodings import BASE64, stream
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
_MORE_THAN_ONE_WORD = re.compile(r"[\s,;:<>\"()]|@.*@", re.DOTALL)
_DATA = re.compile(r"(?i)\bdata:[^,\"]{0,200};base64,([a-z0-9+/=\s]+)")
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
        if not is_identifier(line) and names_anybody(line):
            named = line.name in _NAMED
            channel = PREFIX + line.name if named else OTHER
            yield channel, people_of(line)


def files_in(text: str) -> Iterator[tuple[str, str, bytes]]:
    """Media type, name and Base64 of each file inside of a calendar (§3.8.1.1)."""
    for line in content_lines(text):
        if line.name == "ATTACH" and _is_base64(line):
            given = {name: value.strip('" ').lower() for name, value in line.parameters}
            name = given.get("FILENAME") or given.get("X-FILENAME") or ""
            yield given.get("FMTTYPE", ""), name, line.value.encode("utf-8", "replace")


def is_identifier(line: ContentLine) -> bool:
    """Whether the line is one word that tells apart what may look like an address."""
    return line.name in _IDENTIFIERS and not (
        line.parameters or _MORE_THAN_ONE_WORD.search(line.value.strip())
    )


def names_anybody(line: ContentLine) -> bool:
    """Whether an at sign is in the line, in any form."""
    value = line.value
    return (
        has_at_sign(value)
        or "=40" in value
        or ("&" in value and html_has_at_sign(unescaped(value)))
        or any(has_at_sign(given) for _, given in line.parameters)
        or any(map(has_at_sign, _coded_texts(line)))
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


def _is_base64(line: ContentLine) -> bool:
    """RFC 5545 §3.2.7 calls it BASE64, vCard 3.0 (RFC 2426 §2.4.1) b."""
    return line.has("ENCODING", "BASE64") or line.has("ENCODING", "B")


def _coded_texts(line: ContentLine) -> Iterator[str]:
    """The texts that a line holds in Base64: its value, or a ``data:`` URI (RFC 2397).

    What is no text has no at sign in it but by chance, and names nobody.
    """
    values = [line.value, *(given for _, given in line.parameters)]
    # What is attached is read as a file (files_in).
    coded = [line.value] if line.name != "ATTACH" and _is_base64(line) else []
    coded += [one for value in values for one in _DATA.findall(value)]
    for one in coded:
        coded_bytes = one.encode("utf-8", "replace")
        yield decode(b"".join(stream(coded_bytes, 0, len(coded_bytes), BASE64)))


def _texts(line: ContentLine) -> Iterator[str]:
    if line.name == NO_LINE:
        yield line.value
        return
    yield unescaped(line.value)
    if "%" in line.value:
        # RFC 6068 §2: any character of an address may be written so.
        yield unquote(unescaped(line.value))
    if "=40" in line.value:
        yield unescaped(from_quoted_printable(line.value))
    yield from _coded_texts(line)
    for _, value in line.parameters:
        if has_at_sign(value):
            yield unescaped_parameter(value)
