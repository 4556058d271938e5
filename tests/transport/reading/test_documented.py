# SPDX-License-Identifier: Apache-2.0
"""Every reader of documents has its line, and the limits are those of the code."""

from pathlib import Path

import pytest

from undisclosed.transport.reading import found, readers
from undisclosed.transport.reading.limits import MEBIBYTE, ReaderLimits
from undisclosed.transport.reading.readers import pdf

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "documents.md").read_text()
FILES = sorted(
    path.stem
    for path in Path(readers.__file__).parent.glob("*.py")
    if path.stem != "__init__"
)


@pytest.mark.parametrize("name", FILES)
def test_every_reader_is_documented(name):
    assert f"\n| `{name}` | " in PAGE


@pytest.mark.parametrize(
    "line",
    [
        f"| {ReaderLimits().seconds:.0f} seconds |",
        f"| memory of a child | {ReaderLimits().memory // MEBIBYTE} MiB |",
        f"guard process | {ReaderLimits().processes} |",
        f"unpacked | {found.MOST_UNPACKED // MEBIBYTE} MiB |",
        f"| files in it | {found.MOST_FILES:,} |",
        f"| pages of a PDF | {pdf.MOST_PAGES:,} |",
        f"| {found.MOST_SHOWN // MEBIBYTE} Mi characters |",
    ],
)
def test_the_limits_are_those_of_the_code(line):
    assert line in PAGE
