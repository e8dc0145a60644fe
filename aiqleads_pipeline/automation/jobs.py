"""The jobs. All run in process: parallelism comes from several runs, and a killed run leaves no orphans."""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.assets.specs import UPSTREAM

PROCESS_BATCH = "process_batch"
LOAD_OUTCOMES = "load_outcomes"
MAX_RUNTIME_TAG = "dagster/max_runtime"

process_batch = dg.define_asset_job(
    PROCESS_BATCH,
    selection=dg.AssetSelection.assets(*UPSTREAM),
    description="One batch from the dropped file to routed leads and their intents of delivery",
)
load_outcomes = dg.define_asset_job(
    LOAD_OUTCOMES,
    selection=dg.AssetSelection.assets("outcomes"),
    description="An outcomes file (won, lost, returned) to the leads it speaks of",
)
retrain_model = dg.define_asset_job(
    "retrain_model",
    selection=dg.AssetSelection.assets("source_reliability", "conversion_model"),
    description="Trains the conversion model on all outcomes; keeps the last good one when the new one is unsound",
)
rescore_open_leads = dg.define_asset_job(
    "rescore_open_leads",
    selection=dg.AssetSelection.assets("open_lead_scores"),
    description="Scores of all open leads as they are today",
)
audit_leads = dg.define_asset_job(
    "audit_leads",
    selection=dg.AssetSelection.assets("audit"),
    description="Great Expectations audit of the store with HTML Data Docs",
)
read_back_crms = dg.define_asset_job(
    "read_back_crms",
    selection=dg.AssetSelection.assets("crm_read_back"),
    description="Compares what the CRMs hold with what was sent, repairs, and takes their outcomes over",
)

JOBS = (process_batch, load_outcomes, retrain_model, rescore_open_leads, audit_leads, read_back_crms)
