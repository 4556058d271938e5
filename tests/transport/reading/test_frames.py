# SPDX-License-Identifier: Apache-2.0
"""What goes over the pipes comes back as it was; anything else is no answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.documents import KINDS, Document, DocumentText
from undisclosed.transport.reading import frames
from undisclosed.transport.reading.frames import BadAnswer

texts = st.builds(DocumentText, st.text(), st.text(st.characters()))
documents = st.builds(
    Document,
    st.lists(texts).map(tuple),
    st.lists(st.binary()).map(tuple),
    st.lists(st.text()).map(tuple),
    st.booleans(),
)


@given(documents, st.booleans())
def test_an_answer_comes_back_as_it_was(document, is_last):
    answer = frames.answer(document, is_last=is_last)
    head, body = frames.lengths(answer[: frames.ANSWER.size])
    rest = answer[frames.ANSWER.size :]

    assert len(rest) == head + body
    assert frames.read_answer(rest[:head], rest[head:]) == (document, is_last)


@given(st.sampled_from(KINDS), st.binary())
def test_a_request_names_kind_and_length(kind, content):
    number, size = frames.REQUEST.unpack(frames.request(kind, content))

    assert (KINDS[number], size) == (kind, len(content))


@given(st.binary(), st.binary())
def test_what_is_no_answer_is_refused(head, body):
    with pytest.raises(BadAnswer):
        frames.read_answer(head, body)


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 100_000,
        b"{}",
        b"[]",
        json.dumps({"texts": [["a", "b"]]}).encode(),
        json.dumps({"texts": [], "messages": 3}).encode(),
    ],
    ids=["deep", "empty", "list", "length", "number"],
)
def test_what_only_looks_like_an_answer_is_refused(head):
    with pytest.raises(BadAnswer):
        frames.read_answer(head, b"")


def test_an_answer_beyond_the_limit_is_refused():
    with pytest.raises(BadAnswer):
        frames.lengths(frames.ANSWER.pack(10, frames.LONGEST_ANSWER + 1))
