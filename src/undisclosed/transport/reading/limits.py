# SPDX-License-Identifier: Apache-2.0
"""How much of a machine a document may take."""

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The limits of one pool of children.

    ``processes`` read at the same time; ``seconds`` is what one document may take,
    of the clock and of the processor; ``memory`` the address space of one child in
    bytes, with everything that it needs for itself (about 120 MiB).
    """

    processes: int = 2
    seconds: float = 20.0
    memory: int = 512 * MEBIBYTE
