# SPDX-License-Identifier: Apache-2.0
"""Feed hostile bytes to the readers of documents.

``python fuzz/documents.py 100000 7`` reads so many inputs, made by damaging one
document of each form with seed 7, and says how many a second; with ``--atheris``,
coverage guides the inputs. An input that raises or takes long is printed as bytes.

Run it from the project's folder: the documents are made by the tests.
"""

import importlib
import io
import random
import sys
import time
import zipfile

sys.path.insert(0, ".")  # A program's own folder is searched first, not this one.

from tests.transport.reading import making
from undisclosed.core.documents import (
    LENGTH_OF_BEGINNING,
    MASKED,
    kind_of_document,
)
from undisclosed.formats.rtf import decompress, read_rtf
from undisclosed.transport.reading.kinds import read_document

LONGEST_SECONDS = 2.0
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
    started = time.process_time()
    document = read_document(kind, data)
    read_rtf(decompress(data))
    if time.process_time() - started > LONGEST_SECONDS:
        raise AssertionError("It takes too long.")
    if "@" in "".join(document.uncertain):
        raise AssertionError("What could not be read is quoted.")


def mutated(chance: random.Random) -> bytes:
    """A document with some of its bytes damaged, or those of a file in it."""
    document = chance.choice(SEEDS)
    if document.startswith(b"PK") and chance.random() < 0.8:
        with zipfile.ZipFile(io.BytesIO(document)) as package:
            name = chance.choice(package.namelist())
            content = package.read(name)
        return making.with_files(document, {name: damaged(content, chance)})
    return damaged(document, chance)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with some of its bytes cut, doubled, or replaced."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                del data[at : at + chance.randint(1, 200)]
            case 1:
                piece = chance.choice(PIECES)
                data[at : at + len(piece)] = piece
            case 2:
                data[at:at] = data[at : at + chance.randint(1, 600)]
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


def run(count: int, seed: int) -> None:
    """Check so many damaged inputs; the first one that fails is printed."""
    chance = random.Random(seed)
    started = time.monotonic()
    for number in range(count):
        data = mutated(chance)
        try:
            check(data)
        except Exception:
            print(f"input {number} of seed {seed}: {data!r}")
            raise
    seconds = time.monotonic() - started
    print(f"{count:,} inputs, {count / seconds:,.0f} a second, nothing found")


def main() -> None:
    """Run under atheris, or by counting."""
    if "--atheris" in sys.argv:
        # Whoever fuzzes installs it.
        atheris = importlib.import_module("atheris")

        sys.argv.remove("--atheris")
        atheris.instrument_all()
        atheris.Setup(sys.argv, check)
        atheris.Fuzz()
    else:
        given = [int(each) for each in sys.argv[1:3]]
        count, seed = given + [20_000, 1][len(given) :]
        run(count, seed)


if __name__ == "__main__":
    main()
