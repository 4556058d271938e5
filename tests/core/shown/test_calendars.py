# SPDX-License-Identifier: Apache-2.0
"""Calendars show whom they show: against others' readings, and in any spelling."""

import base64
import json
import re
from pathlib import Path

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import address_lists
from undisclosed.core.address import person_of
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

POLICY = Policy()
CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "ical"
FIELDS = b"From: own@own.invalid\r\nContent-Type: text/calendar\r\n\r\n"


def people_in(calendar: bytes) -> set[str]:
    """Everybody whom a calendar shows."""
    reading = read_content(FIELDS + calendar, POLICY)
    return {one.person for one in (*reading.in_text, *reading.in_forwarded)}


def persons(spellings: list[str]) -> set[str]:
    """Addresses of a reference, but for those that it could not decode itself."""
    pairs = [
        one.rpartition("@") for one in spellings if not re.search("[\0\ufffd]", one)
    ]
    return {person_of(local, domain) for local, _, domain in pairs if local and domain}


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpora are not beside the checkout"
)
@pytest.mark.timeout(120)
def test_nobody_is_missed_whom_others_find_in_a_calendar() -> None:
    missed = {}
    for line in (CORPUS / "reference.jsonl").read_text("utf-8").splitlines():
        entry = json.loads(line)
        named = entry["regex_people"] + entry["email_param"]
        expected = persons(named + entry.get("icalendar_people", []))
        found = people_in((CORPUS / entry["path"]).read_bytes())
        if not expected <= found:
            missed[entry["path"]] = len(expected - found)

    assert missed == {}


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpora are not beside the checkout"
)
@pytest.mark.timeout(120)
def test_every_file_of_the_corpus_is_read() -> None:
    files = [path for path in sorted(CORPUS.rglob("*.ics")) if path.is_file()]

    assert sum(isinstance(people_in(path.read_bytes()), set) for path in files) > 900


FORMS = {
    "mailto": "ATTENDEE:mailto:{}",
    "MAILTO": "ATTENDEE;RSVP=TRUE:MAILTO:{}",
    "bare": "ATTENDEE:{}",
    "EMAIL": "ATTENDEE;CN=Ann;EMAIL={}:urn:uuid:1",
    "quoted EMAIL": 'ATTENDEE;EMAIL="{}";CN=Ann:urn:uuid:1',
    "CN": 'ATTENDEE;CN="Ann, {}":urn:uuid:1',
    "CN with angles": 'ATTENDEE;CN="Ann <{}>":urn:uuid:1',
    "SENT-BY": 'ORGANIZER;SENT-BY="mailto:{}":mailto:own@own.invalid',
    "DELEGATED-TO": 'ATTENDEE;DELEGATED-TO="mailto:{}":mailto:own@own.invalid',
    "a parameter of its own": "ATTENDEE;X-WHO={}:urn:uuid:1",
    "DESCRIPTION": "DESCRIPTION:Ask\\n{}\\, please",
    "RESOURCES": "RESOURCES:Room 1,{}",
    "a property of its own": "X-INVITED:{}\\;",
    "a line that is none": "{}",
    "html": 'X-ALT-DESC;FMTTYPE=text/html:<a href="mailto:{}">Ann</a>',
}


@given(address_lists, st.data())
def test_every_spelling_in_a_calendar_is_read(
    addresses: list[str], data: st.DataObject
) -> None:
    lines = [FORMS[data.draw(st.sampled_from(sorted(FORMS)))] for _ in addresses]
    written = [line.format(one) for line, one in zip(lines, addresses, strict=True)]
    text = "BEGIN:VCALENDAR\r\n" + "".join(f"{line}\r\n" for line in written)
    fold = data.draw(st.integers(3, 75))
    folded = re.sub(rf"([^\r\n]{{{fold}}})(?=[^\r\n])", "\\1\r\n ", text)

    assert people_in(folded.encode()) >= set(addresses)


@given(address_lists)
def test_what_a_calendar_library_writes_is_read(addresses: list[str]) -> None:
    event = icalendar.Event()
    for one in addresses:
        event.add("attendee", icalendar.vCalAddress(f"MAILTO:{one}"))
    calendar = icalendar.Calendar()
    calendar.add_component(event)

    assert people_in(calendar.to_ical()) == set(addresses)


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "line",
    [
        "ATTENDEE:mailto:%61nn@a.example",
        f"DESCRIPTION;ENCODING=BASE64:{_coded('mail ann@a.example')}",
        f"ATTENDEE;ENCODING=BASE64;VALUE=BINARY:{_coded('mailto:ann@a.example')}",
        f"ATTACH:data:text/plain;base64,{_coded('mail ann@a.example')}",
        f"ATTACH;ENCODING=B;VALUE=BINARY:{_coded('mail ann@a.example')}",
        f'DESCRIPTION;ALTREP="data:text/html;base64,{_coded("<p>ann@a.example")}":x',
        f"X-ALT-DESC;ENCODING=BASE64:{_coded('<a>ann@a.example</a>')}",
        "X-ALT-DESC;FMTTYPE=text/html:<p>ann&#64\\;a.example</p>",
        "UID:1\r\n ATTENDEE:mailto:ann@a.example",
        "UID:bob@b.example\\, ann@a.example",
        "UID;CN=ann@a.example:1",
    ],
)
def test_whom_a_line_names_in_any_form_is_read(line: str) -> None:
    calendar = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\n"

    assert "ann@a.example" in people_in(calendar.encode())


def test_an_identifier_names_nobody() -> None:
    lines = "UID:20261102T120000Z-1@a.example\r\nRELATED-TO:ann@a.example\r\n"

    assert people_in(f"BEGIN:VCALENDAR\r\n{lines}".encode()) == set()
