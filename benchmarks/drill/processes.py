"""Runs ``aiqleads`` commands in processes of their own, to be killed, stopped and continued.

Belongs here: starting and waiting. Does not belong here: what is run and what must come of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiqleads_pipeline.settings import PROJECT_DIR


@dataclass(frozen=True)
class Ended:
    """How a process ended (or stopped), and what it printed."""

    pid: int
    status: int
    output: str

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL

    @property
    def is_stopped(self) -> bool:
        """Whether it is alive but stopped."""
        return os.WIFSTOPPED(self.status)

    @property
    def exit_code(self) -> int:
        """Its exit status; negative for a signal."""
        return os.waitstatus_to_exitcode(self.status)

    def json_lines(self) -> list[dict[str, Any]]:
        """The JSON objects it printed, one per line."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


class Launcher:
    """Starts commands by forking a process that has everything imported (``zygote``); one at a time."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._count = 0
        self._outs: dict[int, Path] = {}
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.drill.zygote"],
            cwd=PROJECT_DIR,
            env=_clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], file_bytes: int = 0) -> Ended:
        """Run one ``aiqleads`` command until it ends, is killed, or stops itself.

        ``file_bytes``: no file may grow beyond it (0: no limit).
        """
        self._count += 1
        out = self._scratch / f"out-{self._count}.txt"
        asked = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "out": str(out),
            "file_bytes": file_bytes,
        }
        self._ask(asked)
        pid = self._answer()["pid"]
        self._outs[pid] = out
        return self._ended(pid)

    def resume(self, stopped: Ended) -> Ended:
        """Continue a process that stopped itself, until it ends."""
        os.kill(stopped.pid, signal.SIGCONT)
        self._ask({"wait": stopped.pid})
        return self._ended(stopped.pid)

    def close(self) -> None:
        """End the zygote."""
        assert self._zygote.stdin is not None and self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(30)
        self._zygote.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ended(self, pid: int) -> Ended:
        status = self._answer()["status"]
        return Ended(pid, status, self._outs[pid].read_text(encoding="utf-8", errors="replace"))

    def _ask(self, what: dict[str, Any]) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(what) + "\n")
        self._zygote.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._zygote.stdout is not None
        line = self._zygote.stdout.readline()
        if not line:
            raise RuntimeError(f"the zygote ended with status {self._zygote.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _clean_environment() -> dict[str, str]:
    ours = ("AIQLEADS_", "PIPELINE_CONFIG__", "FEATURE_FLAGS__", "DAGSTER_HOME")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
