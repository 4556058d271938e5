# SPDX-License-Identifier: Apache-2.0
"""The streams of a compound file (MS-CFB), read no longer than the file itself."""

from collections.abc import Sequence

import olefile  # type: ignore[import-untyped]

from undisclosed.transport.reading.found import Broken, Findings


def read_stream(
    file: olefile.OleFileIO, path: Sequence[str], findings: Findings
) -> bytes:
    """The bytes of a stream. Raises Broken and TooMuch."""
    try:
        # Small streams lie inside of the root's. One that says that it is longer than
        # its file would have the same sectors read over and over.
        longest = max(file.get_size(list(path)), file.root.size)
        if longest > file.fp.getbuffer().nbytes:
            raise Broken
        content = bytes(file.openstream(list(path)).read())
    except (OSError, ValueError, LookupError, TypeError):
        raise Broken from None
    findings.budget.unpack(len(content))
    return content
