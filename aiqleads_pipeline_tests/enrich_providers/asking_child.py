"""Asks about one batch of leads: what a killed process and its repeat both run (`python -m … HOME URL RULES`)."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from aiqleads_pipeline.contract import VALIDATED_LEADS
from aiqleads_pipeline.enriching.batches import Asked, facts_of_batch
from aiqleads_pipeline.enriching.desk import open_desk
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.rules.enrichment import load_enrichment
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.enrich import enrich_leads
from resources.store.leases import held, holder_name

BATCH, LEADS = "batch-1", 20
NOW = datetime(2026, 11, 23, tzinfo=UTC)
_GIVEN = {
    "lead_id": "('00000000-0000-0000-0000-0000000000' || (10 + i))", "batch_id": f"'{BATCH}'", "row_number": "i + 1",
    "source": "'s'", "source_channel": "'upload'", "received_at": "now()", "email": "'a@company' || i || '.com'",
    "email_domain": "'company' || i || '.com'", "last_name": "'x'", "warnings": "[]",
}  # fmt: skip


def outside_of(home: str, url: str, rules: str) -> Outside:
    """What lies outside of a home."""
    return open_outside(Settings(HOME=Path(home), DATABASE_URL=url, RULES_DIR=Path(rules), EGRESS_ALLOW_LOOPBACK=True))


def ask_about_batch(outside: Outside) -> tuple[list[tuple[UUID, str, str | None, str | None, str | None]], Asked]:
    """The facts of the batch, in order, and what came of asking."""
    columns = ", ".join(f"({_GIVEN.get(c.name, 'NULL')})::{c.type} AS {c.name}" for c in VALIDATED_LEADS.columns)
    desk = open_desk(load_enrichment(outside.settings.rules_dir), outside.settings, outside.store)
    holder = holder_name("run")
    try:
        with open_engine(outside.settings) as con, held(outside.store, f"batch:{BATCH}", holder, 60.0) as lease:
            outside.lake.attach(con)
            con.execute(f"CREATE TABLE validated AS SELECT {columns} FROM range({LEADS}) AS r (i)")
            enrich_leads(con, con.table("validated"), as_of=NOW).query("_", "CREATE TABLE enriched AS FROM _")
            facts, asked = facts_of_batch(outside, con, desk, con.table("enriched"), BATCH, lease, 60.0)
            return facts.project("lead_id, kind, field, value, gap_code").order("ALL").fetchall(), asked
    finally:
        desk.close()


if __name__ == "__main__":
    opened = outside_of(*sys.argv[1:])
    ask_about_batch(opened)
    close(opened)
