# SPDX-License-Identifier: Apache-2.0
"""How much a server takes: lines, errors, recipients, bytes."""

from dataclasses import dataclass, field

MEBIBYTE = 1024 * 1024


class Budget:
    """Bytes of content in flight, shared by every session of one process."""

    __slots__ = ("total", "used")

    def __init__(self, total: int) -> None:
        self.total = total
        self.used = 0

    def take(self, size: int) -> bool:
        """Set this many bytes aside; False where there is no room for them."""
        if self.used + size > self.total:
            return False
        self.used += size
        return True

    def give_back(self, size: int) -> None:
        """These bytes are no longer in flight."""
        self.used -= size


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may ask for. Sizes in bytes.

    ``max_line`` covers the 512 of RFC 5321 §4.5.3.1.4 and what the offered
    extensions add (RFC 1870, 3461, 6152, 6531). ``max_text_line`` is far above
    the 998 of RFC 5322 §2.1.1: such lines exist, and the next hop decides.
    """

    max_line: int = 2048
    max_text_line: int = 8 * MEBIBYTE
    max_size: int = 50 * MEBIBYTE
    max_recipients: int = 10_000
    max_errors: int = 20
    budget: Budget = field(default_factory=lambda: Budget(256 * MEBIBYTE))
