"""The one way to make something durable: every durable write has a name and two crash points.

Belongs here: naming writes and dying at them on purpose, so that a drill can find every point by itself and prove
that each can be killed and run again. Does not belong here: how anything is written (``lake``, ``store``).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

CRASH_AT = "AIQLEADS_CRASH_AT"  # name of the point at which this process kills itself: a drill sets it
STOP_AT = "AIQLEADS_STOP_AT"  # name of the point at which this process stops itself until somebody continues it
CRASH_LOG = "AIQLEADS_CRASH_LOG"  # file that collects the names of the points passed, one per line


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
    log = os.environ.get(CRASH_LOG)
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(point + "\n")
    if os.environ.get(CRASH_AT) == point:
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get(STOP_AT) == point:
        os.kill(os.getpid(), signal.SIGSTOP)
