# SPDX-License-Identifier: Apache-2.0
"""Text as the patterns see it: digits, spaces and hyphens of every script as ASCII.

Signs that nobody sees are left out, all other letters become ``?``. So a number does
not escape by being written in full-width digits or with a soft hyphen in it.
"""

import unicodedata


class _Table(dict[int, str | None]):
    """Fills itself with what each sign becomes."""

    def __missing__(self, code: int) -> str | None:
        folded = _folded(chr(code))
        self[code] = folded
        return folded


def _folded(sign: str) -> str | None:
    if sign.isascii():
        return sign
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if category == "Cf":
        return None
    if category in ("Zs", "Zl", "Zp"):
        return "\n" if category != "Zs" else " "
    if category == "Pd" or sign == "\u2212":
        return "-"
    plain = unicodedata.normalize("NFKC", sign)
    return plain if len(plain) == 1 and plain.isascii() else "?"


_TABLE = _Table()


def fold(text: str) -> str:
    """The text in ASCII, for patterns."""
    return text if text.isascii() else text.translate(_TABLE)
