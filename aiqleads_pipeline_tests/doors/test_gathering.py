"""Gathering requests into work for one thread, and the answers that are kept for a day."""

from __future__ import annotations

import asyncio
import threading

import pytest
from sqlalchemy import text

from aiqleads_pipeline.doors.gathering import Gatherer
from aiqleads_pipeline.doors.problems import Problem, unavailable
from resources.store import idempotency
from resources.store.database import Store
from resources.store.idempotency import OPEN, Asked, Kept


def test_what_comes_while_the_thread_is_busy_is_done_at_once() -> None:
    first_began, go_on = threading.Event(), threading.Event()
    groups: list[list[int]] = []

    def work(items: list[int]) -> list[int | BaseException]:
        groups.append(items)
        first_began.set()
        go_on.wait(10)
        return [ValueError("odd") if item == 5 else item * 10 for item in items]

    async def run() -> list[int | BaseException]:
        gatherer: Gatherer[int, int] = Gatherer("test", work, most=4, room=7)
        futures = [gatherer.submit(1)]
        await asyncio.to_thread(first_began.wait, 10)
        futures += [gatherer.submit(item) for item in range(2, 9)]
        with pytest.raises(Problem) as refused:
            gatherer.submit(9)
        assert (refused.value.status, refused.value.code) == (503, "overloaded")
        go_on.set()
        answers = await asyncio.gather(*futures, return_exceptions=True)
        await asyncio.to_thread(gatherer.stop, 10)
        with pytest.raises(Problem, match="stopping"):
            gatherer.submit(1)
        return answers

    answers = asyncio.run(run())
    assert groups == [[1], [2, 3, 4, 5], [6, 7, 8]]
    assert isinstance(answers[4], ValueError)
    assert [answer for answer in answers if not isinstance(answer, BaseException)] == [10, 20, 30, 40, 60, 70, 80]


def test_whoever_waits_for_a_thread_that_hangs_is_let_go_and_others_get_another() -> None:
    began, hang = threading.Event(), threading.Event()

    def work(items: list[str]) -> list[str | BaseException]:
        if items[0] == "hang":
            began.set()
            hang.wait(10)
        return list(items)

    async def run() -> None:
        gatherer: Gatherer[str, str] = Gatherer("test", work, most=1, room=10)
        stuck, behind = gatherer.submit("hang"), gatherer.submit("behind")
        await asyncio.to_thread(began.wait, 10)
        gatherer.let_go(unavailable("database_away"))
        for future in (stuck, behind):
            with pytest.raises(Problem, match="database_away"):
                await future
        assert await gatherer.submit("again") == "again"
        hang.set()
        assert await gatherer.submit("later") == "later"
        await asyncio.to_thread(gatherer.stop, 10)

    asyncio.run(run())


def test_an_error_of_the_work_is_every_items() -> None:
    def work(_items: list[int]) -> list[int | BaseException]:
        raise LookupError("all of it")

    async def run() -> None:
        gatherer: Gatherer[int, int] = Gatherer("test", work, most=9, room=9)
        for _ in range(2):
            with pytest.raises(LookupError):
                await gatherer.submit(1)
        await asyncio.to_thread(gatherer.stop, 10)

    asyncio.run(run())


def test_an_answer_is_kept_for_a_day(store: Store) -> None:
    asked = Asked("acme", "k", b"1" * 32)
    kept = Kept(b"1" * 32, 202, {"location": "/x"}, b"\x00body")
    with store.transaction("test:first") as con:
        assert idempotency.take_up(con, [asked, asked]) == [None, OPEN]
        idempotency.keep(con, [(asked, kept)])
    with store.transaction("test:again") as con:
        assert idempotency.take_up(con, [asked, Asked("other", "k", b"1" * 32)]) == [kept, None]
        with store.transaction("test:beside") as beside:
            assert idempotency.take_up(beside, [asked]) == [OPEN]
    assert idempotency.forget(store) == 0
    with store.transaction("test:age") as con:
        con.execute(text("UPDATE aiqleads.idempotency_keys SET answered_at = now() - interval '24 hours 1 second'"))
    with store.transaction("test:day_after") as con:
        assert idempotency.take_up(con, [asked]) == [None]
        idempotency.keep(con, [(asked, Kept(b"1" * 32, 409, {}, b""))])
    with store.transaction("test:anew") as con:
        assert idempotency.take_up(con, [asked]) == [Kept(b"1" * 32, 409, {}, b"")]
    with store.transaction("test:age") as con:
        con.execute(text("UPDATE aiqleads.idempotency_keys SET answered_at = now() - interval '25 hours'"))
    assert idempotency.forget(store) == 1
