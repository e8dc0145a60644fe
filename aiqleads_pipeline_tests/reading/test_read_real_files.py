"""Files that other people published to trip readers up, and exports of leads as they come."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from aiqleads_pipeline.stages.reading import DropRefused

LEAD_FILES = {
    "leads/us-500.csv": 500,
    "leads/messy_leads.csv": 100,
    "leads/datablist/leads-100.csv": 100,
    "leads/datablist/people-1000.csv": 1000,
    "leads/datablist/customers-10000.csv": 10_000,
}
NO_CONTACT = (
    "leads/bank-full.csv",
    "leads/datablist/organizations-100.csv",
    "leads/datablist/organizations-10000.csv",
    "leads/realestate_dubai/Leads.csv",
    "leads/realestate_dubai/Agents.csv",
    "dedupe/febrl1.csv",
)
# Broken upstream: their JSON does not say what their CSV says.
BROKEN_SPECTRUM = ("newlines_crlf", "location_coordinates")


@pytest.mark.parametrize("name", LEAD_FILES)
def test_every_value_of_a_lead_file_is_in_its_raw_leads(reader, shared_data, name):
    content = (shared_data / name).read_bytes()
    leads = reader.leads(content)
    assert len(leads) == LEAD_FILES[name]
    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))
    for lead, row in zip(leads, rows, strict=True):
        extra = json.loads(lead.pop("extra", "{}"))
        kept = [*extra.values(), *(value for key, value in lead.items() if key not in ("row_number", "line_number"))]
        assert Counter(kept) == Counter(value for value in row.values() if value)


@pytest.mark.parametrize("name", NO_CONTACT)
def test_files_that_reach_nobody_are_refused_with_their_mapping(reader, shared_data, name):
    with pytest.raises(DropRefused) as refusal:
        reader.drops((shared_data / name).read_bytes())
    assert refusal.value.code == "no_contact_column"
    assert refusal.value.mapping


def test_csv_spectrum_is_read_as_its_json_says(reader, shared_data):
    folder = shared_data / "validation/csv_spectrum"
    names = sorted(path.stem for path in (folder / "csvs").glob("*.csv") if path.stem not in BROKEN_SPECTRUM)
    assert len(names) == 10
    for name in names:
        table = reader.table((folder / f"csvs/{name}.csv").read_bytes())
        expected = json.loads((folder / f"json/{name}.json").read_text())
        rows = [
            {header: cell or "" for header, cell in zip(table.headers, row[4:], strict=True)}
            for row in table.relation.order("drop_row").fetchall()
        ]
        assert rows == expected, name
        table.release()


REFUSED = {
    "defective-rows.csv": "no_readable_rows", "invalid.csv": "no_readable_rows",
    "issue-1004-data2.csv": "no_readable_rows", "empty.csv": "empty_file", "merged-cells-boolean.xls": "no_rows",
    "merged-cells.xls": "no_rows", "merged-cells.xlsx": "no_rows", "without-rows.csv": "no_rows",
    "without-rows.csv.zip": "no_rows",
}  # fmt: skip


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix != ".md"]


def test_odd_files_are_read_or_refused_and_no_line_is_lost(reader, shared_data):
    refused = {}
    for path in files_of(shared_data / "validation/frictionless"):
        content = path.read_bytes()
        try:
            table = reader.table(content)
        except DropRefused as refusal:
            refused[path.name] = refusal.code
            continue
        rows = table.relation.order("drop_row").fetchall()
        assert len(rows) == table.rows > table.unreadable_rows
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert all(len(row) == 4 + len(table.headers) for row in rows)
        assert len(set(table.headers)) == len(table.headers)
        table.release()
    assert refused == REFUSED


@pytest.mark.parametrize(
    ("name", "headers", "last"),
    [
        ("table.xlsx", ["id", "name"], ("2", "中国人")),
        ("table.ods", ["id", "name"], ("2", "中国人")),
        ("table.csv.gz", ["id", "name"], ("2", "中国人")),
        ("[table].csv", ["id", "name"], ("2", "中国人")),
        ("cast-int-to-string-issue-1251.xls", ["A", "B", "C", "D", "E"], ("002", "c", "1", "1", "1")),
        ("duplicate-headers.csv", ["id", "name", "id (2)", "age", "id (3)"], ("1102", "Julie", "0", "26", "001102")),
        ("matrix-with-comment.csv", ["f1", "f2", "f3", "f4"], ("41", "42", "43", "44")),
        ("leading-zeros.csv", ["value"], ("00003",)),
    ],
)
def test_some_of_them_word_by_word(reader, shared_data, name, headers, last):
    table = reader.table((shared_data / "validation/frictionless" / name).read_bytes())
    assert table.headers == headers
    if last is not None:
        assert table.relation.order("drop_row").fetchall()[-1][4:] == last
    table.release()
