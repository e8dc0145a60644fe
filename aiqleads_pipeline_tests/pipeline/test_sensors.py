"""The sensors, tick by tick, on the real instance: one batch per content whatever daemons do."""

import re

import dagster as dg
import pytest

from aiqleads_pipeline.automation.reaping import reap
from aiqleads_pipeline.automation.sensors import build_sensors
from aiqleads_pipeline.settings import PROJECT_DIR
from resources.store import alerts, drops
from resources.store.leases import held, holder_name


@pytest.fixture
def sensors(house):
    return {sensor.name: sensor for sensor in build_sensors(house.outside.settings)}


def tick(house, sensor, cursor=None):
    context = dg.build_sensor_context(instance=house.instance, cursor=cursor, definitions=house.defs)
    return sensor(context)


def drop(house, path, text):
    target = house.outside.settings.home / "bucket" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def requested(result):
    return [request.partition_key for request in result.run_requests]


def test_a_complete_drop_is_asked_for_once_by_any_number_of_daemons(house, sensors, leads_csv):
    drop(house, "uploads/sensor_one/a.csv", leads_csv("sensorone"))
    first = tick(house, sensors["watch_uploads"])
    assert requested(first) == []  # it may still be written to
    second = tick(house, sensors["watch_uploads"], first.cursor)
    (batch_id,) = requested(second)
    assert second.dynamic_partitions_requests[0].partition_keys == [batch_id]
    assert requested(tick(house, sensors["watch_uploads"], first.cursor)) == []  # another daemon, the same tick
    assert requested(tick(house, sensors["watch_uploads"], None)) == []  # a cursor set back
    assert drops.batch(house.outside.store, batch_id).state == "requested"
    job = house.defs.resolve_job_def("process_batch")
    house.instance.add_dynamic_partitions("batches", [batch_id])
    assert job.execute_in_process(instance=house.instance, partition_key=batch_id).success
    assert drops.batch(house.outside.store, batch_id).state == "done"


def test_what_is_not_complete_is_left_alone(house, sensors, leads_csv):
    drop(house, "uploads/sensor_part/a.csv.part", leads_csv("part"))
    drop(house, "uploads/sensor_part/.hidden.csv", leads_csv("hidden"))
    growing = drop(house, "uploads/sensor_part/b.csv", "First Name,Last Name,Email\n")
    first = tick(house, sensors["watch_uploads"])
    growing.write_text(leads_csv("growing"))  # it grew between the ticks
    second = tick(house, sensors["watch_uploads"], first.cursor)
    assert requested(second) == []
    third = tick(house, sensors["watch_uploads"], second.cursor)
    (batch_id,) = requested(third)
    assert drops.batch(house.outside.store, batch_id).source == "sensor_part"


def test_small_webhook_drops_of_a_tick_are_one_batch(house, sensors):
    for n in range(3):
        drop(house, f"webhooks/form/{n}.json", f'{{"email": "w{n}@hook{n}-company.com", "last_name": "Hook{n}"}}')
    first = tick(house, sensors["watch_webhooks"])
    second = tick(house, sensors["watch_webhooks"], first.cursor)
    (batch_id,) = requested(second)
    assert len(drops.drops_of(house.outside.store, batch_id)) == 3
    house.instance.add_dynamic_partitions("batches", [batch_id])
    job = house.defs.resolve_job_def("process_batch")
    assert job.execute_in_process(instance=house.instance, partition_key=batch_id).success
    assert drops.batch(house.outside.store, batch_id).counts["routed"] == 3


def test_small_drops_are_left_to_a_living_resident_runner(house, sensors, leads_csv):
    drop(house, "uploads/sensor_hot/a.csv", leads_csv("hot"))
    with held(house.outside.store, "runner", holder_name("test"), 30):
        first = tick(house, sensors["watch_uploads"])
        assert requested(tick(house, sensors["watch_uploads"], first.cursor)) == []
    assert len(requested(tick(house, sensors["watch_uploads"]))) == 1


def test_a_batch_whose_worker_died_waits_again_and_somebody_is_told(house, leads_csv):
    summary = house.process("dead.csv", leads_csv("dead"), "dead")
    store = house.outside.store
    drops.reopen(store, summary.batch_id, states=["done"])
    assert drops.request_batch(store, summary.batch_id, by="vm:999999:0:process")
    drops.mark_running(store, summary.batch_id, None)
    assert reap(house.outside, house.instance) == [summary.batch_id]
    assert drops.batch(store, summary.batch_id).state == "waiting"
    assert ("run_reaped", summary.batch_id) in {(a["code"], a["subject"]) for a in alerts.open_alerts(store)}


def test_a_batch_somebody_works_on_is_not_freed(house, leads_csv):
    summary = house.process("alive.csv", leads_csv("alive"), "alive")
    store = house.outside.store
    drops.reopen(store, summary.batch_id, states=["done"])
    drops.request_batch(store, summary.batch_id, by=holder_name("test"))
    drops.mark_running(store, summary.batch_id, None)
    with held(store, f"batch:{summary.batch_id}", holder_name("test"), 30):
        assert reap(house.outside, house.instance) == []


def test_old_partitions_are_retired_and_their_tables_stay(house, sensors, leads_csv):
    summary = house.process("old.csv", leads_csv("oldone"), "old")
    aged = house.with_settings(PARTITION_DAYS=1)
    aging = f"received_at = received_at - interval '9 days' WHERE batch_id = '{summary.batch_id}'"
    with house.outside.store.transaction("test:age") as con:
        con.exec_driver_sql(f"UPDATE aiqleads.batches SET {aging}")
    (retire,) = [s for s in build_sensors(aged.outside.settings) if s.name == "retire_old_partitions"]
    tick(house, retire)
    assert summary.batch_id not in house.instance.get_dynamic_partitions("batches")
    assert len(house.rows("routed_leads", summary.batch_id)) == 5


def test_what_runs_unattended_is_what_the_readme_says(house):
    readme = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    table = readme.split("## What runs unattended")[1].split("\n## ")[0]
    told: dict[str, set[str]] = {"sensor": set(), "schedule": set()}
    for cells in (line.split("|") for line in table.splitlines() if line.count("|") > 3):
        kind = cells[2].strip().removesuffix("s")
        told.setdefault(kind, set()).update(re.findall(r"`([a-z_]+)`", cells[1]))
    repository = house.defs.get_repository_def()
    sensors = {s.name for s in repository.sensor_defs if s.default_status is dg.DefaultSensorStatus.RUNNING}
    schedules = {s.name for s in repository.schedule_defs if s.default_status is dg.DefaultScheduleStatus.RUNNING}
    assert (told["sensor"], told["schedule"]) == (sensors, schedules)
