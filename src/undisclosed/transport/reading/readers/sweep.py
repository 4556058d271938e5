# SPDX-License-Identifier: Apache-2.0
"""What looks like text around at signs in bytes of any form.

For forms that have no reader of their own, and for what a reader leaves out. Text is
looked for as single bytes and as UTF-16, at even and at odd places.
"""

import re
from collections.abc import Iterator

from undisclosed.transport.reading.found import Findings

# Noise has an at sign every 256 bytes: only so many characters in a row are text.
_NARROW = re.compile(rb"[\x20-\x7e]{8,}")
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00){6,}")


def texts_in(data: bytes) -> Iterator[str]:
    """Stretches of text that hold an at sign, in their order."""
    if b"@" not in data:
        return
    for found in _NARROW.finditer(data):
        if b"@" in found[0]:
            yield found[0].decode("ascii")
    if b"@\x00" in data:
        for found in _WIDE.finditer(data):
            if b"@" in found[0]:
                yield found[0].decode("utf-16-le")


def sweep(content: bytes, findings: Findings, channel: str) -> None:
    """Show every stretch of text in these bytes."""
    for text in texts_in(content):
        findings.show(channel, text)
