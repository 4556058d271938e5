# SPDX-License-Identifier: Apache-2.0
"""Content on the wire: dots, line ends, and what must never be passed on.

Only CR LF . CR LF ends a message (RFC 5321 §4.1.1.4). Servers that took other
sequences for the end let a second mail be smuggled inside a first one, so
content in which such a sequence could stand is refused whole.
"""

import re
from collections.abc import Sequence

from undisclosed.core.verdict import Removal
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.replies import Reply

END = b"\r\n.\r\n"
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")
# A literal in front lets the search jump from one line end to the next.
_BARE_CR = re.compile(rb"\r(?!\n)")
_BARE_LF = re.compile(rb"\n(?<!\r\n)")


def end_of_content(buffer: bytearray, start: int) -> int:
    """Where the first end of data at or behind ``start`` begins; -1 without one.

    Searched from the back: it mostly stands at the very end of what has come,
    and searching backwards is the quicker way through the rest.
    """
    end = buffer.rfind(END, start)
    if end < 0 or buffer.rfind(END, start, end + len(END) - 1) < 0:
        return end
    return buffer.find(END, start)


def unstuffed(lines: bytes | bytearray) -> bytes:
    """Content as it was meant (RFC 5321 §4.5.2).

    ``lines`` begins with the CR LF of the DATA command and ends with the one
    before the final dot.
    """
    if lines.rfind(b"\r\n.") < 0:
        return bytes(memoryview(lines)[2:])
    return bytes(lines.replace(b"\r\n.", b"\r\n"))[2:]


def why_refused(content: bytes, max_text_line: int) -> Reply | None:
    """The reply to content that must not be passed on; None where it may be."""
    if has_bare_line_end(content):
        return replies.BARE_LINE_END
    if b"\0" in content:
        return replies.HAS_NUL
    if _has_longer_line(content, max_text_line):
        return replies.TEXT_LINE_TOO_LONG
    return None


def has_bare_line_end(content: bytes) -> bool:
    """Whether a CR or LF stands alone somewhere."""
    return bool(_BARE_CR.search(content) or _BARE_LF.search(content))


def _has_longer_line(content: bytes, limit: int) -> bool:
    position = 0
    while position + limit < len(content):
        line_end = content.rfind(b"\n", position, position + limit)
        if line_end < 0:
            return True
        position = line_end + 1
    return False


def with_line_ends(content: bytes) -> bytes:
    """Every line ended by CR LF, as SMTP has it (RFC 5321 §2.3.8)."""
    if has_bare_line_end(content):
        content = _ANY_LINE_END.sub(b"\r\n", content)
    return content


def wire(content: bytes, trace: bytes = b"", removals: Sequence[Removal] = ()) -> bytes:
    """What is sent after 354: trace field, content without the removals, final dot.

    Lines of the content end in CR LF. Dots are doubled only where a line begins
    with one; the bytes are copied once.
    """
    pieces: list[bytes | memoryview] = [trace]
    if content.rfind(b"\r\n.") >= 0 or content.startswith(b"."):
        pieces.append(_stuffed(_cut(content, removals)))
    elif not removals:
        pieces.append(content)
    else:
        pieces += _kept(content, removals)
    pieces.append(b".\r\n" if content.endswith(b"\r\n") or not content else END)
    return b"".join(pieces)


def _kept(content: bytes, removals: Sequence[Removal]) -> list[memoryview]:
    view, position, pieces = memoryview(content), 0, []
    for removal in sorted(removals, key=lambda removal: removal.start):
        if removal.start > position:
            pieces.append(view[position : removal.start])
        position = max(position, removal.end)
    pieces.append(view[position:])
    return pieces


def _cut(content: bytes, removals: Sequence[Removal]) -> bytes:
    return b"".join(_kept(content, removals)) if removals else content


def _stuffed(content: bytes) -> bytes:
    stuffed = content.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def hops(content: bytes) -> int:
    """How many Received fields the header block has (RFC 5321 §6.3)."""
    if content.startswith(b"\r\n"):
        return 0
    end = content.find(b"\r\n\r\n")
    header = b"\n" + (content if end < 0 else content[:end]).lower()
    return header.count(b"\nreceived:")
