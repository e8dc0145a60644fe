"""Limits in leads: no window holds more, whatever number of processes takes, and Retry-After keeps its word."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from aiqleads_pipeline.doors.quotas import Quotas, rate_limited
from aiqleads_pipeline.settings import PipelineConfig, Settings
from resources.store import limits
from resources.store.database import Store
from resources.store.limits import Limit

START = datetime(2026, 11, 23, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_limit_is_taken_to_the_last_place_and_comes_back_as_the_window_slides(store: Store) -> None:
    limit = Limit(10, 60)
    assert limits.take(store, "a", 4, limit, at(0)).remaining_count == 6
    assert limits.take(store, "a", 6, limit, at(30)).remaining_count == 0
    refused = limits.take(store, "a", 1, limit, at(31))
    assert (refused.is_granted, refused.remaining_count, refused.retry_after_seconds) == (False, 0, 30)
    assert refused.reset_seconds == 60  # what was taken at 30 goes at 90, one slot later
    assert limits.take(store, "a", 5, limit, at(31)).retry_after_seconds == 60
    assert limits.take(store, "a", 4, limit, at(61)).is_granted
    assert not limits.take(store, "a", 1, limit, at(61)).is_granted


def test_more_than_the_limit_itself_never_fits_and_says_so(store: Store) -> None:
    refused = limits.take(store, "a", 11, Limit(10, 60), at(0))
    assert (refused.is_granted, refused.retry_after_seconds) == (False, None)
    assert rate_limited(refused).code == "exceeds_quota"
    assert "Retry-After" not in rate_limited(refused).headers


@pytest.mark.parametrize("seed", range(3))
def test_no_window_holds_more_than_the_limit_and_retry_after_succeeds_at_first_try(store: Store, seed: int) -> None:
    rng, limit = random.Random(seed), Limit(20, 30)
    taken: list[tuple[float, int]] = []
    now = 0.0
    for _ in range(150):
        now += rng.choice([0.001, 0.1, 0.7, 3.0])
        count = rng.randint(1, 8)
        allowance = limits.take(store, "a", count, limit, at(now))
        used = sum(n for when, n in taken if when > now - 30)
        slack = sum(n for when, n in taken if now - 30 - limit.slot_ms / 1000 <= when <= now - 30)
        assert allowance.is_granted or used + slack + count > 20, "refused though there was room"
        if not allowance.is_granted and rng.random() < 0.5:
            assert allowance.retry_after_seconds is not None
            now += allowance.retry_after_seconds
            allowance = limits.take(store, "a", count, limit, at(now))
            assert allowance.is_granted, "Retry-After did not keep its word"
        if allowance.is_granted:
            taken.append((now, count))
            assert sum(n for when, n in taken if when > now - 30) <= 20
    assert len(taken) > 30


def test_many_requests_of_many_clients_are_decided_in_one_transaction_in_their_order(store: Store) -> None:
    asks = [("b", 3), ("a", 5), ("b", 3), ("a", 6), ("a", 5), ("b", 2)]
    with store.transaction("test:take") as con:
        answers = limits.take_many(con, asks, Limit(10, 60), at(0))
    assert [answer.is_granted for answer in answers] == [True, True, True, False, True, True]
    assert [answer.remaining_count for answer in answers] == [7, 5, 4, 5, 0, 2]
    assert answers[3].retry_after_seconds == 61  # what it waits for was taken in this transaction
    assert limits.peek(store, "a", Limit(10, 60), at(0)).remaining_count == 0


def test_what_is_rolled_back_was_never_taken(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction("test:take") as con:
        limits.take_many(con, [("a", 10)], Limit(10, 60), at(0))
        raise ZeroDivisionError
    assert limits.take(store, "a", 10, Limit(10, 60), at(0)).is_granted


def test_a_client_may_have_a_limit_of_its_own(store: Store) -> None:
    limits.set_max(store, "big", 1000)
    assert limits.take(store, "big", 900, Limit(10, 60), at(0)).limit_count == 1000
    limits.set_max(store, "big", None)
    assert not limits.take(store, "big", 1, Limit(10, 60), at(1)).is_granted


TAKER = """
import sys
from pathlib import Path
from resources.store import limits
from resources.store.database import Store
with Store.open(sys.argv[1], Path("/nonexistent")) as store:
    granted = 0
    for turn in range(120):
        with store.transaction("take") as con:
            asks = [(name, 1) for name in (("x", "y") if turn % 2 else ("y", "x"))]
            granted += sum(answer.is_granted for answer in limits.take_many(con, asks, limits.Limit(100, 3600)))
    print(granted)
"""


def test_two_processes_at_once_take_exactly_the_limit(store: Store) -> None:
    command = [sys.executable, "-c", TAKER, store.url]
    takers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    granted = [int(taker.communicate()[0]) for taker in takers]
    assert sum(granted) == 200  # two clients of 100 each, of 480 asked
    assert limits.peek(store, "x", Limit(100, 3600)).remaining_count == 0


FROZEN = """
import os, signal, sys
from pathlib import Path
from resources.store import limits
from resources.store.database import Store
limits.IDLE_SECONDS = 0.3
with Store.open(sys.argv[1], Path("/nonexistent")) as store:
    limits.take(store, "x", 1, limits.Limit(100, 3600))
    with store.transaction("take") as con:
        limits.take_many(con, [("x", 50)], limits.Limit(100, 3600))
        print("taken", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_frozen_process_locks_its_clients_for_a_moment_only_and_its_leads_were_never_taken(store: Store) -> None:
    command = [sys.executable, "-c", FROZEN, store.url]
    frozen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert frozen.stdout is not None
    try:
        assert frozen.stdout.readline() == "taken\n"
        assert limits.take(store, "x", 99, Limit(100, 3600)).remaining_count == 0
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert frozen.wait() == 1  # its commit is refused
    frozen.stdout.close()
    assert limits.peek(store, "x", Limit(100, 3600)).remaining_count == 0


def test_a_refusal_is_repeated_without_asking_the_store_until_it_may_be_wrong(store: Store) -> None:
    quotas = Quotas(Settings(pipeline=PipelineConfig(RATE_LIMIT_MAX=10, RATE_LIMIT_WINDOW=3600)))
    quotas.note("a", limits.take(store, "a", 8, quotas.limit), 8)
    assert quotas.refusal("a", 3) is None
    quotas.note("a", limits.take(store, "a", 3, quotas.limit), 3)
    refusal = quotas.refusal("a", 3)
    assert refusal is not None
    assert refusal.code == "rate_limited"
    assert 3595 <= int(refusal.headers["Retry-After"]) <= 3601
    assert quotas.refusal("a", 2) is None  # fewer leads may fit
    fields = dict(quotas.headers("a"))
    assert fields[b"ratelimit-limit"] == b"10"
    assert fields[b"ratelimit-remaining"] == b"2"
    assert fields[b"ratelimit-policy"] == b'"leads";q=10;w=3600'
    assert fields[b"ratelimit"].startswith(b'"leads";r=2;t=3')
