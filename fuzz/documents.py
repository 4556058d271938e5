# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.documents``: hostile bytes into the readers of documents.

Nothing may raise or hang, and what could not be read quotes nothing. One document of
each form, as the tests make them, is damaged.
"""

import io
import random
import zipfile

from fuzz.guiding import damaged, main
from tests.transport.reading import making
from undisclosed.core.documents import (
    LENGTH_OF_BEGINNING,
    MASKED,
    kind_of_document,
)
from undisclosed.formats.rtf import decompress, read_rtf
from undisclosed.transport.reading.kinds import read_document

LONGEST_PIECE = 600
SEEDS = (
    making.workbook(),
    making.old_workbook(),
    making.old_workbook_stream(),
    making.binary_workbook(),
    making.open_table(),
    making.open_text(),
    making.document(),
    making.slides(),
    making.pdf(),
    making.message_file(),
    making.tnef(inner=making.tnef()),
    rb"{\rtf1\ansi ann\'40a.example\u64?b{\object{\*\objdata d0cf11e0}}\bin3 abc}",
)
PIECES = (b"\xff" * 4, bytes(4), b"\x01", b"@", b"PK\x03\x04", b"<", b"&#64;", b"\\")


def check(data: bytes) -> None:
    """Raise where reading this breaks a promise."""
    kind = kind_of_document("", (), data[:LENGTH_OF_BEGINNING]) or MASKED
    document = read_document(kind, data)
    read_rtf(decompress(data))
    if "@" in "".join(document.uncertain):
        raise AssertionError("What could not be read is quoted.")


def mutated(chance: random.Random) -> bytes:
    """A document with some of its bytes damaged, or those of a file in it."""
    document = chance.choice(SEEDS)
    if document.startswith(b"PK") and chance.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(document)) as package:
            name = chance.choice(package.namelist())
            content = package.read(name)
        return making.with_files(document, {name: _damaged(content, chance)})
    return _damaged(document, chance)


def _damaged(content: bytes, chance: random.Random) -> bytes:
    return damaged(content, PIECES, chance, longest=LONGEST_PIECE)


if __name__ == "__main__":
    main(check, mutated)
