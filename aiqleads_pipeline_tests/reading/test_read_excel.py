"""Workbooks: values as people see them, the sheet with the leads, and a child that may die without harm."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest

from aiqleads_pipeline.settings import PipelineConfig
from aiqleads_pipeline.stages.reading import DropRefused

SHEET = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
CELL = '<c r="{}" t="inlineStr"><is><t>{}</t></is></c>'


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose only sheet is the given XML."""
    out = io.BytesIO()
    source = io.BytesIO(workbook(("Leads", [["x"]])))
    with zipfile.ZipFile(source) as book, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in book.namelist():
            copy.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else book.read(name))
    return out.getvalue()


def test_values_are_as_people_see_them(reader):
    header = ["Email", "Phone", "Employees", "Born", "Seen", "At", "OK", "Budget", "ZIP"]
    content = workbook((
        "Leads",
        [
            header,
            ["a@x.com", 4917012345678, 12.0, date(2026, 1, 2), datetime.fromisoformat("2026-01-02T03:04:05"),
             time(9, 30), True, 0.1 + 0.2, "02134"],
            ["b@x.com", None, 1e21, None, None, None, False, -0.5, 2134],
        ],
    ))  # fmt: skip
    assert reader.rows(content) == [
        (1, 2, None, None, "a@x.com", "4917012345678", "12", "2026-01-02", "2026-01-02T03:04:05", "09:30:00", "true",
         "0.3", "02134"),
        (2, 3, None, None, "b@x.com", None, "1000000000000000000000", None, None, None, "false", "-0.5", "2134"),
    ]  # fmt: skip


def test_the_sheet_with_the_most_known_headers_is_read_and_the_others_are_named(reader):
    content = workbook(
        ("Notes", [["Hello", "there"], ["a", "b"]]),
        ("Blank", []),
        (
            "Export",
            [["Leads of May"], [], ["Email", "First Name"], ["a@x.com", "two\nlines"], [None, None], ["b@x.com"]],
        ),
    )
    table = reader.table(content)
    assert (table.facts["sheet"], table.facts["sheets_not_read"]) == ("Export", ["Notes"])
    assert table.relation.fetchall() == [
        (1, 4, None, None, "a@x.com", "two\nlines"),
        (2, 6, None, None, "b@x.com", None),
    ]
    table.release()


def test_a_workbook_without_a_header_is_refused_for_want_of_a_contact_column(reader):
    content = workbook(("Leads", [["a@x.com", "Ann", 1], ["b@x.com", "Bob", 2], ["c@x.com", "Cy", 3]]))
    with pytest.raises(DropRefused) as refusal:
        reader.drops(content)
    assert refusal.value.code == "no_contact_column"
    assert "'column 1' looks like email" in str(refusal.value)


def test_a_small_file_that_would_take_all_memory_is_refused(reader):
    bomb = with_sheet(
        SHEET.format(
            f'<row r="1">{CELL.format("A1", "Email")}</row><row r="1048576">{CELL.format("XFD1048576", "x")}</row>'
        )
    )
    assert len(bomb) < 10_000
    with pytest.raises(DropRefused) as refusal:
        reader.table(bomb, READER_MEMORY_MB=256)
    assert refusal.value.code == "reader_out_of_memory"


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused(reader):
    content = with_sheet(SHEET.format(f"<row>{CELL.format('A1', 'a' * 4_000_000)}</row>"))
    with pytest.raises(DropRefused) as refusal:
        reader.table(content, MAX_DROP_MB=1)
    assert refusal.value.code == "expands_too_much"


def test_a_workbook_that_takes_too_long_is_refused(reader):
    rows = "".join(f'<row r="{number}">{CELL.format(f"A{number}", "x")}</row>' for number in range(1, 400_000))
    with pytest.raises(DropRefused) as refusal:
        reader.table(with_sheet(SHEET.format(rows)), pipeline=PipelineConfig(PROCESSING_TIMEOUT=1))
    assert refusal.value.code in ("reader_timed_out", "reader_out_of_memory")


@pytest.mark.parametrize("damage", ["cut", "garbled"])
def test_a_damaged_workbook_is_refused(reader, damage):
    content = workbook(("Leads", [["Email"], ["a@x.com"]]))
    content = content[: len(content) // 2] if damage == "cut" else with_sheet("<worksheet><sheetData><row><c")
    with pytest.raises(DropRefused) as refusal:
        reader.table(content)
    assert refusal.value.code == "corrupt_file"


def test_a_sheet_with_too_many_columns_is_refused(reader):
    with pytest.raises(DropRefused) as refusal:
        reader.table(workbook(("Leads", [["Email"] * 30, ["a@x.com"] * 30])), MAX_DROP_COLUMNS=20)
    assert refusal.value.code == "too_many_columns"
