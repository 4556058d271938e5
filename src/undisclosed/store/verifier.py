# SPDX-License-Identifier: Apache-2.0
"""Verifies an exported journal. One file, standard library only: it runs anywhere.

    python3 verifier.py journal.jsonl [--head HEX]… [--timestamps FOLDER]

The export is one JSON object per line, in the order of sealing. An ``entry`` line is
one act. A ``batch`` line ends a run of entries: it names their ids, the root of their
Merkle tree (RFC 6962 §2.1, SHA-256) and the hash of the batch before it, so that the
batches are one chain. A ``seal`` line ends a day: it names the batches of that day,
the root over all of their entries and the hash of the seal before it. Entries behind
the last batch are not sealed yet. Everything hashed is written in one form only, the
JSON Canonicalization Scheme (RFC 8785). A seal may carry the answer of a time-stamping
authority to its hash (RFC 3161): which hash it is of and which time it says is read
here, the authority's signature is not; ``--timestamps`` writes the answers into files,
and the command line of OpenSSL that verifies each is printed.

What this finds: an entry that was inserted, left out, changed or moved; a batch that
was left out, changed, moved or made a second time; a journal that was cut off at its
end, where a head that was noted before (``--head``) is no longer in it. Exit codes: 0
everything holds, 3 something does not, 65 the file is no export.
"""

import argparse
import base64
import hashlib
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

FIRST: Final = "00" * 32
"""What stands for the hash before the first batch and before the first seal."""

FORMAT: Final = "undisclosed-journal-1"
_HOLDS, _DOES_NOT, _NO_EXPORT = 0, 3, 65
_LARGEST_PLAIN: Final = 10**21  # ECMAScript writes larger numbers with an exponent
_SMALLEST_PLAIN: Final = 1e-6


class NoExport(Exception):
    """The file is not an exported journal: it names the line."""


def canonical(value: object) -> bytes:
    """The one form in which a value is hashed (RFC 8785). Raises ValueError."""
    return _written(value).encode("utf-8")


def leaf_hash(entry: object) -> bytes:
    """The hash of one entry as a leaf (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + canonical(entry)).digest()


class Tree:
    """A Merkle tree that grows from the left and keeps only its right edge."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self.size += 1
        height = 0
        while self._edge and self._edge[-1][0] == height:
            leaf = _node(self._edge.pop()[1], leaf)
            height += 1
        self._edge.append((height, leaf))

    def root(self) -> bytes:
        """The hash of the whole tree; of none it is that of nothing."""
        if not self._edge:
            return hashlib.sha256(b"").digest()
        root = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            root = _node(left, root)
        return root


def hash_of(record: dict[str, Any]) -> str:
    """The hash of a batch or a seal: over everything in it but the hash itself."""
    hashed = {key: value for key, value in record.items() if key not in _NOT_HASHED}
    return hashlib.sha256(canonical(hashed)).hexdigest()


_NOT_HASHED: Final = ("hash", "timestamp")


@dataclass(slots=True)
class Verified:
    """What was found. ``faults`` are sentences; none means that everything holds."""

    entries: int = 0
    batches: int = 0
    seals: int = 0
    unsealed: int = 0
    head: str = FIRST
    faults: list[str] = field(default_factory=list)
    timestamps: list["Timestamp"] = field(default_factory=list)


class NoTimestamp(ValueError):
    """The bytes are no answer of a time-stamping authority that grants a time."""


@dataclass(frozen=True)
class Timestamp:
    """What an authority's answer says (RFC 3161 §2.4.2), its signature unread.

    ``digest`` is the hash that it is of; ``response`` the answer, in DER (X.690).
    """

    day: str
    digest: str
    at: datetime
    response: bytes = field(repr=False)


def verify(records: Iterable[dict[str, Any]], heads: Iterable[str] = ()) -> Verified:
    """Verify records in the order of the export. ``heads`` were noted before.

    Raises NoExport where a record is none.
    """
    return _Verifier(frozenset(heads)).run(records)


