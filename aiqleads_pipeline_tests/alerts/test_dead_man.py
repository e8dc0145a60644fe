"""The dead man's switch with the real processes: Dagster's daemon stands still, the watchman of `aiqleads up` tells."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aiqleads_pipeline.alerting.watchman import dagster_heartbeats
from aiqleads_pipeline.automation.instance import prepare_instance
from aiqleads_pipeline.settings import PROJECT_DIR
from aiqleads_pipeline_tests.pipeline.conftest import House
from resources.store import alerts

# Both as `up` starts them, but for the pulse: the daemon's is 30 s, the watchman's 5 s.
DAEMON = """
import dagster as dg
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.controller import daemon_controller_from_instance
with dg.DagsterInstance.get() as instance:
    target = EmptyWorkspaceTarget()
    with daemon_controller_from_instance(instance, target, heartbeat_interval_seconds=0.2) as daemon:
        daemon.check_daemon_loop()
"""
WATCHMAN = """
from aiqleads_pipeline.alerting import watchman
from aiqleads_pipeline.cli import app
watchman.TICK_SECONDS = 0.2
app(["alerts", "watch"])
"""
SILENCE = "routes: []\ndead_man: {daemon_silence: 2 s}\n"
QUICK = {"QUEUED_RUN_COORDINATOR", "MONITORING"}  # their threads come round every second, others' every minute
PATIENCE_SECONDS = 60.0


@pytest.fixture
def started(house: House, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts a process on the house's home, by the text of its program."""
    shutil.copytree(PROJECT_DIR / "data" / "rules", tmp_path / "rules")
    (tmp_path / "rules" / "alerts.yaml").write_text(SILENCE, encoding="utf-8")
    settings = house.outside.settings
    env = {**os.environ, "AIQLEADS_HOME": str(settings.home), "AIQLEADS_RULES_DIR": str(tmp_path / "rules")}
    prepare_instance(house.outside, env)
    running: list[subprocess.Popen[bytes]] = []

    def start(program: str) -> subprocess.Popen[bytes]:
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", program], env=env, cwd=PROJECT_DIR, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return running[-1]

    yield start
    for each in running:
        each.send_signal(signal.SIGCONT)
        each.kill()
        each.wait()


def until(reached: Callable[[], bool], what: str) -> None:
    deadline, patience = time.monotonic() + PATIENCE_SECONDS, threading.Event()
    while not reached():
        assert time.monotonic() < deadline, f"never seen: {what}"
        patience.wait(0.05)


def test_a_daemon_that_is_stopped_is_told_by_the_watchman_and_heals_when_it_goes_on(
    house: House, started: Callable[[str], subprocess.Popen[bytes]]
) -> None:
    ask = dagster_heartbeats(house.instance)
    daemon, watchman = started(DAEMON), started(WATCHMAN)

    def silent() -> set[str]:
        found = {a["subject"] for a in alerts.open_alerts(house.outside.store) if a["code"] == "daemon_silent"}
        return found & QUICK

    def is_alive() -> bool:
        beats = ask()
        return all(beats[name] is not None for name in QUICK)

    until(is_alive, "a sign of life of every daemon")
    until(lambda: not silent(), "peace")
    daemon.send_signal(signal.SIGSTOP)
    until(lambda: silent() == QUICK, "the alert")
    assert daemon.poll() is None
    assert watchman.poll() is None
    daemon.send_signal(signal.SIGCONT)
    until(lambda: not silent(), "that it healed")
