# SPDX-License-Identifier: Apache-2.0
"""Sheets of paper as PDF: one font, and nothing that it cannot print.

A sign that the font lacks would come out as an empty box in somebody's name, so it is
an error that names the row. Scripts that are written from right to left, or whose
letters change their shape, are not set: that is said as well.
"""

import unicodedata
from pathlib import Path
from typing import Any, Final, Self

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from undisclosed.errors import UndisclosedError

FONTS: Final = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/liberation-sans/LiberationSans-Regular.ttf",
    "/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
)
"""Where systems keep a font with many letters; Debian: fonts-dejavu-core."""

LINE: Final = 5.2
"""Millimetres from one line of text to the next."""

_FAMILY: Final = "letters"
_CORE: Final = "Helvetica"
_SIZE: Final = 10.5
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN"))


class CannotBePrinted(UndisclosedError):
    """A row holds signs that this machine's font cannot print."""

    def __init__(self, row: int) -> None:
        super().__init__(
            f"Row {row:,} holds a sign that cannot be printed here: write to this "
            "person another way, or install a font that has it."
        )
        self.row = row


def font() -> Path | None:
    """The font of this machine that letters are printed in, if there is one."""
    return next((path for one in FONTS if (path := Path(one)).is_file()), None)


class Sheets:
    """A PDF that grows sheet by sheet (A4, ISO 216); the font is closed with it."""

    def __init__(self, *, landscape: bool = False, use: Path | None = None) -> None:
        self.pdf = FPDF("landscape" if landscape else "portrait", "mm", "A4")
        self.pdf.set_auto_page_break(auto=True, margin=20)
        self.pdf.set_margins(25, 20, 20)
        self._family = _CORE
        self._font: Any = None
        found = use or font()
        if found is not None:
            self.pdf.add_font(_FAMILY, fname=found)
            self._family, self._font = _FAMILY, self.pdf.fonts[_FAMILY]
        self.pdf.set_font(self._family, size=_SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._font is not None:
            self._font.ttfont.close()

    def begin(self) -> None:
        """A new sheet."""
        self.pdf.add_page()

    def write(self, text: str, row: int, *, size: float = _SIZE) -> None:
        """Lines of text, broken where they are too long. Raises CannotBePrinted."""
        self._refuse(text, row)
        self.pdf.set_font(self._family, size=size)
        height = LINE * size / _SIZE
        self.pdf.multi_cell(
            0, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT
        )

    def space(self, lines: float = 1) -> None:
        """Empty lines."""
        self.pdf.ln(LINE * lines)

    def content(self) -> bytes:
        """The whole PDF."""
        return bytes(self.pdf.output())

    def _refuse(self, text: str, row: int) -> None:
        for sign in set(text) - {"\n"}:
            if unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT or not self._has(sign):
                raise CannotBePrinted(row)

    def _has(self, sign: str) -> bool:
        if self._font is None:
            return ord(sign) < 256 and sign.isprintable()  # Latin-1
        return ord(sign) in self._font.cmap
