"""The real job with providers that are away, then back: leads go on at once, and are completed later."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.commands.doctor import examine
from aiqleads_pipeline.commands.lead import lead_story
from aiqleads_pipeline.commands.process import Summary, process_file
from aiqleads_pipeline.definitions import build_defs
from aiqleads_pipeline.doors.standing import Standings
from aiqleads_pipeline.enriching.completing import with_additions
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.sandbox import Sandbox
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import table_relation
from resources.store import alerts, drops, enrichment_gaps

NOW = datetime.now(UTC).replace(microsecond=0)
CSV = "First Name,Last Name,Email,Company\n" + "".join(
    f"Ann{i},Alder{chr(97 + i)},valid@company{i}.com,Company {i}\n" for i in range(6)
)


@dataclass
class Office:
    """A home whose clock the test moves, and the sandbox's vendors in its ``enrichment.yaml``."""

    outside: Outside
    instance: dg.DagsterInstance
    folder: Path
    opened: list[Outside]

    def process(self, content: str, name: str) -> Summary:
        file = self.folder / name
        file.write_text(content)
        return process_file(build_defs(self.outside.settings), self.instance, self.outside, file, "fair")

    def later(self, **lengths: float) -> Office:
        """The same home at another time."""
        settings = self.outside.settings
        moved = open_outside(settings.model_copy(update={"FIXED_NOW": settings.now() + timedelta(**lengths)}))
        self.opened.append(moved)
        return Office(moved, self.instance, self.folder, self.opened)

    def complete(self) -> bool:
        job = build_defs(self.outside.settings).resolve_job_def("complete_enrichment")
        return job.execute_in_process(instance=self.instance, raise_on_error=False).success

    def rows(self, batch_id: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of `enriched_leads` as readers see them now."""
        with open_engine(self.outside.settings) as con:
            now = with_additions(self.outside, con, table_relation(con, self.outside, "enriched_leads", batch_id))
            return now.order("email").project(", ".join(columns)).fetchall()

    def alerts(self) -> set[tuple[str, str]]:
        found = alerts.open_alerts(self.outside.store)
        return {(each["code"], each["subject"]) for each in found if each["code"].startswith(("enrich", "breaker"))}


@pytest.fixture
def office(
    make_database: Callable[[str], str], template: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    before = dict(os.environ)
    monkeypatch.setenv("AIQLEADS_SECRET__PDL", "sandbox-pdl-key")
    monkeypatch.setenv("AIQLEADS_SECRET__HUNTER", "sandbox-hunter-key")
    folder = Path(tempfile.mkdtemp(prefix="aiqleads-test-"))
    shutil.copytree(PROJECT_DIR / "data" / "rules", folder / "rules")
    usual = {"enabled": True, "calls_per_second": 1000, "burst_calls": 1000, "breaker": {"least_calls": 1000}}
    rules = {
        "enabled": True,
        "providers": {
            "pdl": {**usual, "adapter": "people_data_labs", "kind": "company", "secret": "PDL", "keys_per_call": 100,
                    "base_url": sandbox.url("pdl"), "cost_usd_per_key": 0.1},
            "hunter": {**usual, "adapter": "hunter", "kind": "email", "secret": "HUNTER",
                       "base_url": sandbox.url("hunter")},
        },
        "fields": {"employee_band": {"order": ["pdl"]}, "email_status": {"order": ["hunter"]}},
    }  # fmt: skip
    (folder / "rules" / "enrichment.yaml").write_text(yaml.safe_dump(rules))
    outside = open_outside(
        Settings(
            HOME=folder / "home", DATABASE_URL=make_database(template), RULES_DIR=folder / "rules",
            EGRESS_ALLOW_LOOPBACK=True, FIXED_NOW=NOW,
        )
    )  # fmt: skip
    opened = [outside]
    try:
        with open_instance(outside) as instance:
            yield Office(outside, instance, folder, opened)
    finally:
        for each in opened:
            close(each)
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder, ignore_errors=True)


def test_leads_go_on_without_a_provider_and_are_completed_when_it_is_back(office: Office, sandbox: Sandbox) -> None:
    sandbox.fault("pdl", "error", status=503)
    summary = office.process(CSV, "away.csv")
    batch = summary.batch_id
    counts = drops.batch(office.outside.store, batch).counts
    assert (summary.status, counts["routed"]) == ("done", 6)
    assert (
        office.rows(batch, "employee_band", "email_status", "enrichment_status", "degraded")
        == [(None, "valid", "partial", ["provider_unavailable"])] * 6
    )
    assert ("enrichment_partial", "company") in office.alerts()

    assert office.complete()  # nothing is due yet
    attempts = sandbox.counts("pdl")["attempts"]
    still_away = office.later(minutes=6)
    assert still_away.complete()
    assert sandbox.counts("pdl")["attempts"] > attempts
    assert sum(row["leads_count"] for row in enrichment_gaps.count_gaps(office.outside.store)) == 6

    sandbox.clear_faults()
    healed = still_away.later(hours=2)
    assert healed.complete()
    added = enrichment_gaps.list_additions(office.outside.store).to_pylist()
    known = {row["lead_id"] for row in added}
    assert 0 < len(known) < 6, "the sandbox must know some and not all: a gap may close without a fact"
    assert enrichment_gaps.count_gaps(office.outside.store) == []
    assert office.alerts() == set()
    for lead_id, band, source, degraded in healed.rows(
        batch, "lead_id", "employee_band", "employee_band_source", "degraded"
    ):
        assert (band is not None, source, degraded) == (lead_id in known, "pdl" if lead_id in known else None, [])

    lead_id = next(iter(known))
    told = lead_story(office.outside, str(lead_id))["enrichment_additions"]
    assert [(each["field"], each["provider"]) for each in told] == [("employee_band", "pdl")]
    standings = Standings(office.outside)
    standing = standings.describe(lead_id, None, True)
    standings.close()
    assert standing is not None
    assert [(each["field"], "value" in each) for each in standing["additions"]] == [("employee_band", False)]
    assert "waits_for" not in standing


def test_rules_with_faults_are_told_by_alert_and_by_doctor(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    path = office.folder / "rules" / "enrichment.yaml"
    sound = path.read_text()
    path.write_text("enabled: true\nproviders:\n  pdl: {adapter: people_data_labs, kind: company, enabled: true}\n")
    settings = office.outside.settings
    for name in ("HOME", "DATABASE_URL", "RULES_DIR"):
        monkeypatch.setenv(f"AIQLEADS_{name}", str(getattr(settings, name)))
    (finding,) = [each for each in examine() if each.check == "enrichment"]
    assert not finding.ok
    assert "enrichment.yaml:3: pdl: an enabled provider needs a `secret`" in finding.detail
    assert office.process(CSV, "faulty.csv").status == "done"
    assert office.alerts() == {("enrichment_rules_faulty", "enrichment.yaml")}
    path.write_text(sound)
    (finding,) = [each for each in examine() if each.check == "enrichment"]
    assert (finding.ok, finding.detail) == (True, "asks hunter, pdl")
    assert office.process(CSV.replace("company", "other"), "mended.csv").status == "done"
    assert office.alerts() == set()
