"""``parse_outcomes``: which lead, what became of it, when, how much; and what could not be understood."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.conversion import NoOutcomes, Outcomes, meaning_of_outcome, parse_outcomes
from aiqleads_pipeline.stages.reading import DropFile, read_table

LEAD = "0192d3a4-5b6c-8d7e-8f90-000000000001"


def parse(
    con: DuckDBPyConnection, as_of: datetime, headers: list[str], *rows: tuple[str | None, ...], **more: Any
) -> Outcomes:
    """Outcomes of a file with these headers and rows."""
    columns = ", ".join(f"c{i} VARCHAR" for i in range(len(headers)))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE lines (drop_row BIGINT, line_number BIGINT, read_error_code VARCHAR, {columns})"
    )
    for number, row in enumerate(rows, 1):
        marks = ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO lines VALUES ({number}, {number + 1}, NULL, {marks})", list(row))
    return parse_outcomes(con, con.table("lines"), headers, as_of=as_of, **more)


def test_a_file_of_all_kinds_of_lines(con, as_of) -> None:  # type: ignore[no-untyped-def]
    found = parse(
        con, as_of, ["Lead ID", "E-mail", "Result", "Close Date", "Amount"],
        (LEAD, "a@b.com", "Closed Won", "2026-05-01", "$1,200.50"),
        ("CRM-7", None, "no", "13/05/2026", "€2.000"),
        (None, " C@D.com ", "Gagné", "05/06/2026", "a lot"),
        (None, "e@f.com", "returned", None, None),
        (None, None, "won", "2026-05-01", None),
        (None, "g@h.com", "In progress", None, None),
        (None, "i@j.com", "purple", None, None),
        (None, "k@l.com", "lost", "31/02/2026", None),
        (None, "m@n.com", "lost", "2030-01-01", None),
        (None, "c@d.com", "lost", "04/06/2026", None),
    )  # fmt: skip
    day = "closed_at::DATE::VARCHAR"
    columns = f"row_number, reference_kind, reference_value, result, {day}, revenue_usd"
    accepted = found.accepted.project(columns).fetchall()
    euros = accepted[1][-1]
    assert euros is not None and 1000 < euros < 4000
    assert accepted == [
        (1, "lead_id", LEAD, "won", "2026-05-01", 1200.5),
        (2, "external_id", "CRM-7", "lost", "2026-05-13", euros),
        (3, "email", "c@d.com", "won", "2026-06-05", None),
        (4, "email", "e@f.com", "returned", "2026-11-23", None),
    ]
    assert found.problems.project("row_number, line_number, column_name, code, value, is_rejected").fetchall() == [
        (3, 4, "revenue", "invalid_money", "a lot", False),
        (5, 6, None, "no_reference", None, True),
        (6, 7, "outcome", "outcome_open", "In progress", True),
        (7, 8, "outcome", "unknown_outcome", "purple", True),
        (8, 9, "closed_at", "invalid_date", "31/02/2026", True),
        (9, 10, "closed_at", "out_of_range", "2030-01-01", True),
        (10, 11, "outcome", "outcome_superseded", "lost", True),
    ]
    assert found.mapping == {
        "lead_id": "Lead ID", "email": "E-mail", "outcome": "Result", "closed_at": "Close Date", "revenue": "Amount",
    }  # fmt: skip


def test_days_and_months_that_nothing_tells_apart_are_not_guessed(con, as_of) -> None:  # type: ignore[no-untyped-def]
    headers, row = ["email", "outcome", "date"], ("a@b.com", "won", "05/06/2026")
    assert parse(con, as_of, headers, row).problems.project("code").fetchall() == [("ambiguous_date",)]
    for order, wanted in (("dmy", "2026-06-05"), ("mdy", "2026-05-06")):
        found = parse(con, as_of, headers, row, date_order=order)
        assert found.accepted.project("closed_at::DATE::VARCHAR").fetchall() == [(wanted,)]


def test_the_same_id_at_two_sources_are_two_leads(con, as_of) -> None:  # type: ignore[no-untyped-def]
    found = parse(
        con, as_of, ["id", "source", "status"], ("7", "web", "won"), ("7", "ads", "lost"), ("7", "ads", "won")
    )
    columns = "reference_value, reference_source, result"
    assert found.accepted.project(columns).fetchall() == [("7", "web", "won"), ("7", "ads", "won")]


@pytest.mark.parametrize("headers", [["email", "phone"], ["outcome", "date"], ["age", "job", "y"]])
def test_a_file_that_names_no_lead_or_no_outcome_is_refused(con, as_of, headers) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NoOutcomes) as caught:
        parse(con, as_of, headers)
    assert caught.value.code == "no_outcome_columns"


def read(con: DuckDBPyConnection, path: Path, tmp_path: Path, as_of: datetime) -> Outcomes:
    drop = DropFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
    table = read_table(con, drop, Settings(HOME=tmp_path), tmp_path, knows=meaning_of_outcome)
    return parse_outcomes(con, table.relation, table.headers, as_of=as_of)


def test_real_files(con, as_of, shared_data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    leads = read(con, shared_data / "leads/datablist/leads-100.csv", tmp_path, as_of)
    by_result = "result, count(*)"
    assert sorted(leads.accepted.aggregate(by_result).fetchall()) == [("lost", 21), ("won", 9)]
    assert leads.problems.aggregate("code, count(*)").fetchall() == [("outcome_open", 70)]
    dubai = read(con, shared_data / "leads/realestate_dubai/Leads.csv", tmp_path, as_of)
    assert sorted(dubai.accepted.aggregate(by_result).fetchall()) == [("lost", 4098), ("won", 840)]
    with pytest.raises(NoOutcomes):  # it has an outcome, and nothing that names a lead
        read(con, shared_data / "leads/bank-full.csv", tmp_path, as_of)