class _Verifier:
    def __init__(self, heads: frozenset[str]) -> None:
        self.found = Verified()
        self.missing = set(heads)
        self.entries: list[dict[str, Any]] = []
        self.day = Tree()
        self.day_batches: list[int] = []
        self.seal = FIRST
        self.last_day = ""
        self.seen: list[tuple[int, int]] = []

    def run(self, records: Iterable[dict[str, Any]]) -> Verified:
        for record in records:
            match record.get("kind"):
                case "entry":
                    self.entries.append(record)
                case "batch":
                    self._batch(record)
                case "seal":
                    self._seal(record)
                case _:
                    raise NoExport("a record has no known kind")
        self._rest()
        return self.found

    def _fault(self, sentence: str) -> None:
        self.found.faults.append(sentence)

    def _batch(self, record: dict[str, Any]) -> None:
        number = record["number"]
        if number != self.found.batches + 1:
            self._fault(f"Batch {number} stands where {self.found.batches + 1} should.")
        if record["previous"] != self.found.head:
            self._fault(f"Batch {number} does not follow the batch before it.")
        if record["hash"] != hash_of(record):
            self._fault(f"Batch {number} was changed.")
        self._entries_of(number, record)
        self.found.batches = number
        self.found.head = record["hash"]
        self.missing.discard(record["hash"])
        self.day_batches.append(number)

    def _entries_of(self, number: int, record: dict[str, Any]) -> None:
        named = [one for first, last in record["ids"] for one in range(first, last + 1)]
        entries = [_entry_of(one) for one in self.entries]
        ids = [entry["id"] for entry in entries]
        tree = Tree()
        for entry in entries:
            leaf = leaf_hash(entry)
            tree.add(leaf)
            self.day.add(leaf)
        if ids != named:
            for one in sorted(set(named) - set(ids))[:10]:
                self._fault(f"Entry {one} of batch {number} is missing.")
            for one in sorted(set(ids) - set(named))[:10]:
                self._fault(f"Entry {one} stands in batch {number} but is not its own.")
            if sorted(ids) == sorted(named):
                self._fault(f"The entries of batch {number} are in another order.")
        elif tree.root().hex() != record["root"]:
            self._fault(f"An entry of batch {number} was changed.")
        self._seen_once(number, record["ids"])
        self.found.entries += len(ids)
        self.entries = []

    def _seen_once(self, number: int, ids: list[list[int]]) -> None:
        for first, last in ids:
            if any(first <= until and since <= last for since, until in self.seen):
                self._fault(f"Batch {number} seals entries that were sealed before.")
            self.seen.append((first, last))
        self.seen = _joined(self.seen)

    def _seal(self, record: dict[str, Any]) -> None:
        day = record["day"]
        if record["previous"] != self.seal:
            self._fault(f"The seal of {day} does not follow the seal before it.")
        if day <= self.last_day:
            self._fault(f"The seal of {day} is not later than the seal before it.")
        if record["hash"] != hash_of(record):
            self._fault(f"The seal of {day} was changed.")
        own = self.day_batches
        batches = [own[0], own[-1]] if own else []
        if record["batches"] != batches or record["entries"] != self.day.size:
            self._fault(f"The seal of {day} is of other batches.")
        elif record["root"] != self.day.root().hex():
            self._fault(f"The seal of {day} is of other entries.")
        if record.get("timestamp") is not None:
            self._timestamp(record)
        self.seal, self.last_day = record["hash"], day
        self.missing.discard(record["hash"])
        self.day, self.day_batches = Tree(), []
        self.found.seals += 1

    def _timestamp(self, record: dict[str, Any]) -> None:
        day = record["day"]
        try:
            response = base64.b64decode(record["timestamp"], validate=True)
            stamp = read_timestamp(response, day)
        except (ValueError, TypeError):
            self._fault(f"The timestamp of {day} is no timestamp.")
            return
        if stamp.digest != record["hash"]:
            self._fault(f"The timestamp of {day} is of another seal.")
        elif stamp.at < _end_of(day):
            self._fault(f"The timestamp of {day} is from before the end of that day.")
        else:
            self.found.timestamps.append(stamp)

    def _rest(self) -> None:
        self.found.unsealed = len(self.entries)
        newest = max((last for _, last in self.seen), default=0)
        for one in self.entries:
            entry = _entry_of(one)
            if entry["id"] <= newest and one.get("late"):
                self._fault(f"Entry {entry['id']} stands in no batch.")
        for head in sorted(self.missing):
            self._fault(f"The head {head[:16]}… that was noted is not in this journal.")


