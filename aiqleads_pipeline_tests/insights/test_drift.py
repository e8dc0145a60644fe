"""Drift: what stays is left alone, what moves is told, and a model whose probabilities don't hold steps down."""

from __future__ import annotations

import pytest

from aiqleads_pipeline.assets.learning import current_versions, load_learnt
from aiqleads_pipeline.contract import ENRICHED_LEADS
from aiqleads_pipeline.stages.drift import ALERT, USUAL, calibration_drift, feature_drifts
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import alerts, drift


def foretold(con, base_rate: float, count: int = 400):  # type: ignore[no-untyped-def]
    """Leads of which 5 % were foretold, and ``base_rate`` came true."""
    return con.sql(
        f"SELECT 0.02 + 0.06 * (hash(i) % 1000 / 1000) AS conversion_prob, hash(i, 1) % 10000 < {base_rate * 10000} "
        f"AS is_won FROM range({count}) AS t(i)"
    )


def leads(con, share_now: float):  # type: ignore[no-untyped-def]
    """Half of the leads came lately; ``share_now`` of these are from the US, of the others 0.5."""
    con.execute("CREATE OR REPLACE TEMP TABLE all_facts (" + ", ".join(
        f'"{column.name}" {column.type}' for column in ENRICHED_LEADS.columns
    ) + ")")  # fmt: skip
    return con.sql(
        f"SELECT f.* REPLACE (CASE WHEN hash(i, 'c') % 1000 < 1000 * CASE WHEN i % 2 = 0 THEN {share_now} ELSE 0.5 END "
        "THEN 'US' ELSE 'DE' END AS country), 10.0 * (hash(i, 's') % 10) AS lead_score, i % 2 = 0 AS is_now "
        "FROM range(4000) AS t(i) LEFT JOIN all_facts AS f ON false"
    )


def test_a_base_rate_from_5_to_25_percent_alarms(con) -> None:  # type: ignore[no-untyped-def]
    assert calibration_drift(con, foretold(con, 0.05))[0].level == USUAL
    found, bands = calibration_drift(con, foretold(con, 0.25))
    assert found.level == ALERT
    assert found.value > 3
    assert sum(band["leads_count"] for band in bands) == 400
    assert calibration_drift(con, foretold(con, 0.25, count=100))[0].level == ALERT


def test_too_few_outcomes_say_nothing(con) -> None:  # type: ignore[no-untyped-def]
    assert calibration_drift(con, foretold(con, 1.0, count=20))[0].level == USUAL


@pytest.mark.parametrize(("share_now", "level"), [(0.5, 0), (0.72, 1), (0.95, 2)], ids=["same", "some", "other"])
def test_stability_of_features(con, share_now: float, level: int) -> None:  # type: ignore[no-untyped-def]
    found = {each.subject: each for each in feature_drifts(con, leads(con, share_now))}
    assert found["feature:country"].level == level
    assert {each.level for subject, each in found.items() if subject != "feature:country"} == {USUAL}
    assert "score" in found


def test_a_warning_then_an_alert_then_the_rung_below(firm) -> None:  # type: ignore[no-untyped-def]
    store, now = firm.outside.store, firm.outside.settings.now()
    try:
        assert drift.record(store, "calibration", 1, 1.4, "some", now) == 1
        assert drift.record(store, "calibration", 2, 5.0, "25 % of 5 %", now) == 1
        assert drift.step_down(store) is None
        assert drift.record(store, "calibration", 2, 5.0, "25 % of 5 %", now) == 2
        why = drift.step_down(store)
        assert why == "its probabilities do not hold: 25 % of 5 %"
        versions = current_versions(firm.outside)
        with open_engine(firm.outside.settings) as con:
            learnt = load_learnt(firm.outside, con, {**versions, "reliability": None, "model": "any"})
        assert (learnt.model, learnt.method_reason) == (None, f"model_failed: {why}")
    finally:
        drift.forget(store, now)
    assert drift.step_down(store) is None


def test_the_asset_tells_and_shows(firm) -> None:  # type: ignore[no-untyped-def]
    job = firm.defs.resolve_job_def("watch_drift")
    result = job.execute_in_process(instance=firm.instance)
    assert result.success
    checks = {each.check_name for each in result.get_asset_check_evaluations()}
    assert checks == {"features_are_stable", "scores_are_stable", "probabilities_hold"}
    assert not [alert for alert in alerts.open_alerts(store=firm.outside.store) if alert["code"] == "scores_drifted"]
