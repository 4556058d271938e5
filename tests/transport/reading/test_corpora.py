# SPDX-License-Identifier: Apache-2.0
"""Public files, hostile ones among them: nobody is missed, no limit is passed."""

import io
import json
import re
from collections import defaultdict
from pathlib import Path
from zipfile import BadZipFile

import openpyxl
import pytest
from python_calamine import CalamineError, CalamineWorkbook

from tests.transport.reading.making import with_files
from undisclosed.core.address import parse_addr_spec
from undisclosed.core.documents import LENGTH_OF_BEGINNING, kind_of_document
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.text import addresses_in_text
from undisclosed.transport.reading import found, pool
from undisclosed.transport.reading.kinds import read_document
from undisclosed.transport.reading.pool import PooledReader
from undisclosed.transport.reading.readers import xlsx

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
OUTLOOK, TABLES = CORPORA / "outlook", CORPORA / "tables"

pytestmark = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the corpora are not beside the checkout"
)


def _documents(folder):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            kind = kind_of_document("", (path.name,), content[:LENGTH_OF_BEGINNING])
            if kind is not None:
                yield path, kind, content


@pytest.fixture(scope="module")
def reader():
    with PooledReader() as reader:
        yield reader


def _people(document):
    people = set()
    for one in document.texts:
        people |= {each.person for each in addresses_in_text(one.text)}
    for message in document.messages:
        content = read_content(message, Policy())
        own = (content.author, content.sender)
        everybody = (*content.shown, *content.destinations, *own)
        people |= {each.person for each in everybody if each}
    return people


@pytest.mark.parametrize("folder", ["outlook", "tables", "mime-torture", "pii"])
def test_no_public_file_ends_a_child_or_outlasts_it(reader, folder):
    over = (pool.ENDED, pool.TOO_SLOW, found.OUT_OF_MEMORY)

    ended = [
        (path.name, sentence)
        for path, kind, content in _documents(CORPORA / folder)
        for sentence in reader.read(kind, content).uncertain
        if sentence in over
    ]

    assert ended == []


def test_everybody_whom_outlook_names_is_found(reader):
    missed, wanted_in_all = [], 0
    for line in (OUTLOOK / "reference.jsonl").read_text("utf-8").splitlines():
        reference = json.loads(line)
        path = OUTLOOK / reference["path"]
        if not path.exists():
            continue
        content = path.read_bytes()
        kind = kind_of_document("", (path.name,), content[:LENGTH_OF_BEGINNING])
        named = [one.get("email") or "" for one in reference.get("recipients", ())]
        named += reference.get("addresses") or ()
        wanted = {one.person for one in map(parse_addr_spec, named) if one}
        wanted_in_all += len(wanted)
        if kind is not None:
            missed += wanted - _people(reader.read(kind, content))

    assert missed == []
    assert wanted_in_all > 1_300


def test_what_is_broken_is_named(reader):
    damaged = [
        path
        for path, kind, content in _documents(TABLES)
        if found.BROKEN in reader.read(kind, content).uncertain
    ]

    assert damaged, "some of these files are broken on purpose"


def _xlsx_files():
    return [
        (path, content)
        for path, kind, content in _documents(TABLES)
        if kind == "zip" and path.suffix in (".xlsx", ".xlsm")
    ]


def _with_addresses(content):
    """The workbook with an address in the place of each shared string."""
    people = "".join(f"<si><t>s{number}@t.example</t></si>" for number in range(500))
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    table = f'<sst xmlns="{namespace}">{people}</sst>'
    return with_files(content, {"xl/sharedStrings.xml": table})


def _by_openpyxl(content):
    channels = defaultdict(set)
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets:
        hidden_columns = set()
        for letter, dimension in sheet.column_dimensions.items():
            if dimension.hidden:
                first = dimension.min or openpyxl.utils.column_index_from_string(letter)
                hidden_columns.update(range(first, (dimension.max or first) + 1))
        for row in sheet.iter_rows():
            for cell in row:
                value = str(cell.value)
                if "@t.example" in value:
                    channel = xlsx.TABLE
                    if sheet.sheet_state != "visible":
                        channel = xlsx.HIDDEN_SHEET
                    elif sheet.row_dimensions[cell.row].hidden:
                        channel = xlsx.HIDDEN_ROW
                    elif cell.column in hidden_columns:
                        channel = xlsx.HIDDEN_COLUMN
                    channels[channel].add(value)
    return channels


@pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:openpyxl")
def test_what_hides_a_cell_is_seen_as_openpyxl_sees_it():
    compared, hidden = 0, 0
    for path, content in _xlsx_files():
        try:
            changed = _with_addresses(content)
            expected = _by_openpyxl(changed)
        except (BadZipFile, LookupError, TypeError, ValueError):
            continue  # A file that openpyxl does not open.
        document = read_document("zip", changed)
        texts = {one.channel: set(one.text.split("\n")) for one in document.texts}
        for channel, people in expected.items():
            assert people <= texts.get(channel, set()), path.name
            hidden += channel != xlsx.TABLE
        compared += bool(expected)

    assert compared > 30
    assert hidden >= 2


def _by_calamine(content):
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {
            value
            for name in book.sheet_names
            for row in book.get_sheet_by_name(name).to_python()
            for value in row
            if isinstance(value, str) and len(value.strip()) > 2
        }
    except (CalamineError, ValueError, OSError):
        return set()
    except BaseException as panic:
        # Its own panics are no Exception; some of these files cause one.
        assert type(panic).__name__ == "PanicException"
        return set()


@pytest.mark.parametrize("suffix", [".xls", ".xlsb"])
def test_every_text_that_calamine_reads_is_read(monkeypatch, suffix):
    monkeypatch.setattr(found, "has_at_sign", bool)
    compared, missed = 0, []
    for path, kind, content in _documents(TABLES):
        if path.suffix.lower() != suffix or "OOM" in path.name:
            continue
        expected = _by_calamine(content)
        texts = "\n".join(one.text for one in read_document(kind, content).texts)
        lines = set(_plain(texts).split("\n"))
        missed += [
            (path.name, text)
            for text in expected
            if not set(_plain(text).split("\n")) <= lines
        ]
        compared += bool(expected)

    assert missed == []
    assert compared > 10


def _plain(text):
    return re.sub(r"[\r\v]|_x000D_", "", text)
