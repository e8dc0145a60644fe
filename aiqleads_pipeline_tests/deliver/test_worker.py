"""The worker: what is due goes out once, by its urgency, and what fails comes to what it should."""

from __future__ import annotations

from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World, hook


def test_what_is_due_is_delivered_once(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    world.post(300, "hook")
    world.drain()
    assert world.states() == {"delivered": 300}
    ids = {str(each.delivery_id) for each in world.list()}
    assert set(receiver.seen) == ids
    assert set(receiver.seen.values()) == {1}
