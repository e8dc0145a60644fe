"""`aiqleads up`: one supervisor for one machine. Starts everything, restarts what dies, ends all cleanly.

Belongs here: child processes. Each child runs in a process group of its own, so that Ctrl-C reaches the supervisor
alone and it decides the order of the end; if the supervisor is killed, the kernel tells its children to end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 15
HEALTHY_SECONDS = 30


@dataclass
class Child:
    """One supervised process: started again when it ends, later each time that it ends soon."""

    name: str
    command: Sequence[str]
    socket: Path | None = None  # what it listens on; one that a killed predecessor left would be in its way
    needs: Path | None = None  # the socket of another child that must be there before this one starts
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures_count: int = 0
    start_not_before: float = 0.0

    def start(self) -> None:
        """Start the process in its own group, tied to the life of the supervisor."""
        if self.socket is not None:
            self.socket.unlink(missing_ok=True)
        self.started_at = time.monotonic()
        # The supervisor has one thread, so that running code between fork and exec is safe.
        self.process = subprocess.Popen(self.command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509

    def watch(self, say: Callable[[str], None]) -> None:
        """Start the process if it is not there; back off while it keeps ending."""
        if self.process is not None and self.process.poll() is not None:
            lived = time.monotonic() - self.started_at
            self.failures_count = 0 if lived > HEALTHY_SECONDS else self.failures_count + 1
            delay = min(30.0, 0.5 * 2**self.failures_count)
            say(f"{self.name} ended with status {self.process.returncode}; starting it again in {delay:.0f} s")
            self.start_not_before = time.monotonic() + delay
            self.process = None
        is_due = time.monotonic() >= self.start_not_before and (self.needs is None or self.needs.exists())
        if self.process is None and is_due:
            self.start()

    def signal(self, number: int) -> None:
        """Send a signal to the whole group of the process, if it is there."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


def supervise(children: Sequence[Child], say: Callable[[str], None]) -> None:
    """Keep the children alive until SIGINT or SIGTERM, then end them; what does not end in time is killed."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stop.is_set():
            for child in children:
                child.watch(say)
            stop.wait(0.5)
    finally:
        _end(children)
        for number, handler in previous.items():
            signal.signal(number, handler)


def python_module(module: str, *arguments: str) -> list[str]:
    """The command that runs a module in this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


def _end(children: Sequence[Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.signal(signal.SIGKILL)
            child.process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
