# SPDX-License-Identifier: Apache-2.0
"""Lists of words, each with the category that it stands for.

All words are looked for at once (Aho and Corasick), so a longer list costs nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ahocorasick_rs import AhoCorasick, MatchKind


@dataclass(frozen=True, slots=True)
class WordHit:
    """A word that stands in a text: its category, and where it begins."""

    category: str
    start: int


class WordList:
    """Words by category. A star at a word's end stands for any ending."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = [one.removesuffix("*") for one in words]
        self._is_open = [one.endswith("*") for one in words]
        self._categories = list(words.values())
        self._automaton = AhoCorasick(self._words, matchkind=MatchKind.Standard)

    def find(self, text: str) -> Iterator[WordHit]:
        """Every word of the list that stands in a text as a word of its own."""
        folded = text.lower()
        found = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        for number, start, end in found:
            if _continues(folded, start - 1) and folded[start].isalnum():
                continue
            if self._is_open[number] or not _continues(folded, end):
                yield WordHit(self._categories[number], start)

    def categories(self, text: str) -> dict[str, int]:
        """The categories that a text has words of, and where the first one stands."""
        first: dict[str, int] = {}
        for hit in self.find(text):
            first.setdefault(hit.category, hit.start)
        return first


@cache
def word_list(name: str) -> WordList:
    """The list of a file beside this module, without its ending."""
    text = (files(__package__) / f"{name}.txt").read_text("utf-8")
    words: dict[str, str] = {}
    category = ""
    for line in text.splitlines():
        word = line.strip()
        if word.startswith("["):
            category = word.strip("[]")
        elif word and not word.startswith("#"):
            words[word] = category
    return WordList(words)


def _continues(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isalnum()
