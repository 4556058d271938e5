# SPDX-License-Identifier: Apache-2.0
"""Presidio's analyser over texts: a peer of the checks, in an environment of its own.

Reads a JSON list of texts, writes what it found and how long that took. It has its
recognisers of patterns and no model of a language, which would be a hundred times
slower; it is not let onto the network.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator

import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())


class Blank(NlpEngine):
    """Cuts text into words, and knows nothing of them."""

    def __init__(self) -> None:
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """It is there already."""

    def is_loaded(self) -> bool:
        """It is."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """The words of a text."""
        words = self.nlp[language](text)
        places = [word.idx for word in words]
        lemmas = [word.text.lower() for word in words]
        return NlpArtifacts([], words, places, lemmas, self, language)

    def process_batch(
        self, texts: Iterable[str], language: str, **more: object
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """The words of several."""
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """None is known."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """None is known."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English."""
        return ["en"]


def main() -> None:
    """Analyse every text once, after one to begin with."""
    analyzer = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
    texts = json.load(sys.stdin)
    analyzer.analyze(texts[0], language="en")
    began = time.perf_counter()
    found = [
        [
            (one.entity_type, one.start, one.end, one.score)
            for one in analyzer.analyze(text, language="en")
        ]
        for text in texts
    ]
    seconds = time.perf_counter() - began
    json.dump({"seconds": seconds, "found": found}, sys.stdout)


if __name__ == "__main__":
    main()
