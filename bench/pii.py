# SPDX-License-Identifier: Apache-2.0
"""Confidential data in text: what the checks find, beside Presidio.

Recall is the share of what is there that is found; precision, of what is found, the
share that is there. Also writes the table into docs/reference/checks.md.
"""

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.row import Row
from undisclosed.core.text import addresses_in_text
from undisclosed.send.checks.identifiers import KINDS
from undisclosed.send.checks.scanning import ReEngine, Scanner, scanner

CORPUS = Path(__file__).parents[2] / "shared" / "corpora" / "pii"
PEERS = Path(__file__).parents[1] / ".cache" / "peers"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "checks.md"
BEGIN, END = "<!-- figures: python -m bench pii -->", "<!-- end of figures -->"
PRESIDIO = "presidio-analyzer==2.2.366"
SURE = 0.4
"""The score from which on Presidio is taken to mean it."""

ENTITIES: Mapping[str, tuple[str, str]] = {
    "EMAIL_ADDRESS": ("mail address", "mail-address"),
    "CREDIT_CARD": ("payment card", "payment-card"),
    "IBAN_CODE": ("IBAN", "iban"),
    "US_SSN": ("Social Security number", "us-ssn"),
    "US_DRIVER_LICENSE": ("driving licence", "driving-licence"),
    "PHONE_NUMBER": ("telephone number", "telephone"),
    "IP_ADDRESS": ("Internet address", "internet-address"),
}
"""What the corpus calls it; what we do, in words and by name."""

NUMBERS: Mapping[str, tuple[str, str]] = {
    "iban": ("iban", ""), "gb.nhs": ("uk-nhs", "NHS number"),
    "gb.utr": ("uk-utr", "UTR"), "gb.upn": ("uk-pupil", ""),
    "nl.bsn": ("nl-bsn", "BSN"), "nl.btw": ("nl-vat-person", ""),
    "nl.onderwijsnummer": ("nl-education", "onderwijsnummer"),
    "ca.sin": ("ca-sin", "SIN"), "ca.bc_phn": ("ca-health-bc", "PHN"),
    "us.ssn": ("us-ssn", ""), "it.codicefiscale": ("it-tax", ""),
    "fr.nir": ("fr-insee", ""), "es.dni": ("es-identity", ""),
    "es.nie": ("es-identity", ""), "fi.hetu": ("fi-identity", ""),
    "se.personnummer": ("se-identity", "personnummer"),
    "dk.cpr": ("dk-identity", "CPR"),
    "be.nn": ("be-identity", "rijksregisternummer"), "ch.ssn": ("ch-social", ""),
    "ie.pps": ("ie-pps", ""), "pl.pesel": ("pl-pesel", "PESEL"),
    "no.fodselsnummer": ("no-identity", "personnummer"),
    "de.idnr": ("de-tax", "IdNr"),
}  # fmt: skip
"""Kinds of numbers of the corpus; ours, and the label that stands before them."""

Found = tuple[str, int, int]
Text = Mapping[str, Any]


@dataclass(slots=True)
class Score:
    """How often something was there and found, there and not, found and not there."""

    hit: int = 0
    missed: int = 0
    false: int = 0

    @property
    def recall(self) -> str:
        """The share that was found, as text."""
        return _share(self.hit, self.hit + self.missed)

    @property
    def precision(self) -> str:
        """The share that was right, as text."""
        return _share(self.hit, self.hit + self.false)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def rows(*, quick: bool) -> Iterator[Row]:
    """Speed and quality beside Presidio; the page's table."""
    path = CORPUS / "presidio-research" / "data" / "synth_dataset_v2.json"
    if not path.exists():
        raise RuntimeError("the corpus of personal data is not in ../shared")
    texts = json.loads(path.read_text("utf-8"))
    own = [ours(one["full_text"]) for one in texts]
    peer, seconds = presidio([one["full_text"] for one in texts])
    scores = scored(texts, own)
    peers = scored(texts, peer)
    size = sum(len(one["full_text"]) for one in texts) / 1024
    rate = size / timed(scanner(), texts)
    by_re = size / timed(Scanner(engine=ReEngine(KINDS)), texts)
    write_page(scores, peers, rate, by_re, size / seconds)
    yield Row(
        name="confidential data, short texts",
        unit="KB/s",
        ours=rate,
        peer=size / seconds,
        peer_name="presidio, patterns alone",
        target="≥ 10 × the peer",
        is_met=rate >= 10 * size / seconds,
        bounded_by="proving each candidate, telephone numbers above all",
    )
    yield Row(
        name="the same with re alone", unit="KB/s", ours=by_re,
        bounded_by="forty patterns, one after the other",
    )  # fmt: skip
    total = total_of(scores)
    yield Row(
        name="of what the checks call confidential, is so",
        unit="%",
        ours=100 * total.hit / (total.hit + total.false),
    )
    yield _recall_row(total, total_of(peers))


