# SPDX-License-Identifier: Apache-2.0
"""What goes over the pipes between the pool and its children: bytes and values.

A child that a document has taken over may send anything, so an answer is plain data:
nothing in it is run, and every length is checked.
"""

import json
import struct

from undisclosed.core.documents import KINDS, Document, DocumentText
from undisclosed.errors import UndisclosedError

REQUEST = struct.Struct(">BQ")
"""Number of the kind in ``KINDS``, bytes of content. Then the content."""

ANSWER = struct.Struct(">IQ")
"""Bytes of the head, bytes of what it tells the lengths of. Then both."""

LONGEST_HEAD = 16 * 1024 * 1024
LONGEST_ANSWER = 80 * 1024 * 1024


class BadAnswer(UndisclosedError):
    """A child answered what is no answer."""


def request(kind: str, content: bytes) -> bytes:
    """The head of a request; the content follows it."""
    return REQUEST.pack(KINDS.index(kind), len(content))


def answer(document: Document, *, is_last: bool) -> bytes:
    """A whole answer. ``is_last``: the child ends after it."""
    texts = [
        (one.channel, one.text.encode("utf-8", "surrogatepass"))
        for one in document.texts
    ]
    head = json.dumps(
        {
            "texts": [[channel, len(text)] for channel, text in texts],
            "messages": [len(message) for message in document.messages],
            "uncertain": document.uncertain,
            "is_recall": document.is_recall,
            "is_last": is_last,
        }
    ).encode()
    body = b"".join((*(text for _, text in texts), *document.messages))
    return ANSWER.pack(len(head), len(body)) + head + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """Bytes of head and body of the answer that begins so. Raises BadAnswer."""
    head, body = ANSWER.unpack(prefix)
    if head > LONGEST_HEAD or body > LONGEST_ANSWER:
        raise BadAnswer
    return head, body


def read_answer(head: bytes, body: bytes) -> tuple[Document, bool]:
    """The document, and whether the child ends now. Raises BadAnswer."""
    try:
        told = json.loads(head)
        texts, at = [], 0
        for channel, length in told["texts"]:
            texts.append(DocumentText(str(channel), _text(body, at, length)))
            at += length
        messages = []
        for length in told["messages"]:
            messages.append(body[at : at + length])
            at += length
        uncertain = tuple(str(sentence) for sentence in told["uncertain"])
        return (
            Document(tuple(texts), tuple(messages), uncertain, told["is_recall"]),
            bool(told["is_last"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadAnswer from None


def _text(body: bytes, at: int, length: int) -> str:
    return body[at : at + length].decode("utf-8", "surrogatepass")
