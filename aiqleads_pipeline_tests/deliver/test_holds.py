"""Claims are held for as long as a call takes: a slow one is neither made twice nor taken by somebody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from aiqleads_pipeline.delivering import lane
from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World, hook
from aiqleads_pipeline_tests.doors.http_world import Asked, Reply, reply
from resources.store import lanes

HELD = "SELECT min(next_attempt_at) FROM aiqleads.outbox WHERE state = 'in_flight'"


@pytest.fixture
def short_holds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lane, "HOLD_SECONDS", 0.9)
    yield


def held_until(world: World) -> datetime | None:
    with world.outside.store.read() as con:
        found: datetime | None = con.execute(text(HELD)).scalar_one()
        return found


@pytest.mark.usefixtures("short_holds")
def test_claims_are_held_anew_while_a_long_batch_is_sent(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 1"))
    world.post(3, "hook")
    called, go_on = threading.Event(), threading.Event()

    def hang(_asked: Asked) -> Reply | None:
        called.set()
        go_on.wait(30)
        return None

    receiver.say = hang
    with Worker(world.outside) as slow:
        slow.tick()
        slow.drain(0.01)
        assert called.wait(20)
        first = held_until(world)
        assert first is not None
        patience = threading.Event()
        while (until := held_until(world)) is not None and until <= first:  # what waits behind the call as well
            patience.wait(0.05)
        # At a time when the first hold has run out, nobody else gets what this worker still holds.
        budget = lanes.Budget("hook", 1, 4, None)
        at = first + timedelta(milliseconds=1)
        ours = {each.delivery_id for each in world.list(state="in_flight")}
        assert len(ours) == 3
        assert lanes.claim(world.outside.store, budget, "another", 0, 100, at, 30).deliveries == []
        go_on.set()
        slow.drain(20)
    assert world.states() == {"delivered": 3}
    assert set(receiver.seen.values()) == {1}
    assert {each.attempts for each in world.list()} == {1}


@pytest.mark.usefixtures("short_holds")
def test_what_somebody_else_holds_by_now_is_not_sent(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 1"))
    world.post(5, "hook")
    called, go_on = threading.Event(), threading.Event()

    def hang(_asked: Asked) -> Reply:
        called.set()
        go_on.wait(30)
        return reply(202, "{}")

    receiver.say = hang
    with Worker(world.outside) as slept:
        slept.tick()
        slept.drain(0.01)
        assert called.wait(20)
        taken = {str(each.delivery_id) for each in world.list(state="in_flight")}
        with world.outside.store.transaction("test:taken_over") as con:  # as if this process had slept
            con.execute(
                text(
                    "UPDATE aiqleads.outbox SET attempts = attempts + 1, next_attempt_at = now() + interval '1 hour' "
                    "WHERE state = 'in_flight'"
                )
            )
        mine, patience = slept._lanes["hook"], threading.Event()
        while any(each.held.good_until for each in mine._queue):  # until the loss is seen
            patience.wait(0.05)
        go_on.set()
        while not mine.is_idle:
            patience.wait(0.05)
    assert len(taken) >= 2
    assert len(taken & set(receiver.seen)) == 1, "the one under way"
