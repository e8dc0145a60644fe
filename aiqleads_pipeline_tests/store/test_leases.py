"""Leases: one holder at a time, dead ones are succeeded at once, and whoever lost one can't write any more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from resources.store.database import Store
from resources.store.errors import LeaseHeld, LeaseLost
from resources.store.leases import (
    Lease,
    abandoned_leases,
    expired_leases,
    held,
    holder_is_dead,
    holder_name,
    release_lease,
    renew_lease,
    take_lease,
)

ELSEWHERE = "elsewhere:1:1:run"


def expire(store: Store, name: str) -> None:
    with store.transaction("store:expire") as con:
        con.execute(
            text("UPDATE aiqleads.leases SET expires_at = now() - interval '1s' WHERE name = :name"), {"name": name}
        )


def taken(lease: Lease | None) -> Lease:
    assert lease is not None
    return lease


def wait_until(condition: Callable[[], bool]) -> None:
    while not condition():
        threading.Event().wait(0.01)


def written(store: Store) -> list[str]:
    with store.read() as con:
        return list(con.execute(text("SELECT batch_id FROM aiqleads.touches")).scalars())


def test_a_lease_has_one_holder_until_it_is_given_back_and_its_epoch_only_grows(store: Store) -> None:
    first = taken(take_lease(store, "b", ELSEWHERE, 60))
    assert take_lease(store, "b", holder_name("other"), 60) is None
    release_lease(store, first)
    second = taken(take_lease(store, "b", holder_name("other"), 60))
    assert (first.epoch, second.epoch) == (1, 2)
    assert taken(take_lease(store, "another", ELSEWHERE, 60)).epoch == 1


def test_an_expired_lease_is_taken_over_and_its_former_holder_can_neither_renew_nor_release_it(store: Store) -> None:
    first = taken(take_lease(store, "b", ELSEWHERE, 60))
    expire(store, "b")
    assert [(row.name, row.epoch, row.holder) for row in expired_leases(store)] == [("b", 1, ELSEWHERE)]
    second = taken(take_lease(store, "b", "elsewhere:2:2:run", 60))
    assert second.epoch == 2
    assert not renew_lease(store, first)
    with pytest.raises(LeaseLost):
        first.check()
    release_lease(store, first)
    assert renew_lease(store, second)
    assert expired_leases(store) == []


def test_an_expired_lease_that_nobody_took_is_renewed(store: Store) -> None:
    lease = taken(take_lease(store, "b", ELSEWHERE, 60))
    expire(store, "b")
    assert renew_lease(store, lease)
    assert expired_leases(store) == []


def test_check_needs_no_database_to_see_that_the_time_is_over(store: Store) -> None:
    lease = taken(take_lease(store, "b", ELSEWHERE, 0))
    with pytest.raises(LeaseLost):
        lease.check()


def test_who_is_dead_is_known_only_of_this_host() -> None:
    me = holder_name("run:with:colons")
    host, pid, start, run = me.split(":", 3)
    assert (pid, run) == (str(os.getpid()), "run:with:colons")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not holder_is_dead(me)
    assert holder_is_dead(f"{host}:{pid}:{int(start) + 1}:reused pid")
    assert holder_is_dead(f"{host}:{gone.pid}:1:r")
    assert not holder_is_dead(f"elsewhere:{gone.pid}:1:r")
    assert not holder_is_dead("of another form")


def test_a_zombie_process_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stat = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    holder = holder_name("r").split(":", 1)[0] + f":{child.pid}:{stat[19]}:r"
    assert not holder_is_dead(holder)
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, not yet buried
    assert holder_is_dead(holder)
    child.communicate()


def test_held_renews_in_the_background_and_gives_back_at_the_end(store: Store) -> None:
    with held(store, "b", ELSEWHERE, 0.6) as lease:
        with pytest.raises(LeaseHeld), held(store, "b", holder_name("other"), 60):
            pass
        begin = lease._good_until
        wait_until(lambda: lease._good_until > begin)
        lease.check()
    assert taken(take_lease(store, "b", holder_name("other"), 60)).epoch == 2


def test_held_notices_that_the_lease_was_taken(store: Store) -> None:
    with held(store, "b", ELSEWHERE, 0.3) as lease:
        with store.transaction("store:steal") as con:
            con.execute(text("UPDATE aiqleads.leases SET epoch = epoch + 1, holder = 'thief'"))
        wait_until(lambda: lease._is_lost)
        with pytest.raises(LeaseLost):
            lease.check()
    with store.read() as con:
        assert con.execute(text("SELECT holder FROM aiqleads.leases")).scalar_one() == "thief"


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from sqlalchemy import text
    import resources.durable
    from resources.store.database import Store
    from resources.store.errors import StoreError
    from resources.store.leases import holder_name, take_lease

    url, stop_at, holder, seconds = sys.argv[1:]
    INSERT = text("INSERT INTO aiqleads.touches VALUES (gen_random_uuid(), gen_random_uuid(), 'late', 'email', now())")

    def reach(point):
        if point == stop_at:
            print("reached", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)

    resources.durable.crash_point = reach
    store = Store.open(url, Path("/nonexistent"))
    lease = take_lease(store, "b", holder or holder_name("child"), float(seconds))
    reach("before the transaction")
    try:
        with store.transaction("store:late", lease) as con:
            con.execute(INSERT)
            reach("before the check")
    except StoreError as error:
        print(type(error).__name__, flush=True)
    else:
        print("committed", flush=True)
    """
)


@contextmanager
def stopped_holder(store: Store, stop_at: str, holder: str, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lease `b` and is stopped at a point of its transaction."""
    command = [sys.executable, "-c", CHILD, store.url, stop_at, holder, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "reached\n"
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            yield child
        finally:
            child.kill()


def answer_after_waking(child: subprocess.Popen[str]) -> str:
    os.kill(child.pid, signal.SIGCONT)
    return child.communicate()[0].strip()


@pytest.mark.parametrize(
    ("stop_at", "answer"),
    [
        ("before the transaction", "LeaseLost"),
        ("before the check", "StoreUnavailable"),  # its session was ended with the lease
        ("before:store:late", "StoreUnavailable"),  # between check and COMMIT
    ],
)
def test_a_stopped_holder_that_wakes_up_after_its_lease_was_taken_commits_nothing(
    store: Store, stop_at: str, answer: str
) -> None:
    with stopped_holder(store, stop_at, ELSEWHERE, seconds=0.5) as child:
        wait_until(lambda: take_lease(store, "b", holder_name("successor"), 60) is not None)
        assert answer_after_waking(child) == answer
    assert written(store) == []


def test_a_stopped_holder_that_wakes_up_in_time_commits(store: Store) -> None:
    with stopped_holder(store, "before:store:late", ELSEWHERE, seconds=60) as child:
        assert answer_after_waking(child) == "committed"
    assert written(store) == ["late"]


def test_a_holder_killed_in_its_transaction_is_succeeded_at_once(store: Store) -> None:
    with stopped_holder(store, "before the check", "", seconds=60) as child:
        assert take_lease(store, "b", holder_name("successor"), 60) is None
        child.kill()
        child.wait()
        assert [(row.name, row.epoch) for row in abandoned_leases(store)] == [("b", 1)]
        assert expired_leases(store) == []
        assert taken(take_lease(store, "b", holder_name("successor"), 60)).epoch == 2
    assert written(store) == []
