"""What is looked for again and again: queues that stand, breakers that are open, drops that don't come.

Belongs here: finding what is true now. Each watch keeps the open alerts of its code as things are: opened when it
becomes true, closed when it is not any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.alerts import AlertRules, Expected
from aiqleads_pipeline.rules.calendars import WEEKDAYS
from aiqleads_pipeline.rules.enrichment import FIELD_KINDS, is_plainly_off, load_enrichment
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import alerts

Found = Mapping[str, tuple[str, str]]  # by subject: severity, detail


def watch_all(outside: Outside, rules: AlertRules, now: datetime) -> None:
    """Look once at everything."""
    store = outside.store
    alerts.reconcile(store, "queue_old", old_queues(outside, rules, now), now)
    alerts.reconcile(store, "drop_missing", missing_drops(outside, rules, now), now)
    try:
        providers, kinds = asked_providers(outside)
    except RulesError:  # nobody is asked, and `enrichment_rules_faulty` says so
        return
    alerts.reconcile(store, "breaker_open", open_breakers(outside, providers), now)
    # What was said of providers that nobody asks any more is nobody's trouble.
    alerts.close_others(store, "provider_refused", [f"enrichment:{name}" for name in providers], now)
    alerts.close_others(store, "enrichment_partial", kinds, now)


def old_queues(outside: Outside, rules: AlertRules, now: datetime) -> Found:
    """Queues whose oldest entry waits longer than it may."""
    found = {}
    for row in alerts.queue_ages(outside.store, now):
        limit: timedelta = getattr(rules.content.waits, row["queue"])
        if now - row["since"] > limit:
            detail = f"{row['waiting_count']:,} wait, the oldest since {row['since']:%Y-%m-%d %H:%M:%S} UTC"
            found[f"{row['queue']} of {row['subject']}"] = ("error", detail)
    return found


def asked_providers(outside: Outside) -> tuple[list[str], list[str]]:
    """The enrichment providers that are asked, and the kinds of fields that are asked for.

    Raises:
        RulesError: enrichment.yaml is wrong.
    """
    rules_dir = outside.settings.rules_dir
    if not outside.settings.flags.enableEnrichment or is_plainly_off(rules_dir):
        return [], []
    rules = load_enrichment(rules_dir)
    return list(rules.enabled_providers), sorted({FIELD_KINDS[field] for field in rules.wanted_fields})


def open_breakers(outside: Outside, providers: Sequence[str]) -> Found:
    """Services that fail so often that they are left alone."""
    return {
        row["service"]: ("warning", f"{row['failures_count']} failures in a row")
        for row in alerts.open_breakers(outside.store, providers)
    }


def missing_drops(outside: Outside, rules: AlertRules, now: datetime) -> Found:
    """Sources whose drop should have come by now."""
    expected = rules.content.expect
    last = alerts.last_drops(outside.store, [each.source for each in expected]) if expected else {}
    found = {}
    for each in expected:
        since, due = _window(each, now)
        at = last.get(each.source)
        if due <= now and (at is None or at < since):
            heard = f"last heard of {at:%Y-%m-%d %H:%M} UTC" if at else "never heard of"
            found[each.source] = ("error", f"due by {due:%Y-%m-%d %H:%M} UTC, {heard}")
    return found


def _window(expected: Expected, now: datetime) -> tuple[datetime, datetime]:
    """From when to when the last drop that is due by now had to come: a day's drop may come after the one before it."""
    zone = ZoneInfo(expected.time_zone)
    past: list[datetime] = []
    day = now.astimezone(zone).date()
    while len(past) < 2:
        if WEEKDAYS[day.weekday()] in expected.days:
            local = datetime(day.year, day.month, day.day, tzinfo=zone)
            moment = local.replace(hour=expected.by // 60 % 24, minute=expected.by % 60).astimezone(UTC)
            past += [moment] if moment <= now else []
        day -= timedelta(days=1)
    return past[1], past[0]
