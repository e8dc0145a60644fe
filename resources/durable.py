"""The one way to make something durable: every durable write has a name and two crash points.

Belongs here: naming writes and dying at them on purpose, so that a drill can find every point by itself and prove
that each can be killed and run again. Does not belong here: how anything is written (``lake``, ``store``).
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Names of environment variables. A point is `before:<name>` or `after:<name>`; with `#2` behind it, its second pass.
CRASH_AT = "AIQLEADS_CRASH_AT"  # point at which this process kills itself: a drill sets it
STOP_AT = "AIQLEADS_STOP_AT"  # point at which this process stops itself until somebody continues it
CRASH_LOG = "AIQLEADS_CRASH_LOG"  # file that collects the names of the points passed, one per line

_passes: Counter[str] = Counter()


@contextmanager
def durable_write(name: str) -> Iterator[None]:
    """Run one durable write as ``name``; the points are ``before:<name>`` and ``after:<name>``.

    The write must be atomic by itself: a transaction's commit or a rename. An error inside passes the
    ``after`` point by, since nothing became durable.
    """
    crash_point(f"before:{name}")
    yield
    crash_point(f"after:{name}")


def crash_point(point: str) -> None:
    """Die here by SIGKILL, or sleep here by SIGSTOP, if a drill asks for it; note that the point was reached."""
    log, crash_at, stop_at = (os.environ.get(name) for name in (CRASH_LOG, CRASH_AT, STOP_AT))
    if not (log or crash_at or stop_at):
        return
    _passes[point] += 1
    names = (f"{point}#{_passes[point]}", *([point] if _passes[point] == 1 else []))
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(point + "\n")
    if crash_at in names:
        os.kill(os.getpid(), signal.SIGKILL)
    if stop_at in names:
        os.kill(os.getpid(), signal.SIGSTOP)
