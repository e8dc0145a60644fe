"""What leads lack, and answers laid over their empty fields."""

from __future__ import annotations

from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.contract import VALIDATED_LEADS
from aiqleads_pipeline.enriching.batches import relation_of
from aiqleads_pipeline.enriching.waterfall import Fact, Outcome
from aiqleads_pipeline.stages.enrich import enrich_leads
from aiqleads_pipeline.stages.enrich_by_providers import lay_over, list_subjects, list_wanted

NOW = datetime(2026, 11, 23, tzinfo=UTC)
GIVEN = {
    "batch_id": "'b'", "row_number": "1", "source": "'s'", "source_channel": "'upload'", "received_at": "now()",
    "email": "'a@acme.com'", "email_domain": "'acme.com'", "last_name": "'x'", "warnings": "[]",
}  # fmt: skip


def test_facts_fill_empty_fields_only_and_gaps_are_named(con: DuckDBPyConnection) -> None:
    for i, changes in enumerate(({}, {"employee_count": "5"})):
        row = {**GIVEN, "lead_id": f"'00000000-0000-0000-0000-00000000000{i}'", **changes}
        columns = ", ".join(f"{row.get(c.name, 'NULL')}::{c.type} AS {c.name}" for c in VALIDATED_LEADS.columns)
        con.execute(f"{'INSERT INTO validated' if i else 'CREATE TABLE validated AS'} SELECT {columns}")
    enrich_leads(con, con.table("validated"), as_of=NOW).query("_", "CREATE TABLE enriched AS FROM _")
    enriched = con.table("enriched")
    wanted = list_wanted(con, enriched, ["employee_band", "has_mail_server", "email_status"])
    found = {kind: key for key, kind in list_subjects(con, wanted).project("subject_id, kind").fetchall()}
    assert sorted(found) == ["company", "email"]
    outcome = Outcome(
        [
            Fact(found["company"], "employee_band", "51-200", "pdl", 0.9, 0.1, NOW),
            Fact(found["email"], "has_mail_server", "true", "dns_mx", 0.9, 0.0, NOW),
        ],
        {found["email"]: "provider_unavailable"},
    )
    facts = relation_of(con, wanted, outcome, set(found.values()))
    laid = lay_over(con, enriched, facts).project(
        "employee_band, employee_band_source, has_mail_server, email_status, enrichment_status, degraded"
    )
    assert sorted(laid.fetchall(), reverse=True) == [
        ("51-200", "pdl", True, None, "partial", ["provider_unavailable"]),
        ("1-10", "employee_count", True, None, "partial", ["provider_unavailable"]),
    ]
