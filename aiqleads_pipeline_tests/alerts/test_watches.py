"""What is looked for: opened when it becomes true, closed when it is not any more."""

from datetime import UTC, datetime, timedelta

import pytest

from aiqleads_pipeline.alerting.watches import missing_drops, watch_all
from aiqleads_pipeline.outside import close, open_outside
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.settings import FeatureFlags
from resources.store import alerts


@pytest.fixture
def watch(world):
    return lambda: watch_all(world.outside, load_alerts(world.rules), world.now)


ASKING = """
enabled: true
providers:
  hunter: {adapter: hunter, kind: email, enabled: true, secret: HUNTER}
fields: {email_status: {order: [hunter]}}
"""


def open_now(world):
    return {(alert["code"], alert["subject"]): alert for alert in alerts.open_alerts(world.outside.store)}


def test_a_queue_that_stands_is_an_alert_until_it_moves(world, watch):
    world.run(
        "INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, "
        "created_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'b', 'crm', 2, 'pending', :at, :at)",
        at=world.now,
    )
    world.later(minutes=30)
    watch()
    assert open_now(world) == {}
    world.later(minutes=1)
    watch()
    watch()
    [alert] = open_now(world).values()
    assert (alert["code"], alert["subject"], alert["times_count"]) == ("queue_old", "deliveries of crm", 1)
    world.run("UPDATE aiqleads.outbox SET state = 'delivered', next_attempt_at = NULL")
    watch()
    assert open_now(world) == {}


def test_an_open_breaker_is_an_alert_until_it_closes(world, watch):
    world.run(
        "INSERT INTO aiqleads.delivery_lanes (destination, failures_count, opened_count, open_until) "
        "VALUES ('crm', 7, 1, :until)",
        until=world.now + timedelta(minutes=5),
    )
    world.run("INSERT INTO aiqleads.provider_states (provider, breaker, opens_count) VALUES ('hunter', 'open', 2)")
    world.write("enrichment.yaml", ASKING)
    watch()
    assert {subject for _, subject in open_now(world)} == {"destination crm", "enrichment:hunter"}
    world.run("UPDATE aiqleads.delivery_lanes SET open_until = NULL, opened_count = 0")
    world.run("UPDATE aiqleads.provider_states SET breaker = 'closed'")
    watch()
    assert open_now(world) == {}


@pytest.mark.parametrize("off", ["by_rules", "by_flag", "provider"])
def test_switching_enrichment_off_closes_its_alerts(world, watch, off):
    world.write("enrichment.yaml", ASKING)
    world.run("INSERT INTO aiqleads.provider_states (provider, breaker, opens_count) VALUES ('hunter', 'open', 2)")
    ours = [("provider_refused", "enrichment:hunter"), ("enrichment_partial", "email")]
    for code, subject in ours:
        alerts.raise_alert(world.outside.store, code, subject, "warning", "it is away", None, world.now)
    watch()
    assert set(open_now(world)) == {*ours, ("breaker_open", "enrichment:hunter")}
    if off == "by_flag":
        flags = FeatureFlags(enableEnrichment=False)
        settings = world.outside.settings.model_copy(update={"flags": flags})
        elsewhere = open_outside(settings)
        watch_all(elsewhere, load_alerts(world.rules), world.now)
        close(elsewhere)
    else:
        on = "enabled: true" if off == "by_rules" else "enabled: true, secret"
        world.write("enrichment.yaml", ASKING.replace(on, on.replace("true", "false"), 1))
        watch()
    assert open_now(world) == {}


def test_a_drop_that_does_not_come_is_missed_until_it_comes(world, watch):
    world.write(
        "alerts.yaml",
        "expect: [{source: partner, by: '09:00', time_zone: Europe/Berlin, days: [mon, tue, wed, thu, fri]}]",
    )
    watch()
    assert open_now(world)["drop_missing", "partner"]["detail"] == "due by 2026-11-23 08:00 UTC, never heard of"
    arrive(world, datetime(2026, 11, 20, 8, 1, tzinfo=UTC))  # after Friday's hour: it is Monday's
    watch()
    assert open_now(world) == {}
    world.later(hours=17)  # Tuesday, 08:00 UTC
    watch()
    assert ("drop_missing", "partner") in open_now(world)
    arrive(world, world.now + timedelta(minutes=5))
    watch()
    assert open_now(world) == {}


def test_days_off_are_not_missed(world):
    world.write("alerts.yaml", "expect: [{source: partner, by: '09:00', days: [mon]}]")
    arrive(world, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))
    rules = load_alerts(world.rules)
    sunday, monday = datetime(2026, 11, 29, 23, 0, tzinfo=UTC), datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    assert missing_drops(world.outside, rules, sunday) == {}
    assert list(missing_drops(world.outside, rules, monday)) == ["partner"]


def arrive(world, at):
    name = f"b{at:%d%H%M}"
    world.run(
        "INSERT INTO aiqleads.batches (batch_id, source, channel, state, size_bytes, received_at) "
        "VALUES (:name, 'partner', 'upload', 'done', 1, :at)",
        name=name,
        at=at,
    )
    world.run(
        "INSERT INTO aiqleads.drops (uri, version, source, channel, name, content_sha256, size_bytes, archive_uri, "
        "batch_id, is_repeat, first_seen_at) "
        "VALUES (:name, '1', 'partner', 'upload', :name, :name, 1, '', :name, false, :at)",
        name=name,
        at=at,
    )
