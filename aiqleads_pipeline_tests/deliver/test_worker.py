"""The worker: what is due goes out once, by its urgency, and what fails comes to what it should."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aiqleads_pipeline.settings import FeatureFlags, PipelineConfig
from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World, hook
from aiqleads_pipeline_tests.doors.http_world import Asked, Reply, reply
from resources.store import alerts, deliveries, lanes
from resources.store.delivery_log import list_attempts


def open_codes(world: World) -> set[tuple[str, str]]:
    return {(each["code"], each["subject"]) for each in alerts.open_alerts(world.outside.store)}


def answer(status: int, **headers: str) -> Reply:
    return reply(status, '{"error": "no"}', **headers)


def test_what_is_due_is_delivered_once(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(120, "hook")
    world.drain()
    assert world.states() == {"delivered": 120}
    assert set(receiver.seen) == {str(each.delivery_id) for each in world.list()}
    assert set(receiver.seen.values()) == {1}
    assert receiver.connections_count <= 4  # they are kept open


def test_the_most_urgent_go_first_but_nothing_starves(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 1"))
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    backfill = {str(deliveries.delivery_id(each, "hook")) for each in world.post(60, "hook", priority=3, now=long_ago)}
    hot = {str(deliveries.delivery_id(each, "hook")) for each in world.post(40, "hook", priority=1)}
    world.drain()
    firsts = receiver.effects[:44]
    assert hot <= set(firsts)  # before all but the tenth part that goes by age
    assert backfill & set(firsts)
    assert set(receiver.effects) == hot | backfill


def test_only_the_failed_ones_of_a_call_come_again(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    ids = [str(deliveries.delivery_id(each, "hook")) for each in world.post(20, "hook")]
    receiver.say = lambda asked: answer(503) if asked.headers["webhook-id"] in ids[:3] else None
    world.drain()
    assert world.states() == {"delivered": 17, "pending": 3}
    receiver.say = lambda asked: None
    world.make_due()
    world.drain()
    assert world.states() == {"delivered": 20}
    assert [receiver.seen[each] for each in ids] == [2] * 3 + [1] * 17


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (400, "dead", "receiver_refused"),
        (422, "dead", "receiver_refused"),
        (302, "pending", "receiver_redirected"),
        (401, "pending", "receiver_denied"),
        (500, "pending", "receiver_failed"),
        (429, "pending", "receiver_throttled"),
    ],
)
def test_what_an_answer_comes_to(world: World, receiver: Receiver, status: int, state: str, code: str) -> None:
    world.says(hook(receiver))
    world.post(1, "hook")
    receiver.say = lambda asked: answer(status, Location="/elsewhere")
    world.drain()
    (found,) = world.list()
    assert (found.state, found.last_error_code, found.attempts) == (state, code, 1)
    (logged,) = list_attempts(world.outside.store, found.delivery_id)
    assert (logged["status_code"], logged["answer"]) == (status, '{"error": "no"}')
    assert (("deliveries_dead", "hook") in open_codes(world)) == (state == "dead")


def test_retry_after_is_honoured_by_all(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 1"))
    world.post(5, "hook")
    receiver.say = lambda asked: answer(503, Retry_After="3600")
    began = datetime.now(UTC)
    world.drain()
    assert receiver.seen.total() < 5  # the others wait too
    (tried, *_) = [each for each in world.list() if each.last_error_code]
    assert tried.next_attempt_at is not None
    assert tried.next_attempt_at >= began + timedelta(seconds=3600)
    grant = lanes.claim(world.outside.store, lanes.Budget("hook", 1, 4, None), "me", 0, 10, datetime.now(UTC), 30)
    assert grant.deliveries == []
    assert grant.wait_seconds is not None
    assert grant.wait_seconds > 3500


def test_410_switches_the_destination_off_and_loses_nothing(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(30, "hook")
    receiver.say = lambda asked: answer(410)
    world.drain()
    assert world.states() == {"pending": 30}
    assert ("destination_off", "hook") in open_codes(world)
    receiver.say = lambda asked: None
    world.drain()
    assert receiver.effects == []
    lanes.switch(world.outside.store, "hook", "on", None, datetime.now(UTC))
    world.drain()
    assert world.states() == {"delivered": 30}


def test_after_the_last_round_a_delivery_is_dead_and_can_be_retried(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="retries: short"), more="schedules: {short: [1m, 2m]}")
    (notice,) = world.post(1, "hook")
    receiver.say = lambda asked: answer(500)
    for _ in range(3):
        assert world.states() == {"pending": 1}
        world.drain()
        world.make_due()
    (found,) = world.list()
    assert (found.state, found.attempts, found.last_error_code) == ("dead", 3, "receiver_failed")
    assert ("deliveries_dead", "hook") in open_codes(world)
    receiver.say = lambda asked: None
    assert deliveries.deliver_again(world.outside.store, datetime.now(UTC), destination="hook") == 1
    world.drain()
    assert world.states() == {"delivered": 1}
    assert receiver.seen == {str(deliveries.delivery_id(notice, "hook")): 4}


def test_a_dead_destination_is_left_alone_and_is_whole_when_it_is_back(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 2"))
    ids = [str(deliveries.delivery_id(each, "hook")) for each in world.post(200, "hook")]
    receiver.say = lambda asked: answer(500)
    world.drain()
    tried = receiver.seen.total()
    assert 5 <= tried <= 7  # then the breaker opened, for all processes
    world.drain()
    assert receiver.seen.total() == tried
    assert sum(each.attempts for each in world.list()) == tried  # what was claimed and not tried used up nothing
    receiver.say = lambda asked: None
    with world.outside.store.transaction("test:pass_time") as con:
        con.execute(text("UPDATE aiqleads.delivery_lanes SET open_until = now()"))
    world.drain()
    assert world.states() == {"delivered": 200}
    assert sorted(receiver.effects) == sorted(ids)


def test_a_destination_that_fails_for_days_is_switched_off_after_warnings(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(1, "hook")
    receiver.say = lambda asked: answer(500)
    found = []
    for days in (0, 1.5, 3.5, 5.5):
        with world.outside.store.transaction("test:pass_time") as con:
            con.execute(
                text("UPDATE aiqleads.delivery_lanes SET failing_since = now() - make_interval(hours => :hours)"),
                {"hours": int(24 * days)},
            )
        world.make_due()
        world.drain()
        found.append({code for code, _ in open_codes(world)})
    warned = {"destination_failing"}
    assert found == [set(), warned, warned, {"destination_off"}]
    (alert,) = alerts.open_alerts(world.outside.store)
    assert alert["detail"].startswith("it failed for 5.5 days (receiver_failed); its deliveries wait.")
    since = datetime.now(UTC) - timedelta(days=5.5, minutes=3)
    named = re.search(r"replay hook --since (\S+)`", alert["detail"])
    assert named
    assert since < datetime.fromisoformat(f"{named[1]}+00:00") <= datetime.now(UTC) - timedelta(days=5.5)
    (lane,) = lanes.list_lanes(world.outside.store)
    assert (lane["state"], lane["off_reason"]) == ("off", "destination_failing")


def test_webhooks_that_are_switched_off_queue(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(3, "hook")
    world.drain(outside=world.open(flags=FeatureFlags(enableWebhooks=False)))
    assert world.states() == {"pending": 3}
    world.drain()
    assert world.states() == {"delivered": 3}


def test_a_round_is_some_calls_close_together(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(1, "hook")
    receiver.say = lambda asked: answer(500)
    outside = world.open(pipeline=PipelineConfig(MAX_RETRIES=1, RETRY_DELAY=60))
    waits = []
    for _ in range(3):
        world.drain(outside=outside)
        (found,) = world.list()
        assert found.next_attempt_at is not None
        waits.append((found.next_attempt_at - datetime.now(UTC)).total_seconds())
        world.make_due()
    assert 25 < waits[0] <= 60  # within the round
    assert waits[1] <= 6  # the schedule's first wait, 5 s
    assert 25 < waits[2] <= 60  # within the second round


def test_what_no_secret_opens_waits_and_is_told(world: World, receiver: Receiver) -> None:
    world.says(f"name: hook, kind: webhook, url: '{receiver.url}', secret: NEVER_SET")
    world.post(1, "hook")
    world.drain()
    assert world.states() == {"pending": 1}
    assert open_codes(world) == {("destination_unusable", "hook")}


def test_quiet_hours_let_only_the_urgent_through(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="quiet_hours: {from: '00:00', to: '23:59', but: [P1]}"))
    if not world.outside.settings.now().strftime("%H:%M") < "23:59":
        pytest.skip("the one minute of the day that is loud")
    world.post(2, "hook", priority=1)
    world.post(3, "hook", priority=2)
    world.drain(seconds=0.5)
    assert world.states() == {"delivered": 2, "pending": 3}


def test_a_hanging_destination_holds_up_no_other(world: World, receiver: Receiver) -> None:
    hangs = threading.Event()
    with Receiver() as dead:

        def wait(asked: Asked) -> Reply:
            hangs.wait(20)
            return answer(500)

        dead.say = wait
        world.says(hook(dead, "dead", "timeout_seconds: 0.5"), hook(receiver, "good"))
        world.post(50, "dead", "good")
        done = threading.Thread(target=world.drain, args=(0.7,))
        done.start()
        done.join(15)
        hangs.set()
        assert world.states("good") == {"delivered": 50}
        assert "delivered" not in world.states("dead")


def test_processes_share_rate_and_concurrency(world: World, receiver: Receiver) -> None:
    world.post(50, "hook")
    store, now = world.outside.store, datetime.now(UTC)
    budget = lanes.Budget("hook", 2, 5, 4.0)
    one = lanes.claim(store, budget, "one", 0, 100, now, 30)
    assert (len(one.deliveries), one.slots_count) == (8, 5)  # four calls of two
    two = lanes.claim(store, budget, "two", 0, 100, now, 30)
    assert (two.deliveries, two.slots_count) == ([], 0)  # until the first gives some back
    later = now + timedelta(seconds=0.5)
    one = lanes.claim(store, budget, "one", 2, 100, later, 30)
    assert (len(one.deliveries), one.slots_count) == (4, 3)
    two = lanes.claim(store, budget, "two", 0, 100, later + timedelta(seconds=1), 30)
    assert (len(two.deliveries), two.slots_count) == (8, 2)
    alone = lanes.claim(store, budget, "three", 0, 100, later + timedelta(seconds=60), 30)
    assert alone.slots_count == 5  # the others were silent for too long
