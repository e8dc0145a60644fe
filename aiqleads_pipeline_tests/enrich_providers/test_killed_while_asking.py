"""A process that dies while it asks about a batch: the repeat says the same, and pays for nothing twice but the call
whose answer died with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from aiqleads_pipeline.outside import close
from aiqleads_pipeline.sandbox import Sandbox
from aiqleads_pipeline_tests.enrich_providers import asking_child as child
from resources.store import enrichment_gaps

USUAL = {"enabled": True, "calls_per_second": 1000, "burst_calls": 1000}


@pytest.mark.parametrize(
    ("point", "asked_twice", "is_repeated"),
    [
        ("enrichment:answered#3", 5, False),
        ("after:store:open_gaps", 0, False),
        ("after:lake:provider_facts", 0, True),
    ],
    ids=["answered", "gaps-noted", "facts-kept"],
)
def test_a_killed_batch_is_repeated_with_the_same_result(
    point: str,
    asked_twice: int,
    is_repeated: bool,
    make_database: Callable[[str], str],
    template: str,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIQLEADS_SECRET__PDL", "sandbox-pdl-key")
    pdl = {"adapter": "people_data_labs", "kind": "company", "secret": "PDL", "keys_per_call": 5, "calls_at_once": 1,
           "cost_usd_per_key": 0.1, "charges_unknown": False, "base_url": sandbox.url("pdl")}  # fmt: skip
    lacking = {"adapter": "hunter", "kind": "email", "secret": "NOWHERE"}
    rules = {
        "enabled": True,
        "providers": {"pdl": {**USUAL, **pdl}, "lacking": {**USUAL, **lacking}},
        "fields": {"employee_band": {"order": ["pdl"]}, "email_status": {"order": ["lacking"]}},
    }
    with tempfile.TemporaryDirectory(prefix="aiqleads-test-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "enrichment.yaml").write_text(yaml.safe_dump(rules))
        where = (f"{folder}/home", make_database(template), folder)
        died = subprocess.run(
            [sys.executable, "-m", child.__name__, *where], env={**os.environ, "AIQLEADS_CRASH_AT": point}, check=False
        )
        assert died.returncode == -signal.SIGKILL
        outside = child.outside_of(*where)
        try:
            facts, asked = child.ask_about_batch(outside)
            again, twice = child.ask_about_batch(outside)
            waiting = enrichment_gaps.list_open_gaps(outside.store).to_pylist()
            with outside.store.read() as con:
                spent = con.execute(text("SELECT sum(spent_usd) FROM aiqleads.provider_spend")).scalar_one()
        finally:
            close(outside)
    assert (asked.is_repeated, twice.is_repeated, again) == (is_repeated, True, facts)
    known = [row for row in facts if row[2] is not None]
    assert 0 < len(known) < child.LEADS
    assert len(waiting) == len({row["lead_id"] for row in waiting}) == child.LEADS
    assert {(row["kind"], row["reason_code"]) for row in waiting} == {("email", "provider_refused")}
    requests = [json.loads(each["body"]) for each in sandbox.requests("pdl")]
    times = Counter(row["params"]["website"] for body in requests for row in body["requests"])
    assert len(times) == child.LEADS
    assert sorted(times.values()) == [1] * (child.LEADS - asked_twice) + [2] * asked_twice
    # What the killed call reserved stays spent; all else is what was charged.
    assert abs(spent - 0.1 * (len(known) + asked_twice)) < 1e-6
