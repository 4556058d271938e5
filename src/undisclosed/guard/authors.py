# SPDX-License-Identifier: Apache-2.0
"""Who wrote a message, where nothing else of it is read."""

from undisclosed.core.address import Address
from undisclosed.core.header import split_content
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

_ANY = Policy()


def author_of(content: bytes) -> Address | None:
    """The first address of the first From (RFC 5322 §3.6.2); None without one."""
    header = content[: split_content(content).body_start]
    return read_content(header, _ANY).author
