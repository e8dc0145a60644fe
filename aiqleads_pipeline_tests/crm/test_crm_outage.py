"""A CRM that is away for a day: everything is kept, arrives in order, once. Time passes by the settings' clock."""

import json
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from uuid import UUID

import duckdb
import pytest
from sqlalchemy import text

from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline_tests.crm.conftest import lead_body
from resources.store.deliveries import delivery_id, list_deliveries

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
BATCH = "20261123T080000-crm"
LEADS = 30
DOWN_HOURS = (0, 0.02, 0.2, 1, 4, 9, 15, 20, 24)

# What each table of the lake must hold for a lead to be sent, out of the JSON of a lead as it is sent.
TABLES = {
    "routed_leads": """lead_id, 'b' AS batch_id, body ->> '$.team' AS team, body ->> '$.owner' AS owner,
        body ->> '$.priority' AS priority, (body ->> '$.sla_due_at')::TIMESTAMPTZ AS sla_due_at,
        TIMESTAMPTZ '2026-11-23 08:00:00+00' AS routed_at""",
    "enriched_leads": """lead_id, body ->> '$.source' AS source, body ->> '$.external_id' AS external_id,
        unnest(from_json(body -> '$.contact', '{"first_name": "VARCHAR", "last_name": "VARCHAR", "full_name": "VARCHAR",
        "job_title": "VARCHAR", "email": "VARCHAR", "linkedin_url": "VARCHAR", "street": "VARCHAR", "city": "VARCHAR",
        "region": "VARCHAR", "postal_code": "VARCHAR", "country": "VARCHAR", "consent": "BOOLEAN"}')),
        body ->> '$.contact.phone' AS phone, body ->> '$.contact.phone' AS phone_e164,
        body ->> '$.company.name' AS company_name, body ->> '$.company.domain' AS company_domain,
        (body ->> '$.company.employee_count')::BIGINT AS employee_count,
        (body ->> '$.company.annual_revenue_usd')::DOUBLE AS annual_revenue_usd,
        body ->> '$.interest.message' AS message, NULL::VARCHAR AS product_interest, NULL::DOUBLE AS budget_usd,
        body ->> '$.interest.campaign' AS campaign""",
    "scored_leads": "lead_id, (body ->> '$.lead_score')::DOUBLE AS lead_score, body ->> '$.reasons' AS reasons",
    "classified_leads": """lead_id, body ->> '$.company.industry_code' AS industry_code,
        body ->> '$.company.industry_name' AS industry_name, body ->> '$.company.size_segment' AS size_segment,
        body ->> '$.priority' AS priority""",
}


@pytest.fixture
def routed(workshop):
    """Leads that stand in the lake and in the outbox, every third of them urgent; their ids in the order due."""
    outside = workshop.outside
    bodies = [lead_body(number, priority="P1" if number % 3 == 0 else "P3") for number in range(LEADS)]
    with open_engine(outside.settings) as con:
        values = [(UUID(body["lead_id"]), json.dumps(body)) for body in bodies]
        con.execute("CREATE TEMP TABLE leads (lead_id UUID, body JSON)")
        con.executemany("INSERT INTO leads VALUES (?, ?)", values)
        for table, columns in TABLES.items():
            relation: duckdb.DuckDBPyRelation = con.sql(f"SELECT {columns} FROM leads ORDER BY lead_id")
            outside.lake.write(relation, table, BATCH)
    order = sorted(range(LEADS), key=lambda number: (bodies[number]["priority"], number))
    with outside.store.engine.begin() as con:
        for number, body in enumerate(bodies):
            lead_id, at = UUID(body["lead_id"]), BEGAN + timedelta(seconds=number)
            con.execute(
                text(
                    "INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, "
                    "next_attempt_at, created_at) "
                    "VALUES (:id, :lead_id, :batch_id, 'salesforce', :priority, 'pending', :at, :at)"
                ),
                {
                    "id": delivery_id(lead_id, "salesforce"),
                    "lead_id": lead_id,
                    "batch_id": BATCH,
                    "priority": int(body["priority"][1]),
                    "at": at,
                },
            )
    return [bodies[number]["lead_id"] for number in order]


def drain(workshop, hours):
    """What a worker does at that hour."""
    now = BEGAN + timedelta(minutes=5, hours=hours)
    outside = Outside(workshop.outside.settings.model_copy(update={"FIXED_NOW": now}))
    outside.__dict__["store"] = workshop.store
    with Worker(outside) as worker:
        worker.drain(20)


def in_order(places):
    """How many of them stand in ascending order."""
    ends = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)


def test_away_for_a_day(workshop, box, routed, monkeypatch):
    for name, value in box.credentials["salesforce"].items():
        monkeypatch.setenv(f"AIQLEADS_SECRET__SALESFORCE_{name}".upper(), value)
    workshop.rules("salesforce", collection_size=5)
    (workshop.outside.settings.rules_dir / "destinations.yaml").write_text(
        "destinations:\n  - {name: salesforce, kind: salesforce, chunk_size: 10, concurrency: 1}\n", encoding="utf-8"
    )
    down = box.fault("salesforce", "error", status=503)
    for hours in DOWN_HOURS:
        drain(workshop, hours)
    states = {each.state for each in list_deliveries(workshop.store)}
    assert states == {"pending"}  # kept, all of them
    asked = box.counts("salesforce")["attempts"]
    assert len(DOWN_HOURS) <= asked <= 12 * len(DOWN_HOURS)  # looked for, not hammered
    box.clear_faults(down)
    for hours in (25, 25.5, 26, 27):
        drain(workshop, hours)
    held = sorted(box.records("salesforce", "Lead"), key=lambda each: each["Id"])
    assert {each.state for each in list_deliveries(workshop.store)} == {"delivered"}
    arrived = [each["AIQLeads_Id__c"] for each in held]
    assert sorted(arrived) == sorted(routed)
    # The urgent ones first, each kind by age; but a tenth goes by age alone, so that nothing starves.
    assert in_order([routed.index(each) for each in arrived]) >= 0.9 * LEADS
    assert box.counts("salesforce")["effects"] == LEADS
