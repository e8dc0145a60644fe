"""The embedded server: one per home, shared, stopped by the last, and back after every kind of sudden death."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import text

from resources.store.database import Store
from resources.store.errors import ServerStartFailed, StoreUnavailable
from resources.store.postgres import Cluster
from resources.store.server import EmbeddedServer

PROJECT = Path(__file__).parents[2]


def ask(server: EmbeddedServer, query: str, database: str = "aiqleads") -> object:
    with psycopg.connect(server.url(database).replace("+psycopg", "")) as con:
        row = con.execute(query).fetchone()
        assert row is not None
        return row[0]


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "pg" / "postmaster.pid").read_text().split("\n")[0]))


def is_running(home: Path) -> bool:
    return (home / "pg" / "postmaster.pid").exists()


USER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from resources.store.server import EmbeddedServer
    server = EmbeddedServer(Path(sys.argv[1])).start()
    print((Path(sys.argv[1]) / "pg" / "postmaster.pid").read_text().split()[0], flush=True)
    sys.stdin.read()
    """
)


@contextmanager
def users(home: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that start the server of a home and stay until their standard input ends."""
    command = [sys.executable, "-c", USER, str(home)]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
        for _ in range(count)
    ]
    try:
        yield children
    finally:
        for child in children:
            child.kill()
            child.communicate()


def server_pid(child: subprocess.Popen[str]) -> int:
    assert child.stdout is not None
    return int(child.stdout.readline())


def leave(child: subprocess.Popen[str]) -> None:
    child.communicate()
    assert child.returncode == 0


def test_it_is_a_durable_private_postgresql_18_with_both_databases(home: Path) -> None:
    server = EmbeddedServer(home).start()
    settings = ("fsync", "full_page_writes", "synchronous_commit", "data_checksums")
    assert [ask(server, f"SHOW {name}") for name in settings] == ["on"] * 4
    assert str(ask(server, "SHOW server_version")).startswith("18")
    assert ask(server, "SHOW server_encoding", "dagster") == "UTF8"
    assert ask(server, "SELECT lower('ÄÖÉ')") == "äöé"
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW log_min_error_statement") == "panic"
    folder = Path(str(ask(server, "SHOW unix_socket_directories")))
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE((home / "pg").stat().st_mode) == 0o700
    assert os.getsid(postmaster(home).pid) != os.getsid(0)  # out of reach of the terminal's Ctrl-C
    assert server.dagster_url.startswith("postgresql+psycopg2://")
    server.close()
    assert not is_running(home)


def test_the_last_user_of_a_process_stops_it_and_starting_twice_is_joining_once(home: Path) -> None:
    first, second = EmbeddedServer(home).start().start(), EmbeddedServer(home).start()
    first.close()
    first.close()
    assert ask(second, "SELECT 1") == 1
    second.close()
    assert not is_running(home)


def test_processes_that_race_to_create_and_start_it_share_one_server(fresh_home: Path) -> None:
    with users(fresh_home, 3) as children:
        assert len({server_pid(child) for child in children}) == 1
        leave(children[0])
        assert is_running(fresh_home)
        children[1].kill()  # leaves no trace among the users
        children[1].wait()
        leave(children[2])
        assert not is_running(fresh_home)


def test_users_that_all_died_leave_a_server_that_the_next_one_finds_and_stops(home: Path) -> None:
    with users(home, 1) as (child,):
        pid = server_pid(child)
    assert postmaster(home).pid == pid
    EmbeddedServer(home).start().close()
    assert not is_running(home)


def test_a_killed_postmaster_is_started_again_and_nothing_committed_is_lost(home: Path) -> None:
    server = EmbeddedServer(home).start()
    with psycopg.connect(server.url().replace("+psycopg", "")) as con:
        con.execute("CREATE TABLE kept AS SELECT 42 AS value")
    postmaster(home).kill()
    server.start()
    assert ask(server, "SELECT value FROM kept") == 42
    server.close()


def test_a_server_killed_in_a_transaction_fails_it_as_transient_and_the_next_one_starts_it_again(home: Path) -> None:
    with Store.open(None, home) as store:
        with pytest.raises(StoreUnavailable), store.read() as con:
            postmaster(home).kill()
            while True:
                con.execute(text("SELECT 1"))
        with store.read() as con:
            assert con.execute(text("SELECT 42")).scalar_one() == 42
    assert not is_running(home)


def test_a_pid_file_left_behind_whose_pid_is_somebody_elses_by_now_is_no_obstacle(home: Path) -> None:
    EmbeddedServer(home).start().close()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        note = f"{stranger.pid}\n{home}/pg\n1\n5432\n{home}/pg_run/socket\n\n  1 1\nready\n"
        (home / "pg" / "postmaster.pid").write_text(note)
        server = EmbeddedServer(home).start()
        assert ask(server, "SELECT 1") == 1
        server.close()
        assert stranger.poll() is None
        stranger.communicate()


def test_two_homes_share_nothing_even_if_one_is_a_copy_of_the_other(home: Path, fresh_home: Path) -> None:
    EmbeddedServer(home).start().close()
    server = EmbeddedServer(home).start()
    copy = fresh_home / "copy"
    shutil.copytree(home / "pg", copy / "pg")
    shutil.copytree(home / "pg_run", copy / "pg_run", ignore=shutil.ignore_patterns(".s.PGSQL*"))
    if os.geteuid() == 0:
        owner = (home / "pg").stat()
        for path in (copy / "pg", *(copy / "pg").rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    other = EmbeddedServer(copy).start()
    assert ask(other, "SHOW data_directory") == str(copy / "pg")
    assert ask(server, "SHOW data_directory") == str(home / "pg")
    other.close()
    assert ask(server, "SELECT 1") == 1
    server.close()


def test_a_home_too_deep_for_a_socket_gets_one_elsewhere_and_keeps_it(fresh_home: Path) -> None:
    deep = fresh_home / ("d" * 60) / ("e" * 60)
    first = EmbeddedServer(deep).start()
    url = first.url()
    assert ask(first, "SELECT 1") == 1
    first.close()
    second = EmbeddedServer(deep).start()
    assert second.url() == url
    folder = Path(str(ask(second, "SHOW unix_socket_directories")))
    assert not folder.is_relative_to(deep)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    second.close()
    shutil.rmtree(folder)


def test_a_server_that_does_not_answer_is_told_with_its_bound_and_its_log(home: Path) -> None:
    server = EmbeddedServer(home).start()
    os.kill(postmaster(home).pid, signal.SIGSTOP)
    try:
        with pytest.raises(ServerStartFailed, match=r"within 0 s .*\(state: starting\)[\s\S]*ready to accept"):
            EmbeddedServer(home, start_timeout_seconds=0.1).start()
    finally:
        os.kill(postmaster(home).pid, signal.SIGCONT)
    server.close()


def test_a_server_that_can_not_start_says_so_at_once_with_its_log(home: Path) -> None:
    EmbeddedServer(home).start().close()
    (home / "pg" / "local.conf").write_text("shared_buffers = 'much'\n")
    try:
        with pytest.raises(ServerStartFailed, match=r"does not start[\s\S]*shared_buffers"):
            EmbeddedServer(home).start()
    finally:
        (home / "pg" / "local.conf").unlink()


def test_data_of_another_version_is_refused(home: Path) -> None:
    EmbeddedServer(home).start().close()
    version = home / "pg" / "PG_VERSION"
    version.write_text("16\n")
    try:
        with pytest.raises(ServerStartFailed, match="holds data of PostgreSQL 16, this release runs 18"):
            EmbeddedServer(home).start()
    finally:
        version.write_text("18\n")


def test_what_a_killed_creation_left_is_removed_and_foreign_files_are_not(fresh_home: Path) -> None:
    (fresh_home / ".pg.new-killed" / "base").mkdir(parents=True)
    EmbeddedServer(fresh_home).start().close()
    assert sorted(path.name for path in fresh_home.iterdir()) == ["pg", "pg_run"]
    (fresh_home / "other" / "pg").mkdir(parents=True)
    (fresh_home / "other" / "pg" / "thesis.txt").write_text("mine")
    with pytest.raises(ServerStartFailed, match="is not empty and holds no PostgreSQL data"):
        EmbeddedServer(fresh_home / "other").start()
    assert (fresh_home / "other" / "pg" / "thesis.txt").read_text() == "mine"


def test_orphans_of_a_dead_postmaster_are_ended(home: Path) -> None:
    server = EmbeddedServer(home).start()
    master = postmaster(home)
    orphans = [child for child in master.children() if child.name() == "postgres"]
    stuck = orphans[0]
    os.kill(stuck.pid, signal.SIGSTOP)  # can't notice that its postmaster dies, and keeps the data's lock
    master.kill()
    psutil.wait_procs([process for process in orphans if process != stuck], timeout=20)
    Cluster(home / "pg", home / "pg_run").kill_orphans()
    server.start()
    assert not stuck.is_running() or stuck.status() == psutil.STATUS_ZOMBIE
    server.close()


def test_a_forked_child_that_ends_stops_nothing(home: Path) -> None:
    server = EmbeddedServer(home).start()
    child = os.fork()
    if child == 0:
        server.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert ask(server, "SELECT 1") == 1
    server.close()
    assert not is_running(home)


def test_an_ordinary_user_runs_it_as_itself() -> None:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory() as folder:  # not fresh_home: pytest's folders are closed to others
        os.chown(folder, user.pw_uid, user.pw_gid)
        child = os.fork()
        if child == 0:  # becomes the user for good: a new interpreter might be out of its reach
            try:
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setgid(user.pw_gid)
                    os.setuid(user.pw_uid)
                server = EmbeddedServer(Path(folder)).start()
                assert postmaster(Path(folder)).uids().effective == user.pw_uid
                assert ask(server, "SELECT 1") == 1
                server.close()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert not is_running(Path(folder))


def test_root_runs_it_as_somebody_else(home: Path) -> None:
    server = EmbeddedServer(home).start()
    assert psutil.Process(postmaster(home).pid).uids().effective != 0
    server.close()
