"""Alerts are told once, together, again when they go on, and when they heal, whoever tells and however often."""

import threading

import pytest

from aiqleads_pipeline.alerting.telling import tell_alerts
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import alert_groups, alerts

ROUTES = """
routes:
  - {when: {severity: [error]}, to: [on_call], wait: 0 s, group_by: [code, subject], then_next: true}
  - {to: [chat], wait: 30 s, grow_every: 5 min, repeat_every: 4 h}
"""


@pytest.fixture
def tell(world):
    world.write("alerts.yaml", ROUTES)
    return lambda: tell_alerts(world.outside, load_alerts(world.rules), world.now)


def fail(world, subject, severity="error", code="run_failed"):
    alerts.raise_alert(world.outside.store, code, subject, severity, f"{subject} broke", "run-1", world.now)


def told(world):
    return [(topic, body["summary"], destination) for topic, body, destination, _ in world.notices()]


def test_one_incident_from_its_beginning_to_its_end(world, tell):
    fail(world, "batch-1")
    tell()
    assert told(world) == [("alert.opened", "A run failed. (batch-1)", "on_call")]
    world.later(seconds=30)
    fail(world, "batch-2")
    tell()
    assert sorted(told(world)[1:]) == [
        ("alert.opened", "2 × A run failed.", "chat"),
        ("alert.opened", "A run failed. (batch-2)", "on_call"),
    ]
    tell()
    assert len(told(world)) == 3, "nothing new: nothing told"
    fail(world, "batch-3", "warning")
    tell()
    assert len(told(world)) == 3, "it grows no faster than every 5 min"
    world.later(minutes=5)
    tell()
    assert told(world)[3:] == [("alert.grown", "3 × A run failed.", "chat")]
    world.later(hours=4)
    assert tell().repeated == 3
    for subject in ("batch-1", "batch-2", "batch-3"):
        alerts.close_alert(world.outside.store, "run_failed", subject, world.now)
    assert tell().healed == 3
    assert tell().healed == 0
    healed = [body for topic, body, *_ in world.notices() if topic == "alert.healed"]
    assert all(body["is_healed"] for body in healed)
    opened = [body["incident"] for topic, body, *_ in world.notices() if topic == "alert.opened"]
    assert sorted(opened) == sorted(body["incident"] for body in healed), "an end names its beginning"


def test_what_comes_again_is_another_incident(world, tell):
    for _ in range(2):
        fail(world, "batch-1")
        tell()
        alerts.close_alert(world.outside.store, "run_failed", "batch-1", world.later(seconds=1))
        tell()
        world.later(seconds=1)
    incidents = [body["incident"] for _, body, *_ in world.notices()]
    assert incidents == ["on_call:0:run_failed:batch-1#1"] * 2 + ["on_call:0:run_failed:batch-1#2"] * 2
    assert alert_groups.is_over(world.outside.store, "on_call", "0:run_failed:batch-1#1")


def test_a_late_trigger_is_known_to_be_late(world, tell):
    fail(world, "batch-1")
    tell()
    incident = world.notices()[0][1]["incident"].removeprefix("on_call:")
    assert not alert_groups.is_over(world.outside.store, "on_call", incident)
    alerts.close_alert(world.outside.store, "run_failed", "batch-1", world.now)
    tell()
    assert alert_groups.is_over(world.outside.store, "on_call", incident)


def test_many_who_tell_at_once_tell_once(world, tell):
    for number in range(5):
        fail(world, f"batch-{number}")
    threads = [threading.Thread(target=tell) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tell()
    assert len(told(world)) == 5


def test_a_notice_names_the_run_and_the_command(world, tell):
    fail(world, "batch-1", code="drop_quarantined")
    tell()
    [(_, body, _, priority)] = world.notices()
    assert priority == 1
    assert body["link"] == "http://127.0.0.1:3000/runs/run-1"
    assert body["command"] == "aiqleads table rejected_leads --batch batch-1"
    assert body["alerts"][0]["detail"] == "batch-1 broke"


def test_a_flood_is_one_notice_of_bounded_size(world, tell):
    for number in range(200):
        fail(world, f"batch-{number}", "warning")
    world.later(seconds=30)
    tell()
    [(_, body, _, _)] = world.notices()
    assert (len(body["alerts"]), body["more_count"]) == (20, 180)
    assert len(str(body)) < 20_000


@pytest.mark.parametrize(
    ("routes", "what"),
    [
        ("routes: [{to: [nobody]}]", "there is no destination 'nobody'"),
        ("routes: [{to: [chat], when: {code: [oh_no]}}]", "there is no code 'oh_no'"),
        ("routes: [{to: [chat]}, {to: [chat], when: {severity: [error]}}]", "can't be reached"),
        ("routes: [{to: [chat], wait: soon}]", "expected a time"),
        ("expect: [{source: a, by: '25:00'}]", "time of day"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_their_line(world, routes, what):
    world.write("alerts.yaml", routes)
    with pytest.raises(RulesError, match=what) as caught:
        load_alerts(world.rules, ["chat"])
    assert str(caught.value).startswith("alerts.yaml:1: ")


def test_without_routes_nothing_is_told(world):
    fail(world, "batch-1")
    tell_alerts(world.outside, load_alerts(world.rules), world.now)
    assert world.notices() == []
