# SPDX-License-Identifier: Apache-2.0
"""Confidential data in text: what is one, what only looks like one."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.send.checks import scanning
from undisclosed.send.checks.folding import fold
from undisclosed.send.checks.identifiers import KINDS
from undisclosed.send.checks.scanning import ReEngine, Scanner, best_engine, scanner

PII = Path(__file__).parents[4] / "shared" / "corpora" / "pii"
BY_RE = Scanner(engine=ReEngine(KINDS))

PIECES = st.sampled_from([
    "943 476 5919", "9434765919", "NHS", "AB 12 34 56 C", "ab123456c", "BSN 111222333",
    "111222333", "130.692.544", "4111 1111 1111 1111", "4111-1111-1111-1112",
    "GB82 WEST 1234 5698 7654 32", "NL91ABNA0417164300", " ", "\n", ":", ".", "-", "+",
    "+44 20 7946 0958", "020 7946 0958", "date of birth", "1.2.1980", "1980-02-01",
    "130 692 544", "046 454 286", "password: s3cret!", "passport", "123456789", "0",
    "é", "\u00ad", "１２３４", "SW1A 1AA", "1234 AB", "192.0.2.1",
    "8.8.8.8", "078-05-1121",
])  # fmt: skip


def names(text, label=""):
    return [hit.kind.name for hit in scanner().scan(text, label=label)]


@given(st.lists(PIECES | st.text("0123456789 -.ABCN\n", max_size=12), max_size=12))
def test_hyperscan_and_re_find_the_same(pieces):
    if not scanning.HAS_HYPERSCAN:
        pytest.skip("hyperscan is not installed here")
    text = "".join(pieces)

    assert scanner().scan(text) == BY_RE.scan(text)


def test_hyperscan_and_re_find_the_same_in_real_texts():
    path = PII / "presidio-research" / "data" / "synth_dataset_v2.json"
    if not path.exists() or not scanning.HAS_HYPERSCAN:
        pytest.skip("the corpus of texts or hyperscan is missing")
    for one in json.loads(path.read_text("utf-8")):
        text = one["full_text"]
        assert scanner().scan(text) == BY_RE.scan(text)


@given(st.text())
def test_no_text_raises_and_hits_do_not_overlap(text):
    hits = scanner().scan(text)

    assert all(a.end <= b.start for a, b in pairwise(hits))
    assert all(fold(text)[hit.start : hit.end] == hit.text for hit in hits)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AB 12 34 56 C", "uk-national-insurance"),
        ("ab123456c", "uk-national-insurance"),
        ("943 476 5919", "uk-nhs"),
        ("NHS number: 9434765919", "uk-nhs"),
        ("UTR 1955839661", "uk-utr"),
        ("sort code 12-34-56", "uk-bank-account"),
        ("MORGA657054SM9IJ", "uk-driver"),
        ("BSN: 111222333", "nl-bsn"),
        ("1112.22.333", "nl-bsn"),
        ("SIN 130 692 544", "ca-sin"),
        ("130-692-544", "ca-sin"),
        ("PHN 9879 869 673", "ca-health-bc"),
        ("RAMQ: TREM 5903 1813", "ca-health-quebec"),
        ("078-05-1121 or 536-90-4399", "us-ssn"),
        ("GB82 WEST 1234 5698 7654 32", "iban"),
        ("gb82west12345698765432 is ours", "iban"),
        ("4111 1111 1111 1111", "payment-card"),
        ("4111\u00a01111\u00a01111\u00a01111", "payment-card"),
        ("４１１１ １１１１ １１１１ １１１１", "payment-card"),
        ("4111 11\u00ad11 1111 1111", "payment-card"),
        ("date of birth: 1.2.1980", "date-of-birth"),
        ("née le 01/02/1980", "date-of-birth"),
        ("Password: hunter2!", "password"),
        ("-----BEGIN RSA PRIVATE KEY-----", "private-key"),
        ("passport no. 123456789", "passport"),
        ("call +44 20 7946 0958", "telephone"),
        ("(416) 967-1111", "telephone"),
        ("from 8.8.8.8", "internet-address"),
        ("SW1A 1AA", "postcode"),
    ],
)  # fmt: skip
def test_a_number_is_found_with_its_kind(text, name):
    assert name in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "BG 12 34 56 C",
        "9434765919",
        "943 476 5918",
        "111222333",
        "BSN: 111222334",
        "SIN 130 692 545",
        "4111 1111 1111 1112",
        "GB82 WEST 1234 5698 7654 33",
        "1111 1111 1111 1111",
        "invoice 20261121 of 21.11.2026",
        "born to be wild",
        "x4111111111111111y",
        "192.168.1.20",
        "room 12-34-56",
    ],
)
def test_what_only_looks_like_one_is_left(text):
    assert not [one for one in names(text) if one not in ("telephone", "postcode")]


def test_a_columns_name_is_a_label():
    assert names("111222333", label="BSN") == ["nl-bsn"]
    assert names("111222333", label="Business") == []


def test_many_valid_numbers_need_no_label():
    numbers = ("111222333", "123456782", "100000009", "232262536", "010464554")

    assert names("\n".join(numbers)) == ["nl-bsn"] * 5
    assert names("\n".join(numbers[:4])) == []


def test_numbers_of_which_few_are_valid_are_no_kind():
    some = [f"{n:09d}" for n in range(200_000_000, 200_000_200)]

    assert "nl-bsn" not in names("\n".join(some))


def test_every_pattern_compiles_in_the_engine_that_is_used():
    assert dict(best_engine(KINDS).spans("AB 12 34 56 C"))
    assert len({(one.name, one.pattern, one.labels) for one in KINDS}) == len(KINDS)
