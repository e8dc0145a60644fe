"""Alerts are told once, together, again when they go on, and when they heal, whoever tells and however often."""

import threading

import pytest

from aiqleads_pipeline.alerting.telling import tell_alerts
from aiqleads_pipeline.commands import doctor
from aiqleads_pipeline.commands.demo_world import demo_world, tell_alert
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.slas import load_slas
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


PEOPLE = """
destinations:
  - {name: on_call, kind: pagerduty, secret: PD}
  - {name: chat, kind: slack, secret: CHAT}
  - {name: ops, kind: email, host: mail.example.com, sender: a@example.com, to: [ops@example.com]}
  - {name: owners, kind: email, host: mail.example.com, sender: a@example.com}
  - {name: hook, kind: webhook, url: "https://hook.example.com/in", secret: HOOK}
"""


@pytest.mark.parametrize("file", [None, "waits: {intake: 5 min}"], ids=["no file", "a file without routes"])
def test_without_routes_everybody_is_told_who_can_be(world, file):
    (world.rules / "alerts.yaml").unlink() if file is None else world.write("alerts.yaml", file)
    world.write("destinations.yaml", PEOPLE)
    fail(world, "batch-1")
    fail(world, "orders", "warning", "queue_old")
    tell_alerts(world.outside, load_alerts(world.rules), world.now)
    assert {(d, body["code"]) for _, body, d, _ in world.notices()} == {
        ("on_call", "run_failed"), ("chat", "run_failed"), ("ops", "run_failed"),
    }  # fmt: skip
    world.later(seconds=30)
    tell_alerts(world.outside, load_alerts(world.rules), world.now)
    assert {d for _, body, d, _ in world.notices() if body["code"] == "queue_old"} == {"chat", "ops"}
    assert load_slas(world.rules).tell == ("chat", "ops", "owners")


@pytest.mark.parametrize("routes", ["routes: []", ""], ids=["nobody wanted", "nobody there"])
def test_who_wants_nobody_told_gets_that_and_the_doctor_says_so(world, routes):
    world.write("alerts.yaml", routes)
    fail(world, "batch-1")
    tell_alerts(world.outside, load_alerts(world.rules), world.now)
    assert world.notices() == []
    [found] = doctor._telling(world.outside)
    assert found.ok
    assert found.detail.startswith("nobody is told of alerts")


def test_the_doctor_says_where_alerts_would_go_and_what_is_in_the_way(world, monkeypatch):
    world.write("alerts.yaml", "")
    world.write("destinations.yaml", PEOPLE)
    monkeypatch.setenv("AIQLEADS_SECRET__CHAT", "https://chat.example.com/hook")
    [found] = doctor._telling(world.outside)
    assert not found.ok
    assert found.detail.startswith("errors to chat, on_call, ops; warnings to chat, ops; destination 'on_call': ")
    monkeypatch.setenv("AIQLEADS_SECRET__PD", "key")
    assert [(each.ok, each.detail) for each in doctor._telling(world.outside)] == [
        (True, "errors to chat, on_call, ops; warnings to chat, ops")
    ]


def test_the_demos_alert_arrives_in_the_sandboxes_mailbox_and_so_does_its_end(world):
    with demo_world(world.outside) as (view, box):
        told = tell_alert(view, box)
        assert len(told) == 2, told
        opened, healed = box.records("smtp", "messages")
        assert (opened["to"], opened["attempts"]) == (["sales@example.com"], 1)
        assert "evening_list" in opened["text"]
        assert "aiqleads" in opened["text"]
        assert healed["subject"] == told[1]
        alerts.raise_alert(view.store, "run_failed", "b1", "error", "it broke", None, view.settings.now())
        assert tell_alert(view, box) == [], "a home with alerts of its own is left alone"
    assert [a["code"] for a in alerts.open_alerts(world.outside.store)] == ["run_failed"]
