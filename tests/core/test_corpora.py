# SPDX-License-Identifier: Apache-2.0
"""Real and hostile mail, where the corpora are: nobody is missed, nothing raises."""

import gzip
import json
import re
from pathlib import Path

import pytest

from undisclosed.core.address import parse_addr_spec, person_of
from undisclosed.core.encoded_words import field_text
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"
POLICY = Policy()

pytestmark = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the corpora are not beside the checkout"
)


def _person(spelling):
    local_part, _, domain = spelling.strip().rpartition("@")
    return person_of(local_part, domain)


def _readable(spelling):
    # The reference replaced 8-bit characters; an address needs two sides; a word that
    # was not decoded there is decoded here.
    local_part, at_sign, domain = spelling.rpartition("@")
    is_whole = bool(at_sign and domain and local_part.lstrip("@") == local_part != "")
    return is_whole and not re.search("\ufffd|=[?]", spelling)


def _lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _messages(mailbox):
    data = gzip.decompress(mailbox.read_bytes())
    for raw in re.split(rb"(?m)^From corpus-\d+@localhost .*\n", data)[1:]:
        yield re.sub(rb"(?m)^>(>*From )", rb"\1", raw)


def _recipients(content):
    own = (content.author, content.sender)
    everybody = [*content.in_header, *content.in_removed, *content.destinations, *own]
    return {address.person for address in everybody if address}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "mailbox", sorted((CORPORA / "realmail").glob("*.mbox.gz")), ids=lambda p: p.stem
)
def test_no_recipient_of_real_mail_is_missed(mailbox):
    index = mailbox.with_name(mailbox.name.replace(".mbox.gz", ".index.jsonl.gz"))
    entries = [
        json.loads(line) for line in gzip.decompress(index.read_bytes()).splitlines()
    ]

    missed = []
    for message, entry in zip(_messages(mailbox), entries, strict=True):
        content = read_content(message, POLICY)
        shown = _recipients(content)
        expected = filter(_readable, entry["recipients"] or ())
        if entry["agree"] and not {_person(each) for each in expected} <= shown:
            missed.append(entry["n"])
        assert not content.uncertain

    assert missed == []


def test_hard_headers_show_at_least_what_any_parser_finds():
    missed = []
    for case in _lines(CORPORA / "hard-headers/cases.jsonl"):
        found = set()
        for header in case["headers"]:
            text = field_text(header.encode("utf-8", "surrogateescape"))
            found |= {address.person for address in mailboxes(text)}
        missed += [
            each
            for each in filter(_readable, case["union"])
            if _person(each) not in found
        ]

    # Four are one parser's own: it glued neighbours, or read a neighbour's quotes.
    assert len(missed) <= 4


def test_no_address_of_the_third_party_cases_is_lost():
    lost = []
    for case in _lines(CORPORA / "addresses/cases.jsonl"):
        text = field_text(case["header"].encode("utf-8", "surrogateescape"))
        found = {address.person for address in mailboxes(text)}
        lost += [each for each in _expected(case) if _person(each) not in found]

    assert lost == []


def _expected(case):
    expected = case["expected"]
    if case.get("form") == "canonical" or "\\x" in case["header"]:
        return []
    if expected in ("valid", "ISEMAIL_VALID_CATEGORY") and "@" in case["header"]:
        address = parse_addr_spec(case["header"])
        return [address.spelled_out()] if address else []
    if not isinstance(expected, list):
        return []
    spellings = [
        each if isinstance(each, str) else each["address"] for each in expected if each
    ]
    # What a parser gave up on comes back whole, with its brackets or control
    # characters; mailto: is no part of an address.
    return [
        re.sub(r"^mailto:([^?]*).*", r"\1", each)
        for each in spellings
        if each and _readable(each) and not re.search(r'[\x00-\x1f<>]|^"[^"]*$', each)
    ]


def _torture():
    folder = CORPORA / "mime-torture"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if path.parent != folder]


@pytest.mark.timeout(300)
def test_torture_files_neither_raise_nor_hang():
    for path in _torture():
        content = read_content(path.read_bytes(), POLICY)

        assert isinstance(content.visible_text, str)


@pytest.mark.timeout(300)
def test_no_recipient_of_the_torture_files_is_missed():
    missed = []
    for case in _lines(CORPORA / "mime-torture/reference.jsonl"):
        if case["kind"] != "msg" or not case["agree"]:
            continue
        content = read_content(
            (CORPORA / "mime-torture" / case["path"]).read_bytes(), POLICY
        )
        shown = _recipients(content)
        missed += [
            (case["path"], each)
            for each in filter(_readable, case["recipients"])
            if _person(each) not in shown
        ]
        forwarded = {address.person for address in content.in_forwarded} | shown
        forwarded |= {address.person for address in content.in_text}
        for nested in case.get("nested_rfc822_recipients", ()):
            missed += [
                (case["path"], "attached", each)
                for each in filter(_readable, nested)
                if _person(each) not in forwarded
            ]

    assert missed == []
