"""Leases: who works on what, by the database's clock, with an epoch that fences off whoever lost one.

Belongs here: taking, keeping and giving back. Does not belong here: refusing a zombie's commit, which
``Store.transaction(name, lease)`` does. A holder is ``host:pid:start of the process:run id``, so that a lease of a dead
process of this host is free at once instead of after its time.
"""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from resources.store.database import statement
from resources.store.errors import LeaseHeld, LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from resources.store.database import Store


@dataclass(eq=False)
class Lease:
    """A lease as it was taken. ``check`` is for places between database writes: it asks no database."""

    name: str
    epoch: int
    holder: str
    seconds: float
    _good_until: float = field(default=0.0, repr=False)
    _is_lost: bool = field(default=False, repr=False)

    @property
    def claim(self) -> dict[str, object]:
        """What identifies this lease in a statement."""
        return {"name": self.name, "epoch": self.epoch, "holder": self.holder}

    @property
    def session_name(self) -> str:
        """The name that database sessions working under this lease carry."""
        return _session_name(self.name, self.epoch)

    def check(self) -> None:
        """Raise LeaseLost if a renewal found it lost, or if none came through in its time (a stopped process that
        wakes up notices it here)."""
        if self._is_lost or _now() > self._good_until:
            raise LeaseLost(f"the lease {self.name!r} (epoch {self.epoch}) may belong to somebody else by now")


@dataclass(frozen=True)
class LeaseRow:
    """A lease as the database has it."""

    name: str
    epoch: int
    holder: str
    expires_at: datetime


def holder_name(run_id: str) -> str:
    """The holder string of this process for a run."""
    return f"{socket.gethostname()}:{os.getpid()}:{_process_start(os.getpid())}:{run_id}"


def holder_is_dead(holder: str) -> bool:
    """Whether a holder is a process of this host that is gone. Of other hosts nothing is known: False."""
    parts = holder.split(":", 3)
    if len(parts) < 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return False
    return _process_start(int(parts[1])) != parts[2]


def take_lease(store: Store, name: str, holder: str, seconds: float) -> Lease | None:
    """Take a lease that is free: never taken, given back, expired, or held by a dead process of this host.

    Taking over raises the epoch and ends the former holder's database sessions. None if somebody alive holds it.
    """
    asked_at = _now()
    with store.connect() as con:
        if not _is_free(con.execute(statement("read_lease"), {"name": name}).first()):
            return None
    with store.transaction("store:take_lease") as con:
        taken = {"name": name, "holder": holder, "seconds": seconds}
        epoch = con.execute(statement("insert_lease"), taken).scalar()
        if epoch is None:
            seen = con.execute(statement("read_lease"), {"name": name}).one()
            if not _is_free(seen):
                return None
            con.execute(statement("end_sessions"), {"session": _session_name(name, seen.epoch)})
            is_dead = seen.holder == "" or holder_is_dead(seen.holder)
            taken |= {"seen_epoch": seen.epoch, "seen_holder": seen.holder, "is_dead": is_dead}
            epoch = con.execute(statement("take_over_lease"), taken).scalar()
    return None if epoch is None else Lease(name, epoch, holder, seconds, _good_until=asked_at + seconds)


def renew_lease(store: Store, lease: Lease) -> bool:
    """Prolong a lease by its seconds from now; False (and lost for good) if somebody else has it.

    Raises:
        StoreUnavailable: unknown; it may be tried again.
    """
    asked_at = _now()
    with store.connect() as con, con.begin():
        row = con.execute(statement("renew_lease"), {**lease.claim, "seconds": lease.seconds}).first()
    if row is None:
        lease._is_lost = True
        return False
    lease._good_until = asked_at + lease.seconds
    return True


def release_lease(store: Store, lease: Lease) -> None:
    """Give a lease back; no-op if it was lost."""
    lease._is_lost = True
    with store.transaction("store:release_lease") as con:
        con.execute(statement("release_lease"), lease.claim)


@contextmanager
def held(store: Store, name: str, holder: str, seconds: float) -> Iterator[Lease]:
    """Hold a lease for the length of the block; a thread renews it every third of its time.

    Raises:
        LeaseHeld: somebody alive has it.
    """
    lease = take_lease(store, name, holder, seconds)
    if lease is None:
        raise LeaseHeld(f"the lease {name!r} is held by a process that is alive")
    ended = threading.Event()
    heartbeat = threading.Thread(target=_keep, args=(store, lease, ended), name=f"lease {name}", daemon=True)
    heartbeat.start()
    try:
        yield lease
    finally:
        ended.set()
        heartbeat.join()
        release_lease(store, lease)


def expired_leases(store: Store) -> list[LeaseRow]:
    """Held leases whose time is over, oldest first: what a reaper looks at."""
    return _list(store, "expired_leases")


def abandoned_leases(store: Store) -> list[LeaseRow]:
    """Held leases that are free to take: expired, or of a dead process of this host."""
    expired = {row.name for row in expired_leases(store)}
    return [row for row in _list(store, "held_leases") if row.name in expired or holder_is_dead(row.holder)]


def live_leases(store: Store) -> set[str]:
    """The names of the leases that somebody alive holds."""
    abandoned = {row.name for row in abandoned_leases(store)}
    return {row.name for row in _list(store, "held_leases")} - abandoned


def _list(store: Store, name: str) -> list[LeaseRow]:
    with store.read() as con:
        return [LeaseRow(*row) for row in con.execute(statement(name))]


def _keep(store: Store, lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(lease.seconds / 3):
        try:
            if not renew_lease(store, lease):
                return
        except StoreUnavailable:
            continue  # `check` fails by itself when the lease's time is over


def _is_free(row: object) -> bool:
    return row is None or row.is_expired or row.holder == "" or holder_is_dead(row.holder)  # type: ignore[attr-defined]


def _session_name(name: str, epoch: int) -> str:
    return f"aiqleads lease {hashlib.sha256(name.encode()).hexdigest()[:16]} {epoch}"  # at most 63 bytes


def _process_start(pid: int) -> str | None:
    """When a live process began, in a form that never changes while it lives; None if there is no such process."""
    try:
        # Ticks since boot: unlike psutil's wall-clock time they don't move when the clock is set.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.NoSuchProcess:
        return None


def _now() -> float:
    """Seconds that also pass while the machine is suspended, where the system can tell."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
