"""How providers do, for people: metadata by kind, the scoreboard, alerts that clear by themselves.

Belongs here: what is told. Does not belong here: what is counted (the view ``provider_scoreboard``).
"""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.enriching.desk import Desk
from aiqleads_pipeline.rules.enrichment import KINDS
from resources.store import alerts, enrichment_gaps, provider_permits

_COLUMNS = (
    "calls_count", "failed_calls_count", "keys_count", "known_count", "hit_share", "facts_count",
    "refused_facts_count", "cost_usd", "cost_per_fact_usd", "p50_seconds", "p95_seconds", "breaker",
)  # fmt: skip


def kinds_metadata(desk: Desk, kinds: tuple[str, ...] = KINDS) -> dict[str, dict[str, Any]]:
    """For each kind that an enabled provider tells about: hit share, cost per filled field, p95 and breaker, in sum and
    by provider; how many leads wait."""
    scores = provider_permits.scoreboard(desk.store)
    waiting = enrichment_gaps.count_gaps(desk.store)
    found = {}
    for kind in kinds:
        names = [name for name, each in desk.rules.enabled_providers.items() if each.kind == kind]
        rows = [row for row in scores if row["kind"] == kind and row["provider"] in names]
        if not names:
            continue
        keys, facts = _sum(rows, "keys_count"), _sum(rows, "facts_count")
        cost = _sum(rows, "cost_usd")
        found[kind] = {
            "providers": {row["provider"]: _rounded(row) for row in rows},
            "hit_share": round(_sum(rows, "known_count") / keys, 4) if keys else 0.0,
            "cost_usd": round(cost, 4),
            "cost_per_filled_field_usd": round(cost / facts, 6) if facts else 0.0,
            "p95_seconds": round(max((row["p95_seconds"] for row in rows), default=0.0), 3),
            "breaker": ", ".join(f"{row['provider']}: {row['breaker']}" for row in rows) or "closed",
            "leads_waiting": int(sum(row["leads_count"] for row in waiting if row["kind"] == kind)),
        }
    return found


def raise_alerts(desk: Desk, run_id: str | None) -> None:
    """Warn of open breakers, providers that refuse and leads that wait; clear what has healed."""
    states = provider_permits.states(desk.store)
    for name in desk.rules.enabled_providers:
        subject, state = f"enrichment:{name}", states.get(name)
        refusal = desk.refused.get(name)
        _raise_or_close(
            desk, "breaker_open", subject, "warning", run_id,
            f"{name} fails or is slow ({state.last_error_code or 'slow'}); left alone until {state.open_until:%F %T}"
            if state is not None and state.breaker != "closed" and state.open_until else None,
        )  # fmt: skip
        _raise_or_close(desk, "provider_refused", subject, "error", run_id, refusal or _refusal(desk, name))
    waiting = enrichment_gaps.count_gaps(desk.store)
    for kind in KINDS:
        rows = [row for row in waiting if row["kind"] == kind]
        detail = ", ".join(f"{row['leads_count']:,} leads: {row['reason_code']}" for row in rows)
        _raise_or_close(desk, "enrichment_partial", kind, "warning", run_id, detail or None)


def _refusal(desk: Desk, name: str) -> str | None:
    """A provider whose last call was refused."""
    last = provider_permits.last_call(desk.store, name)
    return f"{name} refuses: {last[1]}" if last and last[0] == "refused" else None


def _raise_or_close(desk: Desk, code: str, subject: str, severity: str, run_id: str | None, detail: str | None) -> None:
    if detail is None:
        alerts.close_alert(desk.store, code, subject, desk.now())
    else:
        alerts.raise_alert(desk.store, code, subject, severity, detail, run_id, desk.now())


def _sum(rows: list[dict[str, Any]], name: str) -> float:
    return float(sum(row[name] or 0 for row in rows))


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else (value if isinstance(value, str) else _whole(value))
        for name in _COLUMNS
        for value in [row[name]]
    }


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
