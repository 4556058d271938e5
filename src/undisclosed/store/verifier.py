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

What this finds: an entry that was inserted, doubled, left out, changed or moved; a
batch that was left out, changed, moved or made a second time; a day that is over and
has no seal; a journal that was cut off at its end, where a head that was noted before
(``--head``) is no longer in it. What holds and still shows less than it seems to, such
as a timestamp of long after its day, is said. Exit codes: 0 everything holds, 3
something does not, 65 the file is no export.
"""

import argparse
import base64
import hashlib
import json
import math
import os
import sys
from collections import Counter
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
_BEYOND_WHOLE: Final = 2**53  # no longer told apart in JSON (RFC 7493 §2.2)
_IN_TIME: Final = timedelta(days=2)  # a timestamp after the end of its day
_MOST_NAMED: Final = 10  # ids and days that sentences name, of what may be thousands
_MOST_IN_BATCH: Final = 1_000_000  # far beyond what is sealed at once
_FIRST_LINE: Final = {"format", "exported_at"}
_SEALED_OF_ENTRY: Final = ("id", "at", "event", "actor", "facts")
_HASHES: Final = {"kind", "entries", "root", "previous", "hash"}
_KNOWN: Final = {
    "entry": {"kind", "late", *_SEALED_OF_ENTRY},
    "batch": {"number", "sealed_at", "ids", *_HASHES},
    "seal": {"day", "batches", "timestamp", *_HASHES},
}
_NOT_HASHED: Final = ("hash", "timestamp")
_KINDS_OF_TIMESTAMP: Final = (
    bytes.fromhex("2a864886f70d010702"),  # id-signedData
    bytes.fromhex("2a864886f70d0109100104"),  # id-ct-TSTInfo
    bytes.fromhex("608648016503040201"),  # id-sha256
)
_LONG_FORM, _LONGEST_LENGTH = 0x80, 4  # of DER
_GENERALIZED_TIME: Final = 0x18  # a tag of DER


class NoExport(Exception):
    """The file is not an exported journal: it names the line."""


def canonical(value: object) -> bytes:
    """The one form in which a value is hashed (RFC 8785), 1 and 1.0 being one value.

    Raises ValueError for what has none, whole numbers from 2^53 on among it.
    """
    try:
        return _written(value).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deep") from None


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


@dataclass(slots=True)
class Verified:
    """What was found. ``faults`` are sentences; none means that everything holds.

    ``unstamped`` are sealed days without a timestamp between others that have one.
    """

    entries: int = 0
    batches: int = 0
    seals: int = 0
    unsealed: int = 0
    head: str = FIRST
    faults: list[str] = field(default_factory=list)
    timestamps: list["Timestamp"] = field(default_factory=list)
    unstamped: list[str] = field(default_factory=list)


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
        self.open_days: set[str] = set()
        self.newest_day = ""
        self.seal = FIRST
        self.sealed_days: list[str] = []
        self.seen: list[tuple[int, int]] = []

    def run(self, records: Iterable[dict[str, Any]]) -> Verified:
        for position, record in enumerate(records, 1):
            try:
                self._record(record)
            except (KeyError, TypeError, ValueError, OverflowError):
                raise NoExport(f"record {position} is none of a journal") from None
        self._rest()
        return self.found

    def _fault(self, sentence: str) -> None:
        self.found.faults.append(sentence)

    def _record(self, record: dict[str, Any]) -> None:
        match record:
            case {"kind": "entry", "id": int(number)}:
                name = f"Entry {number}"
                self.entries.append(record)
                _entry_of(record)  # Raises KeyError where it is not whole.
            case {"kind": "batch", "number": int(number)}:
                name = f"Batch {number}"
                self._batch(record)
            case {"kind": "seal", "day": str(day)}:
                name = f"The seal of {date.fromisoformat(day)}"
                self._seal(record)
            case _:
                raise ValueError("of no known kind")
        if record.keys() - _KNOWN[record["kind"]]:
            self._fault(f"{name} says something that was not sealed.")

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
        self.found.head = bytes.fromhex(record["hash"]).hex()
        self.missing.discard(record["hash"])
        self.day_batches.append(number)
        day = date.fromisoformat(record["sealed_at"][:10]).isoformat()
        self.open_days.add(day)
        self.newest_day = max(self.newest_day, day)

    def _entries_of(self, number: int, record: dict[str, Any]) -> None:
        named = _ids_named(record["ids"])
        entries = [_entry_of(one) for one in self.entries]
        ids = [entry["id"] for entry in entries]
        tree = Tree()
        for entry in entries:
            try:
                leaf = leaf_hash(entry)
            except ValueError:
                leaf = b""
                self._fault(f"Entry {entry['id']} holds what has no canonical form.")
            tree.add(leaf)
            self.day.add(leaf)
        if ids != named:
            self._other_ids(number, ids, named)
        if record["entries"] != len(ids):
            self._fault(f"Batch {number} counts other entries than it has.")
        # Whatever was said of the ids: it is the root that vouches for the entries.
        if tree.root().hex() != record["root"]:
            what = "An entry of batch {} was changed."
            other = "The root of batch {} is of other entries."
            self._fault((what if ids == named else other).format(number))
        self._seen_once(number, record["ids"])
        self.found.entries += len(ids)
        self.entries = []

    def _other_ids(self, number: int, ids: list[int], named: list[int]) -> None:
        for one in sorted(set(named) - set(ids))[:_MOST_NAMED]:
            self._fault(f"Entry {one} of batch {number} is missing.")
        for one in sorted(set(ids) - set(named))[:_MOST_NAMED]:
            self._fault(f"Entry {one} stands in batch {number} but is not its own.")
        for one in sorted(Counter(ids) - Counter(set(ids)))[:_MOST_NAMED]:
            self._fault(f"Entry {one} stands in batch {number} more than once.")
        if sorted(ids) == sorted(named):
            self._fault(f"The entries of batch {number} are in another order.")
        self._fault(f"The entries of batch {number} are not those that it names.")

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
        if self.sealed_days and day <= self.sealed_days[-1]:
            self._fault(f"The seal of {day} is not later than the seal before it.")
        if record["hash"] != hash_of(record):
            self._fault(f"The seal of {day} was changed.")
        batches = self.day_batches[:1] + self.day_batches[-1:]
        if record["batches"] != batches or record["entries"] != self.day.size:
            self._fault(f"The seal of {day} is of other batches.")
        elif record["root"] != self.day.root().hex():
            self._fault(f"The seal of {day} is of other entries.")
        if self.entries:
            self._fault(f"The seal of {day} stands within a batch.")
        if self.open_days - {day}:
            self._fault(f"The seal of {day} is of batches of another day.")
        if record.get("timestamp") is not None:
            self._timestamp(record)
        self.seal = record["hash"]
        self.sealed_days.append(day)
        self.missing.discard(record["hash"])
        self.day, self.day_batches, self.open_days = Tree(), [], set()
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
        before = 0
        for one in self.entries:
            number = one["id"]
            if number <= newest and one.get("late"):
                self._fault(f"Entry {number} stands in no batch.")
            elif any(first <= number <= last for first, last in self.seen):
                self._fault(f"Entry {number} stands once more, behind the last batch.")
            elif number <= before:
                self._fault(f"Entry {number} stands behind a younger one.")
            before = number
        for day in sorted(self.open_days):
            if day < self.newest_day:
                self._fault(f"The batches of {day} have no seal.")
        for head in sorted(self.missing):
            self._fault(f"The head {head[:16]}… that was noted is not in this journal.")
        if stamped := {one.day for one in self.found.timestamps}:
            between = (d for d in self.sealed_days if min(stamped) < d < max(stamped))
            self.found.unstamped = sorted(set(between) - stamped)


def _ids_named(ids: list[list[int]]) -> list[int]:
    # Counted first: a forged batch may name more ids than there is memory for.
    if sum(max(0, last - first + 1) for first, last in ids) > _MOST_IN_BATCH:
        raise ValueError("more than a batch can hold")
    return [one for first, last in ids for one in range(first, last + 1)]


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


def _end_of(day: str) -> datetime:
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time())
    return midnight.replace(tzinfo=UTC) + timedelta(days=1)


def _entry_of(record: dict[str, Any]) -> dict[str, Any]:
    return {key: record[key] for key in _SEALED_OF_ENTRY}


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
        case int() if abs(value) < _BEYOND_WHOLE:
            return str(value)
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
    raise ValueError(f"this {type(value).__name__} has no canonical form")


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
            record = json.loads(line, object_pairs_hook=_members)
            canonical(record)
        except (ValueError, RecursionError):
            raise NoExport(f"line {number} is not JSON of one meaning") from None
        if not isinstance(record, dict):
            raise NoExport(f"line {number} is no record")
        if number > 1:
            yield record
        elif record.get("format") != FORMAT or record.keys() - _FIRST_LINE:
            raise NoExport("line 1 does not say that this is an exported journal")
    if not number:
        raise NoExport("the file is empty")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Readers differ in which of the two they show, and one only was hashed.
        raise ValueError("a member twice")
    return members


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
    seals = _number_of(len(found.timestamps), "daily seal", "daily seals")
    said = f"Timestamped: {seals}, that of {newest.day} at {newest.at:%F %T} UTC."
    between = f"Sealed without a timestamp: {_days(found.unstamped)}."
    return [said, *_late(found), *([between] if found.unstamped else [])]


def _late(found: Verified) -> list[str]:
    """What shows less than it seems to, one sentence for what was stamped together."""
    together: dict[str, list[str]] = {}
    at = datetime.max.replace(tzinfo=UTC)
    for one in reversed(found.timestamps):
        # Seals are one chain: the timestamp of a later one is of this one, too.
        at = min(at, one.at)
        if at > _end_of(one.day) + _IN_TIME:
            together.setdefault(f"{at:%F}", []).insert(0, one.day)
    return [
        f"Timestamped late: {_days(days)}, only on {on}. This does not show that"
        " nothing was written anew before."
        for on, days in reversed(together.items())
    ]


def _days(days: list[str]) -> str:
    named, more = days[:_MOST_NAMED], len(days) - _MOST_NAMED
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "")


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
    how = "--timestamps FOLDER writes them out, and prints what verifies them."
    if not folder:
        return [f"{not_checked} {how}"]
    write_timestamps(found, folder)
    return [f"{not_checked} These commands do:", *commands(found, folder)]


def _number_of(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def main(arguments: list[str] | None = None) -> int:
    """Verify a file; the exit code."""
    parser = argparse.ArgumentParser(description="Verify an exported journal.")
    add = parser.add_argument
    add("file", help="what `undisclosed journal export` wrote")
    add("--head", action="append", default=[], help="a head or seal noted before")
    add("--timestamps", default="", metavar="FOLDER", help="write timestamps there")
    args = parser.parse_args(arguments)
    try:
        with open(args.file, encoding="utf-8") as lines:
            found = verify(read(lines), args.head)
        more = _said_of_signatures(found, args.timestamps)
    except (OSError, UnicodeDecodeError, NoExport) as error:
        print(f"{args.file}: no exported journal: {error}", file=sys.stderr)
        return _NO_EXPORT
    print("\n".join([*words(found), *more]))
    return _DOES_NOT if found.faults else _HOLDS


if __name__ == "__main__":
    sys.exit(main())