def read_timestamp(response: bytes, day: str = "") -> Timestamp:
    """What the answer of an authority says (TimeStampResp, RFC 3161 §2.4.2).

    Raises NoTimestamp where it is none, grants nothing, or is of no SHA-256 hash.
    """
    try:
        # ContentInfo and SignedData: RFC 5652 §3, §5.1; TSTInfo: RFC 3161 §2.4.2.
        (whole,) = der_values(response, 0, len(response))
        status, token = der_within(response, whole)[:2]
        content = der_within(response, token)
        signed = der_within(response, der_within(response, content[1])[0])
        wrapped = der_within(response, signed[2])
        (inner,) = der_within(response, wrapped[1])
        info = response[inner[1] : inner[2]]
        (stated,) = der_values(info, 0, len(info))
        imprint = der_within(info, der_within(info, stated)[2])
        algorithm = der_within(info, imprint[0])[0]
        granted = response[slice(*der_within(response, status)[0][1:])]
        kinds = (
            response[slice(*content[0][1:])],
            response[slice(*wrapped[0][1:])],
            info[slice(*algorithm[1:])],
        )
        digest = info[slice(*imprint[1][1:])]
        at = _generalized_time(info, der_within(info, stated)[4])
    except (IndexError, ValueError):
        raise NoTimestamp("no answer in DER that grants a time") from None
    if kinds != _KINDS_OF_TIMESTAMP or granted not in (b"\0", b"\1"):
        raise NoTimestamp("grants no time for a SHA-256 hash")
    return Timestamp(day, digest.hex(), at, response)


_KINDS_OF_TIMESTAMP: Final = (
    bytes.fromhex("2a864886f70d010702"),  # id-signedData
    bytes.fromhex("2a864886f70d0109100104"),  # id-ct-TSTInfo
    bytes.fromhex("608648016503040201"),  # id-sha256
)

DerValue = tuple[int, int, int]
"""A value of DER: its tag, and where what it holds begins and ends."""


def der_values(data: bytes, position: int, end: int) -> list[DerValue]:
    """The values of DER (X.690 §10.1: lengths are definite). Raises ValueError."""
    found = []
    while position < end:
        if position + 2 > end:
            raise ValueError("cut off")
        tag, length = data[position], data[position + 1]
        position += 2
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            if not 0 < size <= _LONGEST_LENGTH:
                raise ValueError("no definite length")
            length = int.from_bytes(data[position : position + size], "big")
            position += size
        if position + length > end:
            raise ValueError("cut off")
        found.append((tag, position, position + length))
        position += length
    return found


_LONG_FORM, _LONGEST_LENGTH = 0x80, 4


def der_within(data: bytes, value: DerValue) -> list[DerValue]:
    """The values that a constructed one holds. Raises ValueError."""
    return der_values(data, value[1], value[2])


def _generalized_time(data: bytes, value: DerValue) -> datetime:
    # RFC 3161 §2.4.2: in UTC, with seconds; a fraction is optional.
    text = data[value[1] : value[2]].decode("ascii")
    if value[0] != _GENERALIZED_TIME or not text.endswith("Z"):
        raise ValueError("no time")
    whole, _, fraction = text[:-1].partition(".")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return at + timedelta(seconds=float(f"0.{fraction or 0}"))


_GENERALIZED_TIME: Final = 0x18


def _end_of(day: str) -> datetime:
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time())
    return midnight.replace(tzinfo=UTC) + timedelta(days=1)


def _entry_of(record: dict[str, Any]) -> dict[str, Any]:
    return {key: record[key] for key in ("id", "at", "event", "actor", "facts")}


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _written(value: object) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case int():
            return _number(float(value)) if abs(value) >= 2**53 else str(value)
        case float():
            return _number(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list() | tuple():
            return f"[{','.join(map(_written, value))}]"
        case dict():
            # RFC 8785 §3.2.3: sorted as UTF-16 code units.
            keys = sorted(value, key=lambda key: str(key).encode("utf-16-be"))
            members = (f"{_written(str(key))}:{_written(value[key])}" for key in keys)
            return "{" + ",".join(members) + "}"
    raise ValueError(f"{type(value).__name__} has no canonical form")


def _number(value: float) -> str:
    """A number as ECMAScript writes it (RFC 8785 §3.2.2.3)."""
    if not math.isfinite(value):
        raise ValueError("not a number of JSON")
    if value == 0:
        return "0"
    sign, size = ("-" if value < 0 else ""), abs(value)
    # The shortest digits that mean this number, and where the point stands in them.
    _, numerals, exponent = Decimal(repr(size)).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    point = len(digits) + int(exponent)
    if _SMALLEST_PLAIN <= size < _LARGEST_PLAIN:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        if point >= len(digits):
            return f"{sign}{digits.ljust(point, '0')}"
        return f"{sign}{digits[:point]}.{digits[point:]}"
    power = point - 1
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'+' if power >= 0 else '-'}{abs(power)}"