def _recall_row(own: Score, peer: Score) -> Row:
    share = 100 * own.hit / (own.hit + own.missed)
    other = 100 * peer.hit / (peer.hit + peer.missed)
    return Row(
        name="confidential data that is found",
        unit="%",
        ours=share,
        peer=other,
        peer_name="presidio, patterns alone",
        target="≥ the peer",
        is_met=share >= other,
        bounded_by="national telephone numbers of countries that we do not ask",
    )


def ours(text: str) -> list[Found]:
    """What the checks find in a text."""
    hits = [(hit.kind.name, hit.start, hit.end) for hit in scanner().scan(text)]
    for address in addresses_in_text(text):
        at = text.casefold().find(address.spelled_out().casefold())
        hits.append(("mail-address", at, at + len(address.spelled_out())))
    return hits


def presidio(texts: Sequence[str]) -> tuple[list[list[Found]], float]:
    """What Presidio finds, by our names, and the seconds that it took."""
    folder = PEERS / "presidio"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(python), "-m", "pip", "install", "-q", PRESIDIO]
        subprocess.run(pip, check=True, stdout=subprocess.DEVNULL)
    program = Path(__file__).with_name("presidio_peer.py")
    done = subprocess.run(
        [python, program], input=json.dumps(texts).encode(), check=True,
        stdout=subprocess.PIPE, env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    answer = json.loads(done.stdout)
    found = [
        [
            (ENTITIES[entity][1], start, end)
            for entity, start, end, score in one
            if entity in ENTITIES and score >= SURE
        ]
        for one in answer["found"]
    ]
    return found, answer["seconds"]


def scored(texts: Iterable[Text], found: Iterable[list[Found]]) -> dict[str, Score]:
    """Each kind's score over texts whose data is known."""
    scores: dict[str, Score] = defaultdict(Score)
    for one, hits in zip(texts, found, strict=True):
        spans = [
            (
                ENTITIES[span["entity_type"]][1],
                span["start_position"],
                span["end_position"],
            )
            for span in one["spans"]
            if span["entity_type"] in ENTITIES
        ]
        for span in spans:
            is_found = any(_same(span, hit) for hit in hits)
            scores[span[0]].hit += is_found
            scores[span[0]].missed += not is_found
        for hit in hits:
            if hit[0] in _NAMES and not any(_same(span, hit) for span in spans):
                scores[hit[0]].false += 1
    return scores


_NAMES = frozenset(name for _, name in ENTITIES.values())


def _same(one: Found, other: Found) -> bool:
    return one[0] == other[0] and one[1] < other[2] and other[1] < one[2]


def total_of(scores: Mapping[str, Score]) -> Score:
    """All kinds together."""
    every = scores.values()
    return Score(
        sum(one.hit for one in every),
        sum(one.missed for one in every),
        sum(one.false for one in every),
    )


def timed(using: Scanner, texts: Sequence[Text]) -> float:
    """Seconds to scan all texts, the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        for one in texts:
            using.scan(one["full_text"])
        best = min(best, time.perf_counter() - began)
    return best


def numbers() -> Iterator[tuple[str, int, int, int, int]]:
    """Of each kind: valid ones, those found; invalid ones, those found all the same."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for line in (CORPUS / "idnumbers.jsonl").read_text("utf-8").splitlines():
        one = json.loads(line)
        if one["kind"] not in NUMBERS:
            continue
        name, label = NUMBERS[one["kind"]]
        hits = scanner().scan(f"Your {label}: {one['number']}, as we know.")
        is_found = any(hit.kind.name == name for hit in hits)
        column = 0 if one["valid"] else 2
        counts[one["kind"]][column] += 1
        counts[one["kind"]][column + 1] += is_found
    for kind in NUMBERS:
        valid, found, invalid, wrong = counts[kind]
        yield kind, valid, found, invalid, wrong


def write_page(
    scores: Mapping[str, Score],
    peers: Mapping[str, Score],
    rate: float,
    by_re: float,
    peer_rate: float,
) -> None:
    """Write the figures into the page, between its marks."""
    lines = [
        "| data | there | found | right | found by Presidio | right |",
        "|---|---|---|---|---|---|",
    ]
    for words, name in ENTITIES.values():
        own, peer = scores.get(name, Score()), peers.get(name, Score())
        lines.append(
            f"| {words} | {own.hit + own.missed} | {own.recall} | {own.precision} |"
            f" {peer.recall} | {peer.precision} |"
        )
    own, peer = total_of(scores), total_of(peers)
    lines += [
        f"| together | {own.hit + own.missed} | {own.recall} | {own.precision} |"
        f" {peer.recall} | {peer.precision} |",
        "",
        f"On these short texts the checks read {rate:,.0f} KB in a second "
        f"({by_re:,.0f} with `re` alone), Presidio {peer_rate:,.0f}.",
        "",
        "| number | valid | found | invalid | found all the same |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {kind} | {valid} | {found} | {invalid} | {wrong} |"
        for kind, valid, found, invalid, wrong in numbers()
        if valid or invalid
    ]
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    table = "\n".join(lines)
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", "utf-8")
