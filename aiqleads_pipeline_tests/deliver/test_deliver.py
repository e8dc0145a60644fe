"""Intents and payload from small real tables, and the file that carries them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import TABLES
from aiqleads_pipeline.rules.destinations import Destination
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.deliver import list_assigned, list_intents, list_lines, list_lines_in_slices
from aiqleads_pipeline.stages.engine import open_engine
from resources.files import StagedFile, stage_batch
from resources.store.deliveries import delivery_id

FILE = Destination(name="crm_file", kind="file")
HOOK = Destination(name="hook", kind="webhook", teams=("enterprise",), priorities=("P1", "P2"))


@pytest.fixture
def con(tmp_path: Path) -> Iterator[DuckDBPyConnection]:
    with open_engine(Settings(HOME=tmp_path)) as con:
        yield con


def lead(number: int) -> UUID:
    return UUID(int=(0x0190ABCD1234 << 80) + (8 << 76) + (2 << 62) + number)


def table(con: DuckDBPyConnection, name: str, *rows: dict[str, Any]) -> DuckDBPyRelation:
    """Rows of a contract table; what is not given is null."""
    columns = TABLES[name].columns
    kinds = ", ".join(f"{column.name} {column.type}" for column in columns)
    con.execute(f"CREATE OR REPLACE TEMP TABLE test_{name} ({kinds})")
    for row in rows:
        marks = ", ".join(f"$c{i}" for i in range(len(columns)))
        values = {f"c{i}": row.get(column.name) for i, column in enumerate(columns)}
        con.execute(f"INSERT INTO test_{name} VALUES ({marks})", values)
    return con.table(f"test_{name}")


def routed(con: DuckDBPyConnection, *leads: tuple[int, str, str]) -> DuckDBPyRelation:
    when = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)
    rows = [
        {
            "lead_id": lead(number), "batch_id": "b1", "team": team, "owner": "ann", "rule_id": "all",
            "priority": priority, "reasons": "{}", "sla_due_at": when.replace(hour=16), "routed_at": when,
        }
        for number, team, priority in leads
    ]  # fmt: skip
    return table(con, "routed_leads", *rows)


def test_each_lead_and_destination_that_wants_it_is_one_intent(con: DuckDBPyConnection) -> None:
    leads = routed(con, (1, "enterprise", "P1"), (2, "enterprise", "P3"), (3, "inside", "P1"))
    found = list_intents(con, leads, [FILE, HOOK]).order("lead_id, destination")
    when = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)
    assert found.columns == [
        "delivery_id", "lead_id", "batch_id", "destination", "priority", "state", "next_attempt_at", "created_at",
    ]  # fmt: skip
    assert found.fetchall() == [
        (delivery_id(lead(number), name), lead(number), "b1", name, priority, "pending", due, when)
        for number, name, priority, due in (
            (1, "crm_file", 1, None), (1, "hook", 1, when), (2, "crm_file", 3, None), (3, "crm_file", 1, None),
        )
    ]  # fmt: skip


def test_without_destinations_there_is_no_intent(con: DuckDBPyConnection) -> None:
    assert list_intents(con, routed(con, (1, "enterprise", "P1")), []).fetchall() == []


def test_sql_and_python_give_the_same_ids(con: DuckDBPyConnection) -> None:
    names = ["crm_file", "hook", "a", "z" * 63]
    con.execute("CREATE TEMP TABLE ids AS SELECT gen_random_uuid() AS lead_id FROM range(500)")
    con.execute("CREATE TEMP TABLE names AS SELECT unnest($names) AS name", {"names": names})
    rows = con.sql("SELECT lead_id, name, delivery_id(lead_id, name) FROM ids, names").fetchall()
    assert len(rows) == 2000
    assert [row for row in rows if delivery_id(row[0], row[1]) != row[2]] == []


def tables(con: DuckDBPyConnection, *leads: tuple[int, str, str]) -> list[DuckDBPyRelation]:
    ids = [{"lead_id": lead(number), "batch_id": "b1"} for number, _, _ in leads]
    enriched = {
        "source": "acme", "first_name": "Zoë", "last_name": "O'Neil\n\"x\"", "email": "zoe@acme.example",
        "phone": "4155550100", "phone_e164": "+14155550100", "company_name": "Acme", "company_domain": "acme.example",
        "annual_revenue_usd": 1.5e6, "consent": True,
    }  # fmt: skip
    scored = {"lead_score": 71.23456, "conversion_prob": 0.25, "reasons": '[{"part": "intent", "points": 9.5}]'}
    classified = {"industry_code": "51", "industry_name": "Information", "size_segment": "small"}
    return [
        routed(con, *leads),
        table(con, "enriched_leads", *({**each, **enriched} for each in ids)),
        table(con, "scored_leads", *({**each, **scored} for each in ids)),
        table(con, "classified_leads", *({**each, **classified} for each in ids)),
    ]


def test_a_file_holds_one_object_per_lead(con: DuckDBPyConnection, tmp_path: Path) -> None:
    leads = tables(con, (1, "enterprise", "P1"), (2, "inside", "P2"))
    folder = tmp_path / "it's" / "crm_file"
    target = folder / "b1.ndjson"
    stage_batch([list_lines(con, *leads, destination=FILE)], folder, "b1").publish("crm_file")
    first, second = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert second["lead_id"] == str(lead(2))
    assert first == {
        "delivery_id": str(delivery_id(lead(1), "crm_file")),
        "lead_id": str(lead(1)),
        "source": "acme",
        "external_id": None,
        "team": "enterprise",
        "owner": "ann",
        "priority": "P1",
        "sla_due_at": "2026-11-23T16:45:30Z",
        "lead_score": 71.23,
        "reasons": [{"part": "intent", "points": 9.5}],
        "contact": {
            "first_name": "Zoë", "last_name": "O'Neil\n\"x\"", "full_name": None, "job_title": None,
            "email": "zoe@acme.example", "phone": "+14155550100", "linkedin_url": None, "street": None, "city": None,
            "region": None, "postal_code": None, "country": None, "consent": True,
        },
        "company": {
            "name": "Acme", "domain": "acme.example", "industry_code": "51", "industry_name": "Information",
            "size_segment": "small", "employee_count": None, "annual_revenue_usd": 1500000.0,
        },
        "interest": {"message": None, "product_interest": None, "budget_usd": None, "campaign": None},
    }  # fmt: skip


def test_a_file_holds_only_the_leads_that_have_an_intent(con: DuckDBPyConnection) -> None:
    leads = tables(con, (1, "enterprise", "P1"), (2, "enterprise", "P3"), (3, "inside", "P1"))
    for destination in (FILE, HOOK):
        intended = list_intents(con, leads[0], [destination]).project("delivery_id").order("1").fetchall()
        lines = list_lines(con, *leads, destination=destination).fetchall()
        assert sorted(UUID(json.loads(line)["delivery_id"]) for (line,) in lines) == [each for (each,) in intended]


@pytest.mark.parametrize("slice_rows", [1, 2, 3, 7, 8])
def test_slices_hold_every_lead_once(con: DuckDBPyConnection, slice_rows: int) -> None:
    leads = tables(con, *((number, "inside", "P2") for number in (5, 1, 7, 3, 2, 6, 4)))
    slices = list_lines_in_slices(con, *leads, destination=FILE, slice_rows=slice_rows)
    found = [sorted(json.loads(line)["lead_id"] for (line,) in each.fetchall()) for each in slices]
    assert {len(each) for each in found[:-1]} <= {slice_rows}
    assert [lead_id for each in found for lead_id in each] == [str(lead(number)) for number in range(1, 8)]


def staged(con: DuckDBPyConnection, line: str, folder: Path) -> StagedFile:
    return stage_batch([con.sql(f"SELECT {line} AS line")], folder, "b1")


def test_every_line_of_many_is_written_in_order(con: DuckDBPyConnection, tmp_path: Path) -> None:
    lines = con.sql(
        "SELECT row || ' é' || repeat('x', (row % 7)::INT) || chr(10) AS line FROM range(10_000) AS r (row)"
    )
    stage_batch([lines.filter("NOT starts_with(line, '5')")], tmp_path, "b1").publish("crm_file")
    wanted = [f"{row} é{'x' * (row % 7)}" for row in range(10_000) if not str(row).startswith("5")]
    assert (tmp_path / "b1.ndjson").read_text(encoding="utf-8").splitlines() == wanted


def test_a_file_is_replaced_whole_or_not_at_all(con: DuckDBPyConnection, tmp_path: Path) -> None:
    target = tmp_path / "b1.ndjson"
    staged(con, "'one' || chr(10)", tmp_path).publish("crm_file")
    staged(con, "'two' || chr(10)", tmp_path).publish("crm_file")
    assert target.read_text() == "two\n"
    with pytest.raises(Exception, match="boom"):
        staged(con, "error('boom')", tmp_path)

    def lost() -> None:
        raise RuntimeError("the lease is lost")

    third = staged(con, "'three' || chr(10)", tmp_path)
    with pytest.raises(RuntimeError, match="lost"):
        third.publish("crm_file", guard=lost)
    third.discard()
    assert target.read_text() == "two\n"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b1.ndjson"]


def test_a_batch_without_leads_has_no_file(con: DuckDBPyConnection, tmp_path: Path) -> None:
    target = tmp_path / "b1.ndjson"
    none = con.sql("SELECT 'one' AS line LIMIT 0")
    stage_batch([none], tmp_path, "b1").publish("crm_file")
    assert not target.exists()
    staged(con, "'one'", tmp_path).publish("crm_file")
    stage_batch([none], tmp_path, "b1").publish("crm_file")
    assert list(tmp_path.iterdir()) == []


def test_leads_that_a_person_assigned_are_told_like_routed_ones(con: DuckDBPyConnection) -> None:
    leads = tables(con, (1, "none", "P1"), (2, "none", "P2"), (3, "none", "P3"))
    reviewed = con.sql(
        "SELECT lead_id, TIMESTAMPTZ '2026-11-23 17:00:00+00' AS resolved_at, 'inside' AS team, 'bob' AS owner, "
        "TIMESTAMPTZ '2026-11-23 18:00:00+00' AS sla_due_at "
        "FROM test_routed_leads WHERE priority <> 'P3' UNION ALL BY NAME SELECT lead_id FROM test_routed_leads "
        "WHERE priority = 'P3'"
    )
    con.execute("UPDATE test_classified_leads SET priority = 'P2'")
    wanted = [lead(1), lead(3)]
    assigned = list_assigned(con, reviewed, leads[3], wanted)
    ((line,),) = list_lines(con, assigned, *leads[1:], destination=FILE).fetchall()
    told = json.loads(line)
    assert [told[name] for name in ("lead_id", "team", "owner", "priority", "sla_due_at")] == [
        str(lead(1)), "inside", "bob", "P2", "2026-11-23T18:00:00Z",
    ]  # fmt: skip
    assert told["contact"]["first_name"] == "Zoë"


def test_what_a_killed_writer_left_is_removed_by_the_next(con: DuckDBPyConnection, tmp_path: Path) -> None:
    staged(con, "'one'", tmp_path)  # never published, never discarded
    staged(con, "'two'", tmp_path).publish("crm_file")
    assert [path.name for path in tmp_path.iterdir()] == ["b1.ndjson"]
