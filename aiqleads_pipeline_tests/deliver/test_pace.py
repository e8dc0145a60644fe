"""Quick calls are made by one sender, slow ones by as many as the destination allows, and one that hangs stops none."""

from __future__ import annotations

import threading

import pytest

from aiqleads_pipeline.delivering.pace import QUICK_SECONDS, Pace
from aiqleads_pipeline.delivering.worker import Worker
from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World, hook
from aiqleads_pipeline_tests.doors.http_world import Asked, Reply


@pytest.mark.parametrize(("quick_ones", "senders"), [(0.5, 1), (1.5, 2), (10.5, 11)])
def test_each_such_time_that_calls_take_longer_is_one_more_sender(quick_ones: float, senders: int) -> None:
    pace = Pace()
    assert pace.senders(0.0) > 1000, "nothing is known yet"
    for call in range(50):
        pace.begins(0, float(call))
        pace.ends(0, call + quick_ones * QUICK_SECONDS)
    assert pace.senders(100.0) == senders


def test_a_call_that_does_not_come_back_lets_others_begin() -> None:
    pace = Pace()
    pace.begins(0, 0.0)
    pace.ends(0, 0.0001)
    pace.begins(0, 1.0)
    assert [pace.senders(1.0 + waited * QUICK_SECONDS) for waited in (0.5, 1.5, 60.5)] == [1, 2, 61]
    assert pace.ends(0, 61.0), "calls are slow by now: others are of use"


def test_a_call_that_hangs_after_quick_ones_stops_no_other(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver, rest="concurrency: 2"))
    world.post(50, "hook")
    world.drain()
    world.post(30, "hook")
    over, hanging = threading.Event(), threading.Event()

    def hang_once(_asked: Asked) -> Reply | None:
        if not hanging.is_set():
            hanging.set()
            over.wait(30)
        return None

    with Worker(world.outside) as worker:
        worker.tick()
        receiver.say = hang_once
        working = threading.Thread(target=worker.drain, args=(30,))
        working.start()
        patience = threading.Event()
        while len(receiver.effects) < 50 + 29:
            assert not over.is_set()
            patience.wait(0.02)
        over.set()
        working.join(30)
    assert world.states() == {"delivered": 80}
