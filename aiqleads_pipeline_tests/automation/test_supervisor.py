"""The supervisor: restarts what dies, ends all on SIGTERM, and takes its children with it when it is killed."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

# Children write their pid to a file and wait; the supervisor runs in a process of its own, as `aiqleads up` does.
SCRIPT = """
import sys
from aiqleads_pipeline.automation.supervisor import Child, supervise
work = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); time.sleep(600)"
children = [Child(name, [sys.executable, "-c", work, f"{sys.argv[1]}/{name}"]) for name in ("one", "two")]
supervise(children, say=lambda line: print(line, flush=True))
"""


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("the state did not come about in time")


def pids(folder, name):
    file = folder / name
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def supervisor(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stdout.close()
    for name in ("one", "two"):
        for pid in pids(tmp_path, name):
            if not is_gone(pid):
                os.kill(pid, signal.SIGKILL)


def test_a_child_that_dies_is_started_again_and_the_others_stay(supervisor, tmp_path):
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    os.kill(pids(tmp_path, "one")[0], signal.SIGKILL)
    wait_for(lambda: len(pids(tmp_path, "one")) == 2)
    assert len(pids(tmp_path, "two")) == 1
    assert not is_gone(pids(tmp_path, "two")[0])
    assert "one ended with status -9" in supervisor.stdout.readline()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_cleanly(supervisor, tmp_path, ending):
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    supervisor.send_signal(ending)
    assert supervisor.wait(30) == 0
    assert is_gone(pids(tmp_path, "one")[0])
    assert is_gone(pids(tmp_path, "two")[0])


def test_a_killed_supervisor_takes_its_children_with_it(supervisor, tmp_path):
    wait_for(lambda: pids(tmp_path, "one") and pids(tmp_path, "two"))
    supervisor.kill()
    wait_for(lambda: is_gone(pids(tmp_path, "one")[0]) and is_gone(pids(tmp_path, "two")[0]))
