"""The one commit helper: what a drill relies on, tried on processes of its own."""

import os
import signal
import subprocess
import sys

import pytest

CODE = """
import sys
from pathlib import Path
from resources.durable import durable_write
for i in range(3):
    with durable_write("files:note"):
        Path(sys.argv[1], str(i)).touch()
"""


def run(folder, **environment):
    return subprocess.Popen([sys.executable, "-c", CODE, str(folder)], env={**os.environ, **environment})


@pytest.mark.parametrize(
    ("point", "written"),
    [
        ("before:files:note", []),
        ("after:files:note", ["0"]),
        ("before:files:note#2", ["0"]),
        ("after:files:note#3", ["0", "1", "2"]),
    ],
)
def test_a_process_dies_at_the_point_and_pass_that_is_named(tmp_path, point, written):
    process = run(tmp_path, AIQLEADS_CRASH_AT=point)
    assert process.wait() == -signal.SIGKILL
    assert sorted(file.name for file in tmp_path.iterdir()) == written


def test_a_process_stops_at_the_point_and_goes_on_when_continued(tmp_path):
    process = run(tmp_path, AIQLEADS_STOP_AT="before:files:note#2")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0"]
    os.kill(process.pid, signal.SIGCONT)
    assert process.wait() == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0", "1", "2"]


def test_the_points_passed_are_written_down(tmp_path):
    log = tmp_path.with_suffix(".log")
    assert run(tmp_path, AIQLEADS_CRASH_LOG=str(log)).wait() == 0
    assert log.read_text().splitlines() == ["before:files:note", "after:files:note"] * 3
