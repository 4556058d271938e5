# SPDX-License-Identifier: Apache-2.0
"""A patch: byte edits that make a copy of a message out of the message itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace content[start:end] with ``text``."""

    start: int
    end: int
    text: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Patch:
    """Edits of the content, ascending and not overlapping."""

    edits: tuple[Edit, ...] = ()

    def apply(self, content: bytes) -> bytes:
        """The content with every edit made; all other bytes untouched."""
        pieces: list[bytes] = []
        position = 0
        for edit in self.edits:
            pieces += (content[position : edit.start], edit.text)
            position = edit.end
        pieces.append(content[position:])
        return b"".join(pieces)
