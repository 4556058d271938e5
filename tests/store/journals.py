# SPDX-License-Identifier: Apache-2.0
"""Journals as they are exported, made without a database.

Whoever makes one here can hash like the program, and nothing that is hashed is secret.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from undisclosed.store.verifier import FIRST, Tree, hash_of, leaf_hash

Record = dict[str, Any]


def entry(number: int, event: str = "held", **facts: object) -> Record:
    """One act, not sealed."""
    at = "2026-11-20T09:00:00.000000Z"
    kind: Record = {"kind": "entry", "id": number, "at": at}
    return kind | {"event": event, "actor": "guard", "facts": facts}


def sealed_of(record: Record) -> Record:
    """What of an entry is hashed."""
    return {key: value for key, value in record.items() if key != "kind"}


@dataclass(slots=True)
class Making:
    """A journal that grows; ``records`` is what is exported of it."""

    records: list[Record] = field(default_factory=list)
    batches: int = 0
    entries: int = 0
    head: str = FIRST
    seal: str = FIRST
    first_of_day: int = 1
    of_day: Tree = field(default_factory=Tree)

    def batch(self, day: str, entries: list[Record]) -> None:
        """Seal entries, whose ids follow one another, on a day."""
        self.batches += 1
        tree = Tree()
        for one in entries:
            tree.add(leaf_hash(sealed_of(one)))
            self.of_day.add(leaf_hash(sealed_of(one)))
        record: Record = {
            "kind": "batch",
            "number": self.batches,
            "sealed_at": f"{day}T10:00:00.000000Z",
            "ids": [[entries[0]["id"], entries[-1]["id"]]],
            "entries": len(entries),
            "root": tree.root().hex(),
            "previous": self.head,
        }
        self.head = record["hash"] = hash_of(record)
        self.entries = entries[-1]["id"]
        self.records += [*entries, record]

    def day(self, day: str, timestamp: str | None = None) -> Record:
        """Seal the batches since the last seal as those of a day."""
        record: Record = {
            "kind": "seal",
            "day": day,
            "batches": [self.first_of_day, self.batches],
            "entries": self.of_day.size,
            "root": self.of_day.root().hex(),
            "previous": self.seal,
        }
        self.seal = record["hash"] = hash_of(record)
        self.of_day, self.first_of_day = Tree(), self.batches + 1
        self.records.append(record)
        return record


def made(sizes: list[list[int]], unsealed: int = 0) -> Making:
    """Days with batches of so many entries; the last day is not over."""
    making = Making()
    for number, batches in enumerate(sizes):
        day = f"2026-11-{number + 1:02}"
        for size in batches:
            first = making.entries + 1
            making.batch(day, [entry(first + one) for one in range(size)])
        if number < len(sizes) - 1:
            making.day(day)
    first = making.entries + 1
    making.records += [entry(first + one) for one in range(unsealed)]
    return making


def answer(digest: str, at: datetime) -> bytes:
    """What an authority that signs nothing would answer (RFC 3161 §2.4.2)."""
    sha256 = _der(0x30, _der(6, bytes.fromhex("608648016503040201")))
    imprint = _der(0x30, sha256 + _der(4, bytes.fromhex(digest)))
    time = _der(0x18, f"{at:%Y%m%d%H%M%S}Z".encode())
    version, policy, serial = _der(2, b"\1"), _der(6, b"\x2a\3\4\1"), _der(2, b"\1")
    info = _der(0x30, version + policy + imprint + serial + time)
    kind = _der(6, bytes.fromhex("2a864886f70d0109100104"))
    wrapped = _der(0x30, kind + _der(0xA0, _der(4, info)))
    signed = _der(0x30, _der(2, b"\3") + _der(0x31, b"") + wrapped)
    signed_data = _der(6, bytes.fromhex("2a864886f70d010702"))
    token = _der(0x30, signed_data + _der(0xA0, signed))
    return _der(0x30, _der(0x30, _der(2, b"\0")) + token)


def _der(tag: int, held: bytes) -> bytes:
    size = len(held)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + held
