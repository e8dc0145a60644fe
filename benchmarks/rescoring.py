"""Measures the nightly re-scoring: leads enriched, routed and open, scored by a model and explained above P3.

    python -m benchmarks.rescoring                  a million leads
    python -m benchmarks.rescoring --leads 100000

The leads, their routes and the outcomes that the model learns from are made up (seeded); what is timed is
``aiqleads_pipeline.rescoring.rescore`` in a home of its own, from the tables to the written and noted scores. The
model (trees: the others are cheaper) is trained before the clock starts. The goal: a million in 15 s on two cores that
nobody else uses; ``cpu_seconds`` hardly depends on who does.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.contract import TABLES, cast_projection
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.rescoring import rescore
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.conversion import TrainedModel, train
from aiqleads_pipeline.stages.engine import open_engine, set_variables

HERE = Path(__file__).resolve().parent
BATCH = "20260101T000000-bench"
CLOSED_COUNT = 20_000


def main() -> None:
    """Make the home, run, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=1_000_000)
    leads_count: int = parser.parse_args().leads
    home = Path(tempfile.mkdtemp(prefix="aiqleads-bench-"))
    outside = open_outside(Settings(HOME=home))
    try:
        with open_engine(outside.settings) as con:
            write_leads(con, outside, leads_count)
            train_model(con, outside)
        outside.rules()  # and the store is up
        started, used = time.perf_counter(), _cpu_seconds()
        done = rescore(outside)
        print(
            json.dumps(
                {
                    "seconds": round(time.perf_counter() - started, 2),
                    "model": outside.models.load(str(outside.models.current()))["model"]["kind"],
                    "cpu_seconds": round(_cpu_seconds() - used, 2),
                    "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
                    **done.facts,
                }
            )
        )
    finally:
        close(outside)
        shutil.rmtree(home, ignore_errors=True)


def write_leads(con: DuckDBPyConnection, outside: Outside, leads_count: int) -> None:
    """The tables of one large batch, every lead routed and open."""
    outside.store.migrate()
    set_variables(con, bench_leads=leads_count, bench_batch=BATCH)
    made = con.sql((HERE / "rescoring_leads.sql").read_text(encoding="utf-8"))
    known = set(made.columns)
    columns = ", ".join(
        f'{c.name if c.name in known else "NULL"}::{c.type} AS "{c.name}"' for c in TABLES["enriched_leads"].columns
    )
    outside.lake.write(made.project(columns), "enriched_leads", BATCH)
    routed = outside.lake.read(con, "enriched_leads", BATCH).project(
        "lead_id, batch_id, 'sales' AS team, 'ann' AS owner, 'all' AS rule_id, 'rota' AS owner_method, "
        "'P3' AS priority, '{}' AS reasons, received_at AS sla_due_at, received_at AS routed_at"
    )
    outside.lake.write(routed.project(cast_projection("routed_leads")), "routed_leads", BATCH)


def train_model(con: DuckDBPyConnection, outside: Outside) -> None:
    """A model that learnt from some of the leads (as if they were others: none of them is closed)."""
    closed = outside.lake.read(con, "enriched_leads", BATCH).limit(CLOSED_COUNT)
    known = closed.project(
        "*, received_at + to_hours(1 + (hash(lead_id) % 2000)::INT) AS closed_at, "
        # Facts that count only together: trees, the dearest model, beat the others.
        "CASE WHEN hash(lead_id, 'dice') % 1000 / 1000 < 0.03 + 0.005 * least(coalesce(page_views_count, 0), 30) "
        "+ 0.3 * ((source IN ('web', 'fair')) <> (coalesce(country, 'US') IN ('US', 'DE')))::INT "
        "THEN 'won' ELSE 'lost' END AS result"
    )
    found = train(con, known, seed=1)
    if not isinstance(found, TrainedModel):
        raise SystemExit(f"the benchmark's model is unsound: {found.reason}")
    outside.models.save(found.version, found.document)
    outside.models.promote(found.version)


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
