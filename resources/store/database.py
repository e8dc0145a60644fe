"""The store's connection: open, migrate, read, and the one way to write.

Belongs here: engines, transactions, and turning the driver's errors into ``errors``. Does not belong here: any table's
business (one module each) and the embedded server's process (``server``).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import URL, Connection, Engine, TextClause, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from resources.durable import durable_write
from resources.store.errors import LeaseLost, SchemaTooNew, StoreError, StoreUnavailable
from resources.store.server import EmbeddedServer

if TYPE_CHECKING:
    from resources.store.leases import Lease

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "store"
MIGRATIONS_DIR = Path(__file__).resolve().parent / "migrations"
SCHEMA_HEAD = max(file.stem.split("_", 1)[0] for file in (MIGRATIONS_DIR / "versions").glob("[0-9]*_*.py"))

# States by which PostgreSQL says that trying again can help: connection lost, shutting down or starting, out of room or
# memory, deadlock, serialization, lock not available, session ended by an operator or a timeout.
_TRANSIENT_CLASSES = ("08", "53")
_TRANSIENT_STATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "58030")
MOST_CONNECTIONS = 15  # of one process
_KEPT_CONNECTIONS = 5  # of them stay open
_MIGRATION_LOCK = 0x41_49_51_4C  # "AIQL": the advisory lock that one migrating process holds


@cache
def statement(name: str) -> TextClause:
    """The statement in ``sql/store/<name>.sql``, with ``:name`` parameters."""
    return text((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"))


class Store:
    """One PostgreSQL database with the schema ``aiqleads``. Threads may share it; a forked child gets an engine of its
    own. Holds a place among the embedded server's users until ``close``."""

    def __init__(
        self, url: URL, dagster_url: URL, server: EmbeddedServer | None, most_connections: int = MOST_CONNECTIONS
    ) -> None:
        self._url, self._dagster_url, self._server = url, dagster_url, server
        self._most_connections = most_connections
        self._engine: Engine | None = None
        self._engine_pid = 0
        self._making = threading.Lock()

    @classmethod
    def open(cls, database_url: str | None, home: Path, most_connections: int = MOST_CONNECTIONS) -> Store:
        """The store at ``database_url``, or in the embedded server under ``home`` where that is None.

        Nothing is connected yet but the embedded server, which runs when this returns. Threads beyond
        ``most_connections`` wait for one another.

        Raises:
            ServerStartFailed: the embedded server does not come up.
            StoreError: the URL is none of PostgreSQL.
        """
        if database_url is None:
            server = EmbeddedServer(home).start()
            return cls(make_url(server.url()), make_url(server.dagster_url), server, most_connections)
        try:
            url = make_url(database_url)
        except Exception:  # the error would quote the URL with its password
            raise StoreError("AIQLEADS_DATABASE_URL can't be read: write postgresql://user@host/database") from None
        if url.drivername.split("+")[0] not in ("postgresql", "postgres"):
            raise StoreError("AIQLEADS_DATABASE_URL must be a PostgreSQL database: postgresql://user@host/database")
        urls = url.set(drivername="postgresql+psycopg"), url.set(drivername="postgresql+psycopg2")
        return cls(*urls, None, most_connections)

    @property
    def url(self) -> str:
        """The database's URL for SQLAlchemy with psycopg 3. A secret: it may hold a password."""
        return self._url.render_as_string(hide_password=False)

    @property
    def dagster_url(self) -> str:
        """The URL for Dagster's storage (psycopg2). A secret; an external database holds both sets of tables."""
        return self._dagster_url.render_as_string(hide_password=False)

    @property
    def engine(self) -> Engine:
        """The pool. Writers go through ``transaction``."""
        if self._engine is None or self._engine_pid != os.getpid():
            with self._making:  # threads that come at once share one: a second would be lost with its connections
                return self._own_engine()
        return self._engine

    def _own_engine(self) -> Engine:
        if self._engine is None or self._engine_pid != os.getpid():
            if self._engine is not None:
                self._engine.dispose(close=False)  # the parent's connections stay the parent's
            self._engine = create_engine(
                self._url,
                pool_pre_ping=True,
                pool_size=min(_KEPT_CONNECTIONS, self._most_connections),
                max_overflow=max(0, self._most_connections - _KEPT_CONNECTIONS),
                pool_timeout=30,
                hide_parameters=True,
                connect_args={
                    "connect_timeout": 10,
                    "tcp_user_timeout": 30_000,  # ms; a network that swallows packets would hold a connection for ever
                    "application_name": "aiqleads",
                    "options": "-c timezone=UTC -c search_path=public",
                },
            )
            self._engine_pid = os.getpid()
        return self._engine

    @contextmanager
    def transaction(self, name: str, lease: Lease | None = None) -> Iterator[Connection]:
        """One transaction as the durable write ``name``: committed at the end of the block, rolled back on any error.

        With a lease, its row is checked and share-locked by the last statement before COMMIT. That closes the gap
        between check and commit: whoever takes the lease over must update that row, so it waits for the outcome of a
        commit that passed its check, and a later one fails it. Locking last (not first) keeps the holder's own
        renewals free during long transactions. So that a process which is stopped (SIGSTOP) with a transaction open
        can't block its successor for ever, sessions carry the lease in their name and taking over ends them.

        Raises:
            LeaseLost: the lease has another epoch or holder by now; nothing was committed.
            StoreUnavailable: transient; nothing was committed unless the connection broke during COMMIT itself.
        """
        with self.connect() as con, con.begin() as begun:
            if lease is not None:
                con.execute(statement("name_session"), {"session": lease.session_name})
            yield con
            if lease is not None and con.execute(statement("check_lease"), lease.claim).first() is None:
                raise LeaseLost(f"the lease {lease.name!r} (epoch {lease.epoch}) was taken over: nothing was written")
            with durable_write(name):
                begun.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only snapshot of the database as one connection.

        Raises:
            StoreUnavailable: transient.
        """
        with self.connect() as con:
            yield con.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def connections(self) -> tuple[int, int]:
        """How many connections the database has at this moment, and how many it takes from users like this one."""
        with self.read() as con:
            row = con.execute(statement("connections")).one()
        return int(row.used_count), int(row.most_count)

    def migrate(self) -> None:
        """Bring the schema to ``SCHEMA_HEAD``; one query where it is there already.

        Raises:
            SchemaTooNew: a newer release migrated this database.
        """
        if self._is_current():
            return
        from resources.store.migrations import upgrade

        with self.transaction("store:migrate") as con:
            con.execute(statement("lock_migrations"), {"lock": _MIGRATION_LOCK})
            upgrade(con)

    def close(self) -> None:
        """Close the pool and leave the embedded server."""
        if self._engine is not None:
            self._engine.dispose(close=self._engine_pid == os.getpid())
            self._engine = None
        if self._server is not None:
            self._server.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._url.render_as_string(hide_password=True)})"

    def _is_current(self) -> bool:
        try:
            with self.read() as con:
                found = con.execute(statement("schema_version")).scalar_one_or_none()
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) in ("42P01", "3F000"):  # no table, no schema: an empty database
                return False
            raise
        if found is not None and found > SCHEMA_HEAD:
            raise SchemaTooNew(
                f"the database has schema {found}, this release knows {SCHEMA_HEAD}: upgrade aiqleads, or use another "
                "AIQLEADS_HOME or AIQLEADS_DATABASE_URL"
            )
        return bool(found == SCHEMA_HEAD)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A bare connection with the driver's errors told apart. To read or write use ``read`` or ``transaction``; this
        is for what is neither, like a heartbeat."""
        try:
            with self._connect() as con:
                yield con
        except (DBAPIError, psycopg.Error) as error:
            if is_transient(error):
                raise StoreUnavailable(_reason(error)) from error
            raise
        except PoolTimeout as error:
            raise StoreUnavailable("all of this process's connections to the database are at work") from error

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except (OperationalError, InterfaceError):
            if self._server is None:
                raise
            self._server.start()  # it was killed: whoever needs it first starts it again
            return self.engine.connect()


def is_transient(error: BaseException) -> bool:
    """Whether trying again can help: the one place that tells the driver's errors apart."""
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    original = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(original, "sqlstate", None)
    if state is None:
        return invalidated or isinstance(original, psycopg.OperationalError)
    return state.startswith(_TRANSIENT_CLASSES) or state in _TRANSIENT_STATES


def _reason(error: DBAPIError | psycopg.Error) -> str:
    """One line without values: the primary message only, never DETAIL or parameters."""
    original = error.orig if isinstance(error, DBAPIError) else error
    diagnostics = getattr(original, "diag", None)
    primary = getattr(diagnostics, "message_primary", None)
    state = getattr(original, "sqlstate", None)
    return f"the database is not available: {primary or type(original).__name__}" + (f" ({state})" if state else "")
