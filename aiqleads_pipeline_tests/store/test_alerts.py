from __future__ import annotations

from datetime import UTC, datetime, timedelta

from resources.store.alerts import close_alert, open_alerts, raise_alert
from resources.store.database import Store

NOW = datetime(2026, 11, 23, 15, 45, 30, tzinfo=UTC)


def test_one_alert_is_open_per_subject_and_counts_its_times(store: Store) -> None:
    assert raise_alert(store, "run_failed", "batch 1", "warning", "first", "run 1", NOW) == 1
    assert raise_alert(store, "run_failed", "batch 1", "error", "second\0", "run 2", NOW + timedelta(hours=1)) == 2
    assert raise_alert(store, "run_failed", "batch 2", "warning", "other", None, NOW) == 1
    first, second = open_alerts(store)
    assert {name: value for name, value in first.items() if name != "alert_id"} == {
        "code": "run_failed",
        "subject": "batch 1",
        "severity": "error",
        "detail": "second",
        "run_id": "run 2",
        "times_count": 2,
        "opened_at": NOW,
        "last_seen_at": NOW + timedelta(hours=1),
    }
    assert (second["subject"], second["severity"]) == ("batch 2", "warning")


def test_a_healed_alert_is_closed_and_may_come_again(store: Store) -> None:
    raise_alert(store, "check_failed", "batch 1", "error", "first", None, NOW)
    assert close_alert(store, "check_failed", "batch 1", NOW)
    assert not close_alert(store, "check_failed", "batch 1", NOW)
    assert open_alerts(store) == []
    assert raise_alert(store, "check_failed", "batch 1", "error", "again", None, NOW) == 1
    assert [alert["detail"] for alert in open_alerts(store)] == ["again"]
