# SPDX-License-Identifier: Apache-2.0
"""``/usr/bin/python3 pymilter_noop.py PATH``: what one would write with pymilter.

It receives fields and body, as the guard does, and does nothing with them. It needs
Debian's python3-milter, so it runs with Debian's Python and imports nothing of ours.
"""

import sys

import Milter  # type: ignore[import-not-found,unused-ignore]


class Nothing(Milter.Base):  # type: ignore[misc,unused-ignore]
    """Listens to everything; nobody waits for an answer before the end."""

    @Milter.noreply
    def connect(self, name: str, family: int, address: object) -> int:
        """A client."""
        return int(Milter.CONTINUE)

    @Milter.noreply
    def envfrom(self, sender: str, *parameters: str) -> int:
        """MAIL."""
        return int(Milter.CONTINUE)

    @Milter.noreply
    def envrcpt(self, recipient: str, *parameters: str) -> int:
        """RCPT."""
        return int(Milter.CONTINUE)

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        """A field."""
        return int(Milter.CONTINUE)

    @Milter.noreply
    def body(self, piece: bytes) -> int:
        """A piece of the body."""
        return int(Milter.CONTINUE)

    def eom(self) -> int:
        """The end."""
        return int(Milter.ACCEPT)


if __name__ == "__main__":
    Milter.factory = Nothing
    Milter.set_flags(0)
    Milter.runmilter("nothing", f"unix:{sys.argv[1]}", 300)
