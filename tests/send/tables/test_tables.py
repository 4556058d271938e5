# SPDX-License-Identifier: Apache-2.0
"""Tables as people have them: what is visible is read, what is hidden is said."""

import csv
import gzip
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from undisclosed.send.tables import TableUnreadable, open_table

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpora" / "tables"
CONVERSIONS = CORPUS / "notifications-admin" / "spreadsheet_files" / "conversions"
needs_corpus = pytest.mark.skipif(
    not CORPUS.exists(), reason="the corpora are not beside the checkout"
)
ROWS = [["Email", "Name"], ["ann@a.example", "Ann"], ["bob@b.example", "Zoë, B."]]


def read(file, **more):
    table = open_table(file, **more)
    lines = [list(line.cells) for line in table.lines()]
    return lines, list(table.dropped), list(table.notes)


def written(path, data):
    path.write_bytes(data)
    return path


def as_text(delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(ROWS)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "utf-32"]
)
def test_text_is_read_in_every_delimiter_and_charset(tmp_path, delimiter, charset):
    file = written(tmp_path / "people.csv", as_text(delimiter).encode(charset))

    lines, dropped, notes = read(file)

    assert lines == ROWS
    assert dropped == []
    assert ("It was read as Windows-1252." in notes) is (charset == "cp1252")


def test_the_line_with_which_excel_says_its_delimiter_is_no_row(tmp_path):
    file = written(tmp_path / "x.csv", b"sep=;\r\n" + as_text(";").encode())

    assert read(file)[0] == ROWS


def test_a_cell_of_several_lines_keeps_the_rows_numbers_true(tmp_path):
    file = written(tmp_path / "x.csv", b'a,b\n"1\n2",x\nc,d\n')

    table = open_table(file)

    assert [line.number for line in table.lines()] == [1, 2, 4]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"),
                         min_size=1), min_size=3, max_size=3),
        min_size=3, max_size=8,
    )
)  # fmt: skip
@settings(max_examples=50)
def test_what_a_program_wrote_as_csv_is_read_as_it_was(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    file = written(tmp_path_factory.mktemp("t") / "x.csv", text.getvalue().encode())

    lines = read(file)[0]

    assert lines == [["a", "b", "c"], *([c.strip() for c in row] for row in rows)]


def workbook(path, change=lambda book: None):
    book = Workbook()
    for row in ROWS:
        book.active.append(row)
    change(book)
    book.save(path)
    return path


def hide(book):
    sheet = book.active
    sheet.append(["hidden@c.example", "Hidden"])
    sheet.row_dimensions[4].hidden = True
    sheet["C1"], sheet["C2"] = "Secret", "x"
    sheet.column_dimensions["C"].hidden = True
    other = book.create_sheet("People of the clinic")
    other.sheet_state = "veryHidden"


def test_what_is_hidden_in_a_workbook_is_dropped_and_said(tmp_path):
    lines, dropped, _ = read(workbook(tmp_path / "x.xlsx", hide))

    assert lines == ROWS
    assert dropped == ["1 hidden sheets", "1 hidden rows", "1 hidden columns"]


def test_merged_cells_read_as_the_first_of_them(tmp_path):
    def merge(book):
        book.active["B2"] = "North"
        book.active["B3"] = None
        book.active.merge_cells("B2:B3")

    lines, _, _ = read(workbook(tmp_path / "x.xlsx", merge))

    assert [line[1] for line in lines] == ["Name", "North", "North"]


def test_of_several_sheets_the_first_is_read_or_the_one_that_is_named(tmp_path):
    def more(book):
        book.create_sheet("Second").append(["other"])

    file = workbook(tmp_path / "x.xlsx", more)

    assert read(file)[0] == ROWS
    assert "The first of 2 sheets was read." in read(file)[2]
    assert read(file, sheet="Second")[0] == [["other"]]
    with pytest.raises(TableUnreadable, match="no visible sheet of this name"):
        read(file, sheet="Third")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n rest", "no table"),
        (b"%PDF-1.7", "no table"),
        (b"PK\x03\x04 not an archive", "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "damaged"),
        (b'a,b\n"never closed', "a quote too many"),
    ],
)
def test_what_is_no_table_is_said_in_a_sentence(tmp_path, data, sentence):
    with pytest.raises(TableUnreadable, match=sentence):
        read(written(tmp_path / "people.xlsx", data))


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    file = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(1100):
            part.write(b"\0" * 1024 * 1024)

    with pytest.raises(TableUnreadable, match="too large"):
        read(file)


@needs_corpus
@pytest.mark.parametrize(
    "name",
    ["xls_exotic_types.xls", "xls_hidden_sheet.xls", "xlsx_hidden_sheet.xlsx",
     "ods_exotic_types.ods", "xlsx_exotic_types_no_header.xlsx"],
)  # fmt: skip
def test_a_real_workbook_reads_as_others_read_it(name):
    expected = CONVERSIONS / "expected_converted" / f"{Path(name).stem}.csv"
    with expected.open(newline="", encoding="utf-8") as file:
        wanted = [plain(row) for row in csv.reader(file)]

    lines, _, _ = read(CONVERSIONS / "originals" / name)

    assert [line for line in map(plain, lines) if line] == [w for w in wanted if w]


def plain(row):
    """A row without the time of dates and the empty cells at its end."""
    cells = [cell.removesuffix(" 00:00:00") for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


@needs_corpus
def test_a_filter_and_hidden_columns_of_opendocument_are_dropped():
    lines, dropped, _ = read(
        CONVERSIONS / "originals" / "ods_filters_hidden_cols_rows.ods"
    )

    assert dropped == ["1 hidden columns", "4 hidden rows"]
    assert lines[0] == ["field A", "field B", "field C"]


@needs_corpus
@pytest.mark.parametrize("kind", ["calamine", "exceldatareader"])
def test_no_real_file_breaks_the_reading(kind):
    broken = readable = 0
    for file in sorted((CORPUS / kind).rglob("*"))[::20]:
        if file.suffix.lower() not in (".xlsx", ".ods", ".xls", ".xlsb", ".csv"):
            continue
        try:
            readable += sum(1 for _ in open_table(file).lines()) >= 0
        except TableUnreadable:
            broken += 1

    assert readable > broken


@needs_corpus
def test_four_hundred_thousand_rows_are_read_one_after_the_other(tmp_path):
    packed = CORPUS / "notifications-admin" / "spreadsheet_files" / "excessive"
    file = tmp_path / "many.tsv"
    file.write_bytes(
        gzip.decompress((packed / "400k rows tab separated.tsv.gz").read_bytes())
    )

    assert sum(1 for _ in open_table(file).lines()) > 399_000
