# SPDX-License-Identifier: Apache-2.0
"""Verifies the proof of a campaign. One file, standard library only: it runs anywhere.

    python3 proof_verifier.py proof.jsonl [--journal journal.jsonl]

The file may be the ZIP in which a proof is downloaded.

The proof is one JSON object per line. The first line is the campaign: what was
approved, by whom, when. A ``row`` line is what became of one person's message, with
the code and status of the next hop's reply; people are numbers of the approved list,
and a file of one person's own has no name: its hash is over its content's and its
name. The last line counts the rows, and has the hash that stands in the journal from
when the proof was made.

What this finds: a template, file, list, count or check that is not what was approved;
an approval that is missing, given twice by one person, or by whoever made or submitted
the campaign; a row that was left out, added, changed or moved; counts that do not add
up to the approved list; with an exported journal, a proof that was never made there.
Exit codes: 0 everything holds, 3 something does not, 65 the file is no proof.
"""

import argparse
import hashlib
import io
import json
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

FORMAT: Final = "undisclosed-proof-1"
FIRST: Final = bytes(32)
"""What stands for the hash before the first line."""

EVENT: Final = "campaign proof"
"""What the journal's entry about a proof is called."""

MEMBER: Final = "proof.jsonl"
"""What the proof is called in its ZIP."""

_HOLDS, _DOES_NOT, _NO_PROOF = 0, 3, 65
_PART: Final = b"\x00\x01"


class NoProof(Exception):
    """The file is not a proof: it says why."""


def written(record: object) -> bytes:
    """The one form in which a line is hashed and written."""
    return json.dumps(
        record, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode("utf-8", "surrogatepass")


def chained(before: bytes, record: object) -> bytes:
    """The hash of a line and of all lines before it (SHA-256)."""
    return hashlib.sha256(before + hashlib.sha256(written(record)).digest()).digest()


def digest_of(content: dict[str, Any]) -> str:
    """What the approvals are bound to: template, files, list, checks and count."""
    hashed = hashlib.sha256(content["draft"].encode("utf-8", "surrogatepass"))
    hashed.update(_PART)
    facts = [
        content["list"],
        content["list_version"],
        content["people"],
        content["files"],
        content["findings"],
    ]
    hashed.update(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())
    return hashed.hexdigest()


@dataclass(slots=True)
class Found:
    """What was read, and every fault as a sentence."""

    campaign: str = ""
    states: Counter[str] = field(default_factory=Counter)
    head: str = ""
    faults: list[str] = field(default_factory=list)


def verify(records: Iterable[dict[str, Any]], journal: Iterable[str] = ()) -> Found:
    """Verify a proof; ``journal`` are the heads that a journal has of its campaign.

    Raises NoProof.
    """
    lines = iter(records)
    first = next(lines, {})
    if first.get("format") != FORMAT:
        raise NoProof("It does not begin as the proof of a campaign does.")
    found = Found(str(first.get("campaign", "")))
    _look_at_approval(first, found)
    _look_at_rows(first, lines, found)
    heads = list(journal)
    if heads and found.head not in heads:
        found.faults.append("The journal knows no such proof of this campaign.")
    return found


def _look_at_approval(first: dict[str, Any], found: Found) -> None:
    if digest_of(first["content"]) != first["digest"]:
        found.faults.append("What was approved is not what the proof shows.")
    own = {first["made_by"], first["submitted_by"]}
    people = [one["account"] for one in first["approvals"]]
    roles = {one["role"] for one in first["approvals"]}
    for role in first["needs"]:
        if role not in roles:
            found.faults.append(f"Nobody approved as {role}.")
    if len(set(people)) < len(people):
        found.faults.append("One person approved more than once.")
    if own.intersection(people):
        found.faults.append("Somebody approved their own.")


def _look_at_rows(
    first: dict[str, Any], lines: Iterator[dict[str, Any]], found: Found
) -> None:
    head, last = chained(FIRST, first), 0
    for record in lines:
        if "head" in record:
            _look_at_end(first, record, head, found)
            if next(lines, None) is not None:
                found.faults.append("There are lines behind the last one.")
            return
        head = chained(head, record)
        if record["row"] <= last:
            found.faults.append(f"Row {record['row']} is there twice, or moved.")
        last = record["row"]
        found.states[record["state"]] += 1
    found.faults.append("Its last line is missing: it was cut off.")


def _look_at_end(
    first: dict[str, Any], end: dict[str, Any], head: bytes, found: Found
) -> None:
    found.head = end["head"]
    if end["head"] != head.hex():
        found.faults.append("A line was left out, added, changed or moved.")
    if end["states"] != dict(found.states):
        found.faults.append("The counts are not those of the rows.")
    people = first["content"]["people"]
    if first["started_at"] and found.states.total() != people:
        found.faults.append(
            f"There are {found.states.total():,} rows for {people:,} people."
        )


def words(found: Found) -> list[str]:
    """What was found, for people."""
    counts = ", ".join(f"{n:,} {state}" for state, n in sorted(found.states.items()))
    lines = [f"Campaign {found.campaign}: {counts or 'nothing was sent'}."]
    return lines + (found.faults or ["Everything holds."])


def _records(path: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path), 1):
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise NoProof(f"Line {number} is no JSON object.")
        yield record


def _lines(path: str) -> Iterator[str]:
    if not zipfile.is_zipfile(path):
        with open(path, encoding="utf-8") as file:
            yield from file
        return
    with zipfile.ZipFile(path) as archive, archive.open(MEMBER) as member:
        yield from io.TextIOWrapper(member, "utf-8")


def _heads(path: str, campaign: str) -> Iterator[str]:
    """The heads of a campaign's proofs in an exported journal."""
    for record in _records(path):
        facts = record.get("facts")
        if record.get("event") != EVENT or not isinstance(facts, dict):
            continue
        if facts.get("campaign") == campaign:
            yield str(facts.get("head"))


_UNREADABLE: Final = (
    NoProof,
    OSError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def main(arguments: list[str] | None = None) -> int:
    """Verify the file that the command line names."""
    parser = argparse.ArgumentParser(description="Verify the proof of a campaign.")
    parser.add_argument("file")
    parser.add_argument("--journal", help="an exported journal, verified by itself")
    args = parser.parse_args(arguments)
    try:
        found = verify(_records(args.file))
        if args.journal:
            heads = [*_heads(args.journal, found.campaign), ""]
            found = verify(_records(args.file), heads)
    except _UNREADABLE as error:
        print(f"{args.file}: {error}", file=sys.stderr)
        return _NO_PROOF
    print("\n".join(words(found)))
    return _DOES_NOT if found.faults else _HOLDS


if __name__ == "__main__":
    sys.exit(main())
