"""The drills of the doors in short, and that they can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from aiqleads_pipeline_tests.doors.conftest import Service, private_folder
from benchmarks.doors_drill import kill_under_load, meet, serving, sync_before_answers
from benchmarks.drill.syncing import why_not
from benchmarks.schema_drill import ask_as
from resources.store import keys
from resources.store.database import Store


def test_every_202_is_there_once_through_kills(make_database: Callable[[], str]) -> None:
    url = make_database()
    with private_folder() as home, Store.open(url, home) as store:
        found = kill_under_load(home, store, seconds=2, clients=32, seed=1, url=url)
    assert found.faults == []
    assert found.kills >= 1
    assert len(found.told) >= 32


def test_two_services_and_an_import_leave_one_survivor_of_each_person(service: Service) -> None:
    with private_folder() as home, serving(home, 0, service.store.url) as (other, _):
        assert meet([service.port, other], service.store, people=300, seed=1) == []


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_synced_then_answered() -> None:
    with private_folder() as home, Store.open(None, home) as store:
        store.migrate()
        assert sync_before_answers(home, store, posts=20) == (20, [])
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as con:
            con.execute(text("ALTER ROLE CURRENT_USER SET synchronous_commit = off"))
        _, faults = sync_before_answers(home, store, posts=20)
        assert len(faults) >= 10  # the drill sees what isn't synced


def test_answers_are_as_the_schema_says(service: Service) -> None:
    key = keys.create_key(service.store, "schema-drill", "client", datetime.now(UTC)).api_key
    ended = ask_as(service.port, key, seed=1, examples=8, only="/v1/leads", phases="examples,fuzzing")
    assert ended.returncode == 0, ended.stdout
    assert "1 selected" in ended.stdout
