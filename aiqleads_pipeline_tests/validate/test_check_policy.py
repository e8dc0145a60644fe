"""Which rows are leads, under either policy, and what is told about those that are not."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES, REJECTED_LEADS, VALIDATED_LEADS
from aiqleads_pipeline.stages.validate import check_leads, list_rejections, split_valid
from aiqleads_pipeline.stages.validate.check import UnknownCurrency
from aiqleads_pipeline_tests.validate.conftest import AS_OF, lead_uuid

Check = Callable[..., list[dict[str, Any]]]


def codes(lead: dict[str, Any]) -> list[tuple[str | None, str]]:
    return [(violation["column_name"], violation["code"]) for violation in lead["violations"]]


def test_a_lead_needs_a_way_to_reach_it_and_a_name(check: Check) -> None:
    rows = [
        {"email": "ann@acme.com", "company_name": "Acme"},
        {"email": "bad", "phone": "+14155552671", "last_name": "Lee"},
        {"email": "bad", "phone": "call me", "last_name": "Lee"},
        {"last_name": "Lee"},
        {"email": "ann@acme.com", "first_name": "Ann"},
        {"email": "ann@acme.com", "last_name": "N/A"},
        {"phone": "030 901820", "last_name": "Lee"},
        {"phone": "90182", "last_name": "Lee"},
        {"phone": "1111111111", "last_name": "Lee"},
        {"read_error_code": "wrong_column_count", "raw_line": "a,b,c"},
        {"read_error_code": "test_lead", "email": "test@fb.com", "last_name": "Lee"},
    ]
    assert [codes(lead) for lead in check(rows)] == [
        [],
        [],
        [(None, "unreachable"), ("email", "invalid_email"), ("phone", "placeholder_value")],
        [(None, "unreachable")],
        [(None, "nameless")],
        [(None, "nameless"), ("last_name", "placeholder_value")],
        [],
        [(None, "unreachable"), ("phone", "invalid_phone")],
        [(None, "unreachable"), ("phone", "placeholder_value")],
        [(None, "wrong_column_count")],
        [(None, "test_lead")],
    ]


def test_a_number_without_country_is_kept_for_people_to_dial(check: Check) -> None:
    lead, known = check([{"phone": "030 901820", "last_name": "Lee"}, {"phone": "030", "last_name": "Lee"}])
    assert (lead["phone"], lead["phone_e164"], lead["warnings"]) == ("030 901820", None, ["phone:invalid_phone"])
    assert known["phone"] is None
    [lead] = check([{"phone": "030 901820", "last_name": "Lee"}], default_country="US")
    assert codes(lead) == [(None, "unreachable"), ("phone", "invalid_phone")]


def test_strict_rejects_what_lenient_sets_aside(check: Check) -> None:
    rows = [
        {"email": "bad", "phone": "+14155552671", "last_name": "Lee", "budget_usd": "much"},
        {"email": "a@b.de; c@d.de", "last_name": "Lee", "created_at": "31/02/2025"},
        {"email": "ann@acme.com", "last_name": "Le\u200be", "country": "US", "postal_code": "8014"},
    ]
    assert [codes(lead) for lead in check(rows)] == [[], [], []]
    assert [codes(lead) for lead in check(rows, policy="strict")] == [
        [("email", "invalid_email"), ("budget_usd", "invalid_money")],
        [("email", "several_emails"), ("created_at", "invalid_date")],
        [],
    ]


def test_what_is_set_aside_stays_in_extra_beside_what_is_there(check: Check) -> None:
    base = {"phone": "+14155552671", "last_name": "Lee"}
    rows = [
        {**base, "email": "bad", "extra": '{"Hobby":"chess","gone":null}'},
        {**base, "email": "bad", "extra": '{"email":"other"}'},
        {**base, "country": "US", "postal_code": "8014", "extra": '{"Hobby":"chess"}'},
    ]
    assert [json.loads(lead["extra"]) for lead in check(rows)] == [
        {"Hobby": "chess", "gone": None, "email": "bad"},
        {"email": "other", "email (as received)": "bad"},
        {"Hobby": "chess"},
    ]


def test_rejections_hold_the_row_as_received(
    con: duckdb.DuckDBPyConnection, raw_leads: Callable[..., duckdb.DuckDBPyRelation]
) -> None:
    raw = raw_leads(
        [
            {"email": "bad ", "last_name": "Lee", "extra": '{"Hobby":"chess"}'},
            {"email": "ann@acme.com", "last_name": "Lee"},
            {"read_error_code": "unterminated_quote", "raw_line": 'x,"y'},
        ]
    )
    checked = check_leads(con, raw, as_of=AS_OF)
    checked.query("_", "CREATE TEMP TABLE kept AS FROM _")
    rejected = list_rejections(con, raw, con.table("kept"))
    assert rejected.columns == REJECTED_LEADS.column_names
    rows = rejected.order("row_number, code").to_arrow_table().to_pylist()
    assert [(r["row_number"], r["line_number"], r["column_name"], r["code"], r["value"], r["raw"]) for r in rows] == [
        (1, 2, "email", "invalid_email", "bad ", '{"Hobby":"chess","last_name":"Lee","email":"bad "}'),
        (1, 2, None, "unreachable", None, '{"Hobby":"chess","last_name":"Lee","email":"bad "}'),
        (3, 4, None, "unterminated_quote", 'x,"y', '{"raw_line":"x,\\"y"}'),
    ]
    assert rows[0]["message"] == "Not an e-mail address. Write it as name@domain."


def test_valid_leads_have_the_contracts_columns_and_no_duplicates(
    con: duckdb.DuckDBPyConnection, raw_leads: Callable[..., duckdb.DuckDBPyRelation]
) -> None:
    raw = raw_leads([{"email": "ann@acme.com", "last_name": "Lee"}] * 3 + [{"email": "bad"}])
    check_leads(con, raw, as_of=AS_OF).query("_", "CREATE TEMP TABLE kept AS FROM _")
    duplicates = con.sql(f"SELECT '{lead_uuid(2)}'::UUID AS lead_id")
    valid = split_valid(con, con.table("kept"), duplicates)
    assert valid.columns == VALIDATED_LEADS.column_names
    assert [str(t) for t in valid.types] == [c.type for c in VALIDATED_LEADS.columns]
    assert sorted(row[0] for row in valid.select("row_number").fetchall()) == [1, 3]


def test_two_calls_on_one_connection_do_not_disturb_each_other(check: Check) -> None:
    first = check([{"phone": "1-800-FLOWERS", "last_name": "Lee", "budget_usd": "1,5 Mio"}], default_country="US")
    second = check([{"phone": "030 901820", "last_name": "Lee", "budget_usd": "2k"}], default_country="DE")
    again = check([{"phone": "1-800-FLOWERS", "last_name": "Lee", "budget_usd": "1,5 Mio"}], default_country="US")
    assert first == again
    assert [second[0][column] for column in ("phone_e164", "budget_usd")] == ["+4930901820", 2000]


def test_an_empty_batch_is_no_error(check: Check) -> None:
    assert check([]) == []


def test_a_source_with_an_unknown_currency_is_refused(check: Check) -> None:
    with pytest.raises(UnknownCurrency, match="'XXX' has no rate"):
        check([{"email": "ann@acme.com", "last_name": "Lee"}], currency="XXX")


def test_messy_leads(check: Check, shared_data: Path) -> None:
    """Every row of a file as people type it: who is rejected and why, what was set aside."""
    with (shared_data / "leads" / "messy_leads.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {"Name": "full_name", "Email": "email", "Title": "job_title", "Company": "company_name", "Phone": "phone",
             "Source": "lead_source", "Country": "country", "Created At": "created_at"}  # fmt: skip
    leads = check([{names[k]: v or None for k, v in row.items()} for row in rows])
    rejected = {lead["row_number"]: codes(lead) for lead in leads if lead["violations"]}
    assert rejected == {
        10: [(None, "nameless")],
        44: [(None, "unreachable"), ("email", "invalid_email"), ("phone", "placeholder_value")],
        78: [(None, "unreachable"), ("email", "invalid_email"), ("phone", "invalid_phone")],
    }
    assert {lead["country"] for lead in leads} == {None, "US", "CA", "FR", "GB", "DE", "IN"}
    assert not [lead for lead, row in zip(leads, rows, strict=True) if row["Created At"] and not lead["created_at"]]
    written = [(row["Created At"], str(lead["created_at"])[:10]) for lead, row in zip(leads, rows, strict=True)]
    assert ("05/07/2025", "2025-05-07") in written  # the column holds 02/15/2025: month first
    assert ("12 days ago", "2026-11-11") in written


def test_us_500(check: Check, shared_data: Path) -> None:
    """78 postal codes lost their leading zero; no column names the country."""
    with (shared_data / "leads" / "us-500.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    leads = check(
        [
            {"last_name": r["last_name"], "email": r["email"], "region": r["state"], "postal_code": r["zip"],
             "phone": r["phone1"], "website": r["web"]}
            for r in rows
        ]
    )  # fmt: skip
    assert {lead["country"] for lead in leads} == {"US"}
    assert {len(lead["postal_code"]) for lead in leads} == {5}
    assert sum("postal_code:leading_zero_restored" in lead["warnings"] for lead in leads) == 78
    assert all(not lead["violations"] and lead["website"] for lead in leads)


def test_empty_cells_are_nothing(check: Check) -> None:
    empty = dict.fromkeys(LEAD_COLUMN_NAMES, "")
    lead, nobody = check([{**empty, "email": "ann@acme.com", "last_name": "Lee"}, empty])
    given = {name: lead[name] for name in LEAD_COLUMN_NAMES if lead[name] is not None}
    assert (given, lead["warnings"], lead["extra"]) == ({"email": "ann@acme.com", "last_name": "Lee"}, [], None)
    assert codes(nobody) == [(None, "unreachable"), (None, "nameless")]


def test_naughty_strings_in_every_column_harm_nothing(check: Check, shared_data: Path) -> None:
    """As many leads come out as rows went in, each good cell beside a naughty one is still there."""
    naughty = json.loads((shared_data / "validation" / "blns" / "blns.json").read_text(encoding="utf-8"))
    columns = [name for name in LEAD_COLUMN_NAMES if name not in ("email", "last_name")]
    rows = [
        {"email": "ann@acme.com", "last_name": "Lee", columns[(place + turn) % len(columns)]: text}
        for turn in range(0, len(columns), 3)
        for place, text in enumerate(naughty)
    ]
    leads = check(rows, default_country="US")
    assert [lead["row_number"] for lead in leads] == list(range(1, len(rows) + 1))
    assert {(lead["email"], lead["last_name"], len(lead["violations"])) for lead in leads} == {
        ("ann@acme.com", "Lee", 0)
    }
