"""The world breaks in mid-run: a zombie comes back, the server dies, the disk is full, a byte flips. Each ends with a
stated outcome, and running the same command again leaves what an undisturbed run leaves."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from sqlalchemy import text

from benchmarks.drill.state import differences, read_state, unaccounted_leads
from resources.durable import STOP_AT
from resources.store import drops
from resources.store.leases import live_leases

LEASE_SECONDS = 4


def assert_as_if_nothing_had_happened(drill, home, store):
    assert differences(drill.expected, read_state(home.folder, store)) == []
    assert unaccounted_leads(home.folder, store) == []


def wait_until_no_lease_lives(store):
    deadline = time.monotonic() + 60
    while any(name.startswith("batch:") for name in live_leases(store)):
        assert time.monotonic() < deadline, "the lease of a stopped process does not run out"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "point", ["before:store:route_leads#1", "before:lake:scored_leads#1", "after:lake:raw_leads#2"]
)
def test_a_zombie_that_comes_back_after_its_lease_was_taken_changes_nothing(drill, home, store, point):
    zombie = home.process(drill.launcher, drill.drops, {STOP_AT: point, "AIQLEADS_LEASE_SECONDS": str(LEASE_SECONDS)})
    assert zombie.is_stopped, zombie.output
    wait_until_no_lease_lives(store)
    successor = home.process(drill.launcher, drill.drops)
    assert successor.exit_code == 0, successor.output
    assert_as_if_nothing_had_happened(drill, home, store)
    back = drill.launcher.resume(zombie)
    assert not back.was_killed
    assert_as_if_nothing_had_happened(drill, home, store)


def test_a_zombie_tells_what_became_of_its_batch_and_takes_nothing_back(drill, home, store):
    first = drill.drops[:1]
    zombie = home.process(
        drill.launcher, first, {STOP_AT: "before:store:route_leads", "AIQLEADS_LEASE_SECONDS": str(LEASE_SECONDS)}
    )
    wait_until_no_lease_lives(store)
    assert home.process(drill.launcher, first).exit_code == 0
    back = drill.launcher.resume(zombie)
    assert back.json_lines()[0]["status"] == "done", "it says what became of the batch"
    with store.read() as con:
        held = con.execute(text("SELECT count(*) FROM aiqleads.leases WHERE holder <> ''")).scalar_one()
    assert held == 0, "it took nothing back"


def test_the_server_killed_in_mid_run_is_a_stated_failure_and_nothing_is_lost(drill, home, store):
    stopped = home.process(drill.launcher, drill.drops, {STOP_AT: "before:store:route_leads"})
    assert stopped.is_stopped, stopped.output
    os.kill(int((home.folder / "pg" / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)
    ended = drill.launcher.resume(stopped)
    assert ended.exit_code in (0, 1), ended.output
    assert [line for line in ended.output.splitlines() if "Traceback" in line] == []
    again = home.process(drill.launcher, drill.drops)
    assert again.exit_code == 0, again.output
    assert_as_if_nothing_had_happened(drill, home, store)


@pytest.fixture
def small_lake(tmp_path):
    """A lake on a disk of 64 KiB, and what makes the disk larger."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs more rights")
    yield folder, lambda: subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_in_one_line_and_heals_when_there_is_room(drill, home, store, small_lake):
    folder, make_room = small_lake
    lake = {"AIQLEADS_LAKE_URL": str(folder / "lake")}
    full = home.process(drill.launcher, drill.drops, lake)
    assert full.exit_code == 1, full.output
    first = full.json_lines()[0]
    assert first["status"] == "failed"
    assert "IOException" in first["detail"]
    assert "\n" not in first["detail"]
    make_room()
    again = home.process(drill.launcher, drill.drops, lake)
    assert again.exit_code == 0, again.output
    shutil.copytree(folder / "lake", home.folder / "lake", dirs_exist_ok=True)
    assert_as_if_nothing_had_happened(drill, home, store)


def test_a_file_that_may_not_grow_is_a_stated_failure_and_heals(drill, home, store):
    """The limit of a quota: works without any rights."""
    arguments = ["process", *map(str, drill.drops), "--source", "drill", "--json"]
    limited = drill.launcher.run(arguments, home.environment, file_bytes=4096)
    assert limited.exit_code == 1, limited.output
    assert "Traceback" not in limited.output
    again = home.process(drill.launcher, drill.drops)
    assert again.exit_code == 0, again.output
    assert_as_if_nothing_had_happened(drill, home, store)


def test_a_flipped_byte_in_the_lake_is_named_and_healed_by_running_its_batch_again(drill, home, store):
    done = home.process(drill.launcher, drill.drops)
    batch_id = done.json_lines()[0]["batch_id"]
    file = home.folder / "lake" / "enriched_leads" / f"batch={batch_id}" / "part-0.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 1
    file.write_bytes(content)
    read = drill.launcher.run(["table", "enriched_leads", "--batch", batch_id], home.environment)
    assert read.exit_code == 1
    assert read.output.count("\n") == 1
    assert str(file) in read.output
    assert f"materialise enriched_leads of batch {batch_id} again" in read.output
    assert drops.reopen(store, batch_id, states=["done"])
    healed = home.process(drill.launcher, drill.drops)
    assert healed.exit_code == 0, healed.output
    assert_as_if_nothing_had_happened(drill, home, store)
