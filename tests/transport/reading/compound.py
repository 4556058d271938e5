# SPDX-License-Identifier: Apache-2.0
"""Writes compound files (MS-CFB), as small as they may be: for XLS and MSG."""

import itertools
import struct

SECTOR, MINI_SECTOR, CUTOFF = 512, 64, 4096
_END, _FREE, _FAT, _NONE = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
Tree = dict[str, "bytes | Tree"]


def compound(tree: Tree) -> bytes:
    """A compound file of these streams (bytes) and storages (dicts)."""
    writer = _Writer()
    writer.add("Root Entry", tree, 5)
    return writer.written()


class _Writer:
    def __init__(self) -> None:
        self.entries: list[list] = []
        self.sectors: list[bytes] = []
        self.fat: list[int] = []
        self.mini = b""
        self.mini_fat: list[int] = []

    def add(self, name: str, value: "bytes | Tree", kind: int) -> int:
        number = len(self.entries)
        self.entries.append([name, kind, _NONE, _NONE, _NONE, 0, 0])
        entry = self.entries[number]
        if isinstance(value, dict):
            numbers = [
                self.add(child, content, 1 if isinstance(content, dict) else 2)
                for child, content in value.items()
            ]
            for left, right in itertools.pairwise(numbers):
                self.entries[left][3] = right
            entry[4] = numbers[0] if numbers else _NONE
        elif len(value) < CUTOFF:
            entry[5], entry[6] = self.put_mini(value), len(value)
        else:
            entry[5], entry[6] = self.put(value), len(value)
        return number

    def put(self, content: bytes) -> int:
        return _chain(content, SECTOR, self.fat, self.sectors.append)

    def put_mini(self, content: bytes) -> int:
        def append(piece: bytes) -> None:
            self.mini += piece

        return _chain(content, MINI_SECTOR, self.mini_fat, append)

    def written(self) -> bytes:
        self.entries[0][5], self.entries[0][6] = self.put(self.mini), len(self.mini)
        mini_fat = b"".join(struct.pack("<I", each) for each in self.mini_fat)
        mini_start = self.put(mini_fat)
        directory = self.put(b"".join(_entry(*each) for each in self.entries))
        number = 1
        while number * 128 < len(self.fat) + number:
            number += 1
        places = [len(self.fat) + each for each in range(number)]
        self.fat += [_FAT] * number
        self.fat += [_FREE] * (number * 128 - len(self.fat))
        table = b"".join(struct.pack("<I", each) for each in self.fat)
        header = struct.pack(
            "<8s16xHHHHH6xIIIIIIIII",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            *(0x3E, 3, 0xFFFE, 9, 6, 0, number, directory, 0, CUTOFF),
            *(mini_start, len(mini_fat) // SECTOR + 1 if mini_fat else 0, _END, 0),
        )
        places += [_FREE] * (109 - number)
        header += b"".join(struct.pack("<I", each) for each in places)
        return header + b"".join(self.sectors) + table


def _chain(content, size, table, append) -> int:
    if not content:
        return _END
    first = len(table)
    for at in range(0, len(content), size):
        append(content[at : at + size].ljust(size, b"\0"))
        table.append(len(table) + 1)
    table[-1] = _END
    return first


def _entry(name, kind, left, right, child, start, size) -> bytes:
    wide = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI16xIQ", wide, len(wide), kind, 1, left, right, child, 0,
        start, size,
    )  # fmt: skip
