"""`aiqleads demo`: the main job on the sample drops; prints the funnel and where to look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiqleads_pipeline.assets.outcomes import OUTCOMES_SOURCE
from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.automation.running import QUIET
from aiqleads_pipeline.commands.demo_world import deliver_demo, demo_world, tell_alert
from aiqleads_pipeline.commands.process import Summary, as_json, process_file
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import PROJECT_DIR

SAMPLES = PROJECT_DIR / "data" / "samples"
# In this order: leads, what became of them (trains the model), then leads that the model scores.
DROPS = (
    ("web_forms.csv", "web_forms"),
    ("hubspot_export.csv", "hubspot"),
    ("outcomes.csv", OUTCOMES_SOURCE),
    ("meta_lead_ads.csv", "meta"),
    ("partner.ndjson", "partner"),
    ("trade_fair.xlsx", "trade_fair"),
)
BAR = 28


def run_demo(outside: Outside, say: Callable[[str], None]) -> list[dict[str, object]]:
    """Process all samples; returns one summary per file, as ``process --json`` prints it."""
    with demo_world(outside) as (view, box):
        summaries = _process(view, say)
        _say_funnel(summaries, say)
        leads = [each.batch_id for each in summaries if each.source != OUTCOMES_SOURCE]
        _say_arrivals(deliver_demo(view, box, leads), say)
        for subject in tell_alert(view, box):
            say(f"{'alert by mail':20} {subject}")
    say("")
    say("Look at it:  .venv/bin/aiqleads up                          the Dagster UI: runs, lineage, checks")
    say("             .venv/bin/aiqleads table routed_leads           who got which lead, and why")
    say("             .venv/bin/aiqleads table rejected_leads         what was wrong with the others")
    say("             .venv/bin/aiqleads deliveries list              what went where, and what came of it")
    say("             .venv/bin/aiqleads sandbox                      the world it delivered into, to try yourself")
    say("             .venv/bin/aiqleads process FILE --source NAME   your own file")
    return [as_json(summary) for summary in summaries]


def _process(outside: Outside, say: Callable[[str], None]) -> list[Summary]:
    from aiqleads_pipeline.definitions import build_defs

    defs = build_defs(outside.settings)
    summaries = []
    with open_instance(outside) as instance:
        for name, source in DROPS:
            summary = process_file(defs, instance, outside, SAMPLES / name, source)
            summaries.append(summary)
            for line in _lines(summary):
                say(line)
            if source == OUTCOMES_SOURCE and summary.status == "done":
                result = defs.resolve_job_def("retrain_model").execute_in_process(instance=instance, run_config=QUIET)
                facts = _facts(result, "conversion_model")
                say(f"  conversion model: {facts.get('model_version') or facts.get('reason')}")
    return summaries


def _lines(summary: Summary) -> list[str]:
    head = f"{summary.file:20} {summary.status:7} {summary.received:5} received"
    if summary.source == OUTCOMES_SOURCE:
        return [f"{head}   (outcomes of leads)"]
    if summary.reason_code:
        return [f"{head}   {summary.reason_code}: {summary.detail}"]
    return [
        f"{head}  {summary.rejected:4} rejected  {summary.duplicates:4} known  {summary.routed:4} routed  "
        f"{summary.in_review:3} in review  {summary.seconds:5.1f} s"
    ]


def _say_funnel(summaries: list[Summary], say: Callable[[str], None]) -> None:
    leads = [s for s in summaries if s.source != OUTCOMES_SOURCE]
    names = ("received", "rejected", "duplicates", "routed", "in_review")
    counts = {name: sum(getattr(s, name) for s in leads) for name in names}
    say("")
    for name, count in counts.items():
        say(f"{name:12} {count:6,}  {'█' * round(BAR * count / max(counts['received'], 1))}")
    parts = sum(counts.values()) - counts["received"]
    say(f"received {counts['received']:,} = {parts:,} accounted for")


def _say_arrivals(rows: list[dict[str, Any]], say: Callable[[str], None]) -> None:
    say("")
    for row in rows:
        state = f"{row['arrived']:6,} there now" if row["requests"] else "delivered by an earlier demo"
        say(f"{row['destination']:20} {row['meant']:6,} meant  {row['delivered']:6,} delivered  {state}")


def _facts(result: Any, asset: str) -> dict[str, Any]:
    """The metadata of an asset's last materialisation in a run."""
    for event in result.get_asset_materialization_events():
        if event.asset_key and event.asset_key.path[-1] == asset:
            return {name: value.value for name, value in event.materialization.metadata.items()}
    return {}
