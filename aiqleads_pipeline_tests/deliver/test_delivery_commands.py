"""`aiqleads deliveries`, the job that drains, and bodies of leads from the lake."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from aiqleads_pipeline.automation.draining import build_drain_job, build_drain_sensor
from aiqleads_pipeline.cli import app
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.stages.deliver import list_intents
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline_tests.deliver.delivery_world import Receiver, World, hook
from aiqleads_pipeline_tests.deliver.test_deliver import lead, tables
from aiqleads_pipeline_tests.doors.http_world import reply
from resources.store import deliveries, notices
from resources.store.bulk import copy_rows


@pytest.fixture
def cli(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command in the world; its JSON lines."""
    monkeypatch.setattr("aiqleads_pipeline.commands.deliveries_cli._outside", lambda: world.outside)

    def run(*words: str, status: int = 0) -> Any:
        result = CliRunner().invoke(app, ["deliveries", *words])
        assert result.exit_code == status, result.output
        lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines] or result.output

    return run


def test_a_persons_day_with_deliveries(world: World, receiver: Receiver, cli: Any) -> None:
    world.says(hook(receiver))
    world.post(3, "hook")
    receiver.say = lambda asked: reply(422, '{"error": "no such field"}')
    world.drain()
    listed = cli("list", "--state", "dead", "--json")
    assert [(each["destination"], each["last_error_code"]) for each in listed] == [("hook", "receiver_refused")] * 3
    (shown,) = cli("show", listed[0]["delivery_id"], "--json")
    assert [(each["attempt"], each["status_code"]) for each in shown["log"]] == [(1, 422)]
    receiver.say = lambda asked: None
    assert cli("retry", listed[0]["delivery_id"], "--json") == [{"deliveries": 1}]
    assert cli("retry", "--destination", "hook", "--json") == [{"deliveries": 3}]
    world.drain()
    assert world.states() == {"delivered": 3}
    assert cli("replay", "hook", "--since", "1h", "--json") == [{"deliveries": 3}]
    world.drain()
    assert sorted(receiver.seen.values()) == [3, 3, 3]
    assert len(receiver.effects) == 3  # they know the ids
    assert cli("replay", "hook", "--since", "2999-01-01", "--json") == [{"deliveries": 0}]
    (row,) = cli("destinations", "--json")
    assert (row["destination"], row["state"], row["delivered_count"]) == ("hook", "on", 3)


def test_switching_testing_and_what_is_refused(world: World, receiver: Receiver, cli: Any) -> None:
    world.says(hook(receiver))
    world.post(1, "hook")
    said = cli("off", "hook")
    assert "hook is off" in said
    assert "1 deliveries wait until `aiqleads deliveries on hook`" in said
    world.drain()
    assert world.states() == {"pending": 1}
    (tested,) = cli("test", "hook", "--json")
    assert (tested["outcome"], tested["status_code"]) == ("delivered", 202)
    assert json.loads(receiver.asked[0].body)["data"]["test"] is True
    assert "hook is on" in cli("on", "hook")
    world.drain()
    assert world.states() == {"delivered": 1}
    receiver.say = lambda asked: reply(500)
    assert cli("test", "hook", "--json", status=1)[0]["error_code"] == "receiver_failed"
    assert "no enabled destination" in cli("test", "other", status=1)
    assert "is no time" in cli("replay", "hook", "--since", "soon", status=1)
    assert "no enabled destination" in cli("replay", "other", "--since", "1h", status=1)
    assert "no enabled destination" in cli("retry", "--destination", "other", status=1)
    assert "is no id" in cli("show", "nothing", status=1)
    assert "name deliveries" in cli("retry", status=1)


def test_leads_go_out_as_the_lake_has_them(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    rules = load_destinations(world.rules)
    with open_engine(world.outside.settings) as con, world.outside.store.transaction("test:route") as store:
        leads = tables(con, (1, "enterprise", "P1"), (2, "inside", "P2"))
        for name, relation in zip(("routed", "enriched", "scored", "classified"), leads, strict=True):
            world.outside.lake.write(relation, f"{name}_leads", "b1")
        intents = list_intents(con, leads[0], rules.enabled)
        columns = [
            "delivery_id", "lead_id", "batch_id", "destination", "priority", "state", "next_attempt_at", "created_at",
        ]  # fmt: skip
        copy_rows(store, "aiqleads.outbox", intents, columns)
    world.post(1, "hook")
    with world.outside.store.transaction("test:lose_a_lead") as store:
        store.execute(
            text(
                "INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, "
                "next_attempt_at, created_at) VALUES (:id, :lead, 'b1', 'hook', 1, 'pending', now(), now())"
            ),
            {"id": deliveries.delivery_id(lead(3), "hook"), "lead": lead(3)},
        )
    world.drain()
    events = {asked.headers["webhook-id"]: json.loads(asked.body) for asked in receiver.asked}
    assert sorted(each["type"] for each in events.values()) == ["lead.routed", "lead.routed", "lead.tested"]
    first = events[str(deliveries.delivery_id(lead(1), "hook"))]["data"]
    assert (first["lead_id"], first["contact"]["email"], first["priority"]) == (str(lead(1)), "zoe@acme.example", "P1")
    (lost,) = world.list(state="dead")
    assert (lost.lead_id, lost.last_error_code) == (lead(3), "lead_missing")


def test_a_notice_is_posted_once_per_key_and_with_its_transaction(world: World) -> None:
    store, now = world.outside.store, datetime.now(UTC)
    with store.transaction("test:post") as con:
        first = notices.post(con, "lead.overdue", {"a": 1}, ["one", "two", "one"], 1, now, dedup_key="k")
        assert notices.post(con, "lead.overdue", {"a": 2}, ["one"], 1, now, dedup_key="k") is None
    assert first is not None
    assert [(each.destination, each.priority) for each in world.list(lead_id=first)] in (
        [("one", 1), ("two", 1)],
        [("two", 1), ("one", 1)],
    )
    assert notices.read_notices(store, [first]) == {
        first: {"a": 1, "topic": "lead.overdue", "created_at": now.isoformat()}
    }
    with pytest.raises(RuntimeError), store.transaction("test:post") as con:
        notices.post(con, "lead.overdue", {}, ["one"], 1, now)
        raise RuntimeError
    assert len(world.list()) == 2


def test_the_job_drains_what_nobody_sends(world: World, receiver: Receiver) -> None:
    world.says(hook(receiver))
    sensor, context = build_drain_sensor(world.outside.settings), dg.build_sensor_context
    assert isinstance(sensor(context()), dg.SkipReason)
    world.post(5, "hook", now=datetime.now(UTC) - timedelta(minutes=1))
    asked = sensor(context())
    assert isinstance(asked, dg.RunRequest)
    result = build_drain_job(world.outside.settings).execute_in_process()
    assert result.success
    assert world.states() == {"delivered": 5}
    assert isinstance(sensor(context()), dg.SkipReason)
