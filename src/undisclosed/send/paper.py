# SPDX-License-Identifier: Apache-2.0
"""Sheets of paper as PDF: every sign in a font that has it, or nothing at all.

A sign that no font has would come out as an empty box in somebody's name, so it is an
error that names the row. Scripts that are written from right to left, or whose letters
change their shape, need an engine that sets them (HarfBuzz, through uharfbuzz): where
it is not installed they are an error as well.
"""

import importlib.util
import math
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from fontTools.ttLib import (
    TTFont,
    TTLibError,
)
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

_SCRIPTS: Final = (
    "Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada"
    " Malayalam Sinhala Thai Lao Myanmar Khmer Tibetan Ethiopic Georgian Armenian"
).split()
MORE_FONTS: Final = (
    *(
        f"{folder}/NotoSans{script}-Regular.ttf"
        for folder in (
            "/usr/share/fonts/truetype/noto",
            "/usr/share/fonts/noto",
            "/usr/share/fonts/google-noto",
        )
        for script in _SCRIPTS
    ),
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttf",
)
"""Fonts for what the first has not; Debian: fonts-noto-core, fonts-droid-fallback."""

LINE: Final = 5.2
"""Millimetres from one line of text to the next."""

_FAMILY: Final = "letters"
_CORE: Final = "Helvetica"
_SIZE: Final = 10.5
_WRAPPED: Final = 0.9  # of a line is filled, for words are not divided
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL"))
_SHAPED: Final = (  # code points of scripts whose letters change their shape
    (0x0590, 0x08FF),  # Hebrew, Arabic, Syriac, Thaana, N'Ko
    (0x0900, 0x0DFF),  # the scripts of India and Sri Lanka
    (0x0E80, 0x0FFF),  # Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xFB1D, 0xFDFF),
    (0xFE70, 0xFEFF),
)


class CannotBePrinted(UndisclosedError):
    """A row holds signs that this machine's fonts cannot print."""

    def __init__(self, row: int) -> None:
        super().__init__(
            f"Row {row:,} holds a sign that cannot be printed here: write to this "
            "person another way, or install a font that has it."
        )
        self.row = row


def font() -> Path | None:
    """The font of this machine that letters are printed in, if there is one."""
    return next((path for one in FONTS if (path := Path(one)).is_file()), None)


def has_engine() -> bool:
    """Whether scripts that change their shape can be set here."""
    return importlib.util.find_spec("uharfbuzz") is not None


class Sheets:
    """A PDF that grows sheet by sheet (A4, ISO 216); its fonts are closed with it."""

    def __init__(self, *, use: Path | None = None) -> None:
        self.pdf = FPDF("portrait", "mm", "A4")
        self.pdf.set_auto_page_break(auto=True, margin=20)
        self.pdf.set_margins(25, 20, 20)
        self._family = _CORE
        self._fonts: list[Any] = []
        self._more = [path for one in MORE_FONTS if (path := Path(one)).is_file()]
        self._has_engine = has_engine()
        found = use or font()
        if found is not None:
            self._family = _FAMILY
            self._add(_FAMILY, found)
        self.pdf.set_font(self._family, size=_SIZE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._fonts:
            one.ttfont.close()

    def begin(self) -> None:
        """A new sheet."""
        self.pdf.add_page()

    def refuse(self, texts: Iterable[str], row: int) -> None:
        """Raise CannotBePrinted where a sign of these texts cannot be."""
        for sign in set("".join(texts)) - {"\n"}:
            if not self._has(sign):
                raise CannotBePrinted(row)

    def write(
        self, text: str, row: int, *, size: float = _SIZE, width: float = 0
    ) -> None:
        """Lines of text, broken where they are too long (``width`` in millimetres).

        A paragraph that begins from right to left is set so. Raises CannotBePrinted.
        """
        self.refuse((text,), row)
        height = self._prepare(text, size)
        for paragraph in text.split("\n"):
            self.pdf.multi_cell(
                width,
                height,
                paragraph,
                align="R" if width == 0 and _is_right_to_left(paragraph) else "L",
                new_x=XPos.LMARGIN,
                new_y=YPos.NEXT,
            )

    def lines(self, text: str, *, width: float, size: float = _SIZE) -> int:
        """How many lines a text takes in such a width, rather too many than too few."""
        self._prepare(text, size)
        usable = width * _WRAPPED
        widths = map(self.pdf.get_string_width, text.split("\n"))
        return sum(max(math.ceil(one / usable), 1) for one in widths)

    def space(self, lines: float = 1) -> None:
        """Empty lines."""
        self.pdf.ln(LINE * lines)

    def content(self) -> bytes:
        """The whole PDF."""
        return bytes(self.pdf.output())

    def _prepare(self, text: str, size: float) -> float:
        """Set size and engine; the height of a line."""
        self.pdf.set_font(self._family, size=size)
        # The engine costs time, and most letters need none.
        needs = any(_is_shaped(sign) for sign in set(text))
        self.pdf.set_text_shaping(needs and self._has_engine)
        return LINE * size / _SIZE

    def _has(self, sign: str) -> bool:
        if not self._fonts:
            return ord(sign) < 256 and sign.isprintable()  # Latin-1
        if _is_shaped(sign) and not self._has_engine:
            return False
        known = any(ord(sign) in one.cmap for one in self._fonts)
        return known or self._found(ord(sign))

    def _found(self, sign: int) -> bool:
        """Take up another font that has this sign, if there is one."""
        file = next((one for one in self._more if sign in _signs_of(one)), None)
        if file is None:
            return False
        self._more.remove(file)
        self._add(f"{_FAMILY}{len(self._fonts)}", file)
        further = [f"{_FAMILY}{number}" for number in range(1, len(self._fonts))]
        self.pdf.set_fallback_fonts(further, exact_match=False)
        return True

    def _add(self, name: str, file: Path) -> None:
        self.pdf.add_font(name, fname=file)
        self._fonts.append(self.pdf.fonts[name])


@cache
def _signs_of(file: Path) -> frozenset[int]:
    """The code points that a font has; none where it cannot be read."""
    try:
        with TTFont(file, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (OSError, TTLibError):
        return frozenset()


def _is_shaped(sign: str) -> bool:
    code = ord(sign)
    return any(start <= code <= end for start, end in _SHAPED) or (
        unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT
    )


def _is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction runs from the right (UAX #9, P2)."""
    found = (unicodedata.bidirectional(sign) for sign in text)
    return next((one for one in found if one in ("L", "R", "AL")), "L") != "L"
