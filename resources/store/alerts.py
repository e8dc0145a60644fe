"""Alerts: what a person must see. One is open per code and subject, counts its times, and is closed when healed.

``detail`` is one line without personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resources.store.database import statement

if TYPE_CHECKING:
    from resources.store.database import Store

_DETAIL_CHARS = 4000


def raise_alert(
    store: Store,
    code: str,
    subject: str,
    severity: str,
    detail: str,
    run_id: str | None,
    now: datetime,
) -> int:
    """Open an alert, or count the open one of this code and subject; returns how often it was raised.

    Args:
        code: a reason code.
        subject: what it is about (a batch, a check of a batch, a destination).
        severity: ``error`` or ``warning``.
        now: UTC.
    """
    row = {
        "code": code,
        "subject": subject,
        "severity": severity,
        "detail": detail.replace("\0", "")[:_DETAIL_CHARS],
        "run_id": run_id,
        "now": now,
    }
    with store.transaction("store:raise_alert") as con:
        return int(con.execute(statement("alerts/raise"), row).scalar_one())


def close_alert(store: Store, code: str, subject: str, now: datetime) -> bool:
    """Close the open alert of this code and subject; False if there is none (then nothing is written)."""
    alert = {"code": code, "subject": subject}
    with store.read() as con:
        if con.execute(statement("alerts/find_open"), alert).first() is None:
            return False
    with store.transaction("store:close_alert") as con:
        return con.execute(statement("alerts/close"), {**alert, "now": now}).first() is not None


def open_alerts(store: Store, limit: int = 1000) -> list[dict[str, Any]]:
    """Open alerts, errors first, then the youngest: ``alert_id, code, subject, severity, detail, run_id, times_count,
    opened_at, last_seen_at``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("alerts/list_open"), {"row_limit": limit}).mappings()]


def reconcile(store: Store, code: str, found: Mapping[str, tuple[str, str]], now: datetime) -> None:
    """Make the open alerts of a code say what is true now: those that are not in ``found`` are closed.

    Args:
        found: by subject, severity and detail.
    """
    details = [detail.replace("\0", "")[:_DETAIL_CHARS] for _, detail in found.values()]
    rows = {
        "code": code,
        "now": now,
        "subjects": list(found),
        "severities": [severity for severity, _ in found.values()],
        "details": details,
    }
    with store.transaction("store:reconcile_alerts") as con:
        con.execute(statement("alerts/reconcile_closed"), rows)
        if found:
            con.execute(statement("alerts/reconcile_open"), rows)


def close_others(store: Store, code: str, subjects: Sequence[str], now: datetime) -> None:
    """Close the open alerts of a code that are about none of the subjects."""
    with store.transaction("store:reconcile_alerts") as con:
        con.execute(statement("alerts/reconcile_closed"), {"code": code, "subjects": list(subjects), "now": now})


def queue_ages(store: Store, now: datetime) -> list[dict[str, Any]]:
    """What waits longest: ``queue`` (intake, batches, deliveries), ``subject, since, waiting_count``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("alerts/queue_ages"), {"now": now}).mappings()]


def open_breakers(store: Store, providers: Sequence[str]) -> list[dict[str, Any]]:
    """Destinations, and those of the providers, that are left alone just now: ``service, failures_count, since``."""
    with store.read() as con:
        asked = {"providers": list(providers)}
        return [dict(row) for row in con.execute(statement("alerts/open_breakers"), asked).mappings()]


def last_drops(store: Store, sources: Sequence[str]) -> dict[str, datetime]:
    """When each of the sources was heard of last; those that never were are missing."""
    with store.read() as con:
        rows = con.execute(statement("alerts/last_drops"), {"sources": list(sources)})
        return {row.source: row.last_at for row in rows}