def read(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The records of an export. Raises NoExport, which names the line."""
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError:
            raise NoExport(f"line {number} is not JSON") from None
        if not isinstance(record, dict):
            raise NoExport(f"line {number} is no record")
        if number == 1:
            if record.get("format") != FORMAT:
                raise NoExport("line 1 does not say that this is an exported journal")
            continue
        yield record
    if not number:
        raise NoExport("the file is empty")


def words(found: Verified) -> list[str]:
    """What was found, in sentences."""
    counted = (
        f"{_number_of(found.entries, 'entry', 'entries')} in "
        f"{_number_of(found.batches, 'batch', 'batches')} and "
        f"{_number_of(found.seals, 'daily seal', 'daily seals')}, "
        f"{_number_of(found.unsealed, 'entry', 'entries')} not sealed yet. "
        f"Head: {found.head}"
    )
    verdict = "Everything holds." if not found.faults else "This journal was changed."
    return [counted, *_timestamps(found), *found.faults, verdict]


def _timestamps(found: Verified) -> list[str]:
    if not found.timestamps:
        return []
    newest = max(found.timestamps, key=lambda one: one.day)
    number = _number_of(len(found.timestamps), "daily seal", "daily seals")
    return [f"Timestamped: {number}, that of {newest.day} at {newest.at:%F %T} UTC."]


def commands(found: Verified, folder: str) -> list[str]:
    """What is left to verify, as command lines of OpenSSL, one per timestamp.

    AUTHORITY.pem stands for the certificate of the authority's root, got from the
    authority itself: one that comes with the journal proves nothing.
    """
    return [
        f"openssl ts -verify -in {os.path.join(folder, one.day)}.tsr"
        f" -digest {one.digest} -CAfile AUTHORITY.pem"
        f" -attime {int(one.at.timestamp())}"
        for one in found.timestamps
    ]


def write_timestamps(found: Verified, folder: str) -> None:
    """Write the answers of the authority into a folder, one file per day."""
    os.makedirs(folder, exist_ok=True)
    for one in found.timestamps:
        with open(os.path.join(folder, f"{one.day}.tsr"), "wb") as file:
            file.write(one.response)


def _said_of_signatures(found: Verified, folder: str) -> list[str]:
    if not found.timestamps:
        return []
    not_checked = "The signatures of the timestamps were not verified here."
    if not folder:
        how = "--timestamps FOLDER writes them out, and prints what verifies them."
        return [f"{not_checked} {how}"]
    write_timestamps(found, folder)
    return [f"{not_checked} These commands do:", *commands(found, folder)]


def _number_of(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def main(arguments: list[str] | None = None) -> int:
    """Verify a file; the exit code."""
    parser = argparse.ArgumentParser(description="Verify an exported journal.")
    parser.add_argument("file", help="what `undisclosed journal export` wrote")
    parser.add_argument(
        "--head", action="append", default=[], help="a head or seal noted before"
    )
    parser.add_argument(
        "--timestamps", default="", metavar="FOLDER", help="write timestamps there"
    )
    args = parser.parse_args(arguments)
    try:
        with open(args.file, encoding="utf-8") as lines:
            found = verify(read(lines), args.head)
        more = _said_of_signatures(found, args.timestamps)
    except (OSError, UnicodeDecodeError, NoExport, KeyError, TypeError) as error:
        print(f"{args.file}: no exported journal: {error}", file=sys.stderr)
        return _NO_EXPORT
    print("\n".join([*words(found), *more]))
    return _DOES_NOT if found.faults else _HOLDS


if __name__ == "__main__":
    sys.exit(main())
