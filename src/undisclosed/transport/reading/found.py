# SPDX-License-Identifier: Apache-2.0
"""What is found while a document is read, and how much may still be looked at."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from undisclosed.core.documents import Document, DocumentText
from undisclosed.core.text import has_at_sign
from undisclosed.errors import UndisclosedError
from undisclosed.transport.reading.limits import MEBIBYTE

BROKEN = "A document in it is broken."
PROTECTED = "A document in it is protected: it does not open without a password."
CLOSED = "An archive in it is of a form that is not read."
TOO_MUCH = "A document in it holds more, once unpacked, than is read."
OUT_OF_MEMORY = "A document in it needs more memory than is allowed."

MOST_UNPACKED = 256 * MEBIBYTE
MOST_FILES = 5_000
DEEPEST = 8
MOST_SHOWN = 16 * MEBIBYTE
"""Characters of text with at signs that are told; they take up to four bytes each."""


LONGEST_WHOLE = 64 * 1024
"""Characters of a text that is told whole; of a longer one the lines that matter."""


_ESCAPED = re.compile(r"_x((?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text of Office Open XML with its characters in place of their numbers.

    ECMA-376 part 1, §22.9.2.19: ``ann_x0040_a.example``.
    """
    return _ESCAPED.sub(lambda one: chr(int(one[1], 16)), text)


class Broken(UndisclosedError):
    """A document is not what its form asks for."""


class Protected(UndisclosedError):
    """A document does not open without a password."""


class TooMuch(UndisclosedError):
    """A document is larger, once unpacked, than is read."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked, opened and told, for a document with all in it."""

    unpacked: int = MOST_UNPACKED
    files: int = MOST_FILES
    shown: int = MOST_SHOWN

    def unpack(self, size: int) -> None:
        """Count bytes that were unpacked. Raises TooMuch."""
        self.unpacked -= size
        if self.unpacked < 0:
            raise TooMuch

    def open(self) -> None:
        """Count a file that is opened. Raises TooMuch."""
        self.files -= 1
        if self.files < 0:
            raise TooMuch


@dataclass(slots=True)
class _Kept:
    """What was found, shared by a document and everything inside it."""

    texts: dict[str, dict[str, None]] = field(default_factory=dict)
    messages: dict[bytes, None] = field(default_factory=dict)
    uncertain: dict[str, None] = field(default_factory=dict)
    is_recall: bool = False


OpenFile = Callable[[str, bytes, "Findings"], None]
"""Reads a file inside a document: its name, its bytes, where findings go."""


@dataclass(slots=True)
class Findings:
    """Where a reader puts what it finds.

    ``opener`` reads a file inside the document, whatever its form. ``around`` is the
    channel of the document around this one, ``depth`` how many are around it.
    """

    opener: OpenFile
    budget: Budget = field(default_factory=Budget)
    around: str = ""
    depth: int = 0
    kept: _Kept = field(default_factory=_Kept)

    def show(self, channel: str, text: str) -> None:
        """Text that a channel shows; kept only where it holds an at sign."""
        if "_x" in text:
            self._show(channel, unescaped(text))
        self._show(channel, text)

    def _show(self, channel: str, text: str) -> None:
        if not has_at_sign(text):
            return
        if len(text) > LONGEST_WHOLE:
            text = "\n".join(filter(has_at_sign, text.splitlines()))
        texts = self.kept.texts.setdefault(self._named(channel), {})
        if text not in texts:
            self.budget.shown -= len(text)
            if self.budget.shown < 0:
                raise TooMuch
            texts[text] = None

    def message(self, content: bytes) -> None:
        """A message inside the document (RFC 5322)."""
        self.budget.shown -= len(content)
        if self.budget.shown < 0:
            raise TooMuch
        self.kept.messages[content] = None

    def doubt(self, sentence: str) -> None:
        """Say what could not be read, once."""
        self.kept.uncertain[sentence] = None

    def recall(self) -> None:
        """The document is Outlook's recall object."""
        self.kept.is_recall = True

    def open(self, channel: str, name: str, content: bytes) -> None:
        """Read a file inside this document, as shown by this channel of it."""
        if not content:
            return
        self.budget.open()
        if self.depth >= DEEPEST:
            raise TooMuch
        inside = Findings(
            self.opener, self.budget, self._named(channel), self.depth + 1, self.kept
        )
        self.opener(name, content, inside)

    def _named(self, channel: str) -> str:
        if not self.around:
            return channel
        return f"{self.around}: {channel.removeprefix('attached ')}"

    def document(self) -> Document:
        """Everything that was found."""
        texts = (
            DocumentText(channel, "\n".join(pieces))
            for channel, pieces in self.kept.texts.items()
        )
        return Document(
            tuple(texts),
            tuple(self.kept.messages),
            tuple(self.kept.uncertain),
            self.kept.is_recall,
        )
