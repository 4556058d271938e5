# SPDX-License-Identifier: Apache-2.0
"""Messages with a document, each beside what a reader of documents finds in it."""

import json
from pathlib import Path

import pytest

from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.transport.reading.pool import PooledReader

MESSAGES = Path(__file__).parents[2] / "messages"
VECTORS = [
    path
    for path in sorted(MESSAGES.rglob("*.eml"))
    if "with_reader" in json.loads(path.with_suffix(".json").read_text("utf-8"))
]


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


def test_there_is_a_message_for_every_form_of_document():
    assert len(VECTORS) >= 12


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_a_document_shows_whom_it_shows(path, reader):
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))["with_reader"]

    content = read_content(path.read_bytes(), Policy(), reader=reader)

    assert expected == {
        "in_text": _people(content.in_text),
        "in_forwarded": _people(content.in_forwarded),
        "recall": content.recall,
        "uncertain": list(content.uncertain),
    }


def _people(shown):
    return {address.person: list(channels) for address, channels in shown.items()}
