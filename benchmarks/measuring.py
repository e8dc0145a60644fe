"""Runs a program and watches it: wall time, and the memory of all of its processes and of the home's database server.

Belongs here: the stopwatch. Memory is the proportional set size (PSS: shared pages are split among those who share
them), since PostgreSQL's processes all map the same buffers and a sum of resident sizes would count them many times.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

# To sum up a gigabyte's pages takes the kernel some 20 ms, in which the program can't get memory: done ten times a
# second it made a run 15 % longer.
SAMPLE_SECONDS = 1.0
PROJECT_DIR = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Watched:
    """What a program took: seconds, bytes at its worst, and what it printed.

    On a machine that others use too the seconds grow with their work; the seconds of CPU hardly do.
    """

    seconds: float
    cpu_seconds: float  # of the program and its children; the database server's work is its own
    peak_rss_bytes: int  # the sum of the kernel's high-water marks of the program and its children
    peak_pss_bytes: int  # the largest sum of a sample, with the database server
    output: str


class ProgramFailed(Exception):
    """A measured program ended with an error: the message holds the end of what it printed."""


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def watch(command: Sequence[str], environment: Mapping[str, str] | None = None, home: Path | None = None) -> Watched:
    """Run a program to its end and sample its memory once a second.

    Raises:
        ProgramFailed: its exit status is not 0.
    """
    before = _cpu_of_children()
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=PROJECT_DIR,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks = _Peaks(process.pid, home)
    peaks.start()
    output, errors = process.communicate()
    seconds = time.perf_counter() - started
    peaks.stop()
    if process.returncode != 0:
        raise ProgramFailed(
            f"{' '.join(command)} ended with status {process.returncode}:\n{errors[-3000:]}{output[-1000:]}"
        )
    return Watched(seconds, _cpu_of_children() - before, peaks.rss, peaks.pss, output)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peaks(threading.Thread):
    """Samples the memory of a process tree, and of the server of a home, until it is stopped."""

    def __init__(self, pid: int, home: Path | None) -> None:
        super().__init__(daemon=True)
        self.rss = self.pss = 0
        self._root, self._home, self._ended = pid, home, threading.Event()

    def run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            servers = server_processes(self._home) if self._home else []
            ours = [process for process in _tree(self._root) if process not in servers]
            self.rss = max(self.rss, sum(_high_water(process) for process in ours))
            self.pss = max(self.pss, sum(_pss(process) for process in {*ours, *servers}))

    def stop(self) -> None:
        self._ended.set()
        self.join()


def server_processes(home: Path) -> list[psutil.Process]:
    """The processes of a home's embedded database server; none if it is not running."""
    try:
        pid = int((home / "pg" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return []
    return list(_tree(pid))


def _tree(pid: int) -> Iterable[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _high_water(process: psutil.Process) -> int:
    """The most memory that a process ever held: bytes."""
    return _kernel_bytes(process, "status", "VmHWM:")


def _pss(process: psutil.Process) -> int:
    """Proportional set size, from the kernel's own sum (psutil adds up all mappings, which is slow)."""
    return _kernel_bytes(process, "smaps_rollup", "Pss:")


def _kernel_bytes(process: psutil.Process, file: str, name: str) -> int:
    try:
        for line in Path(f"/proc/{process.pid}/{file}").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    except OSError:  # it has ended
        return 0
    return 0
