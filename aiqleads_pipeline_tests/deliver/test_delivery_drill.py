"""Exactly one effect per delivery at an idempotent receiver, through kills, lost answers and claims made twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.delivery_drill import POINTS, drill


def test_killed_at_every_point_nothing_is_lost_or_done_twice(new_database: Callable[[], str], tmp_path: Path) -> None:
    told = drill(seed=11, deliveries_count=5000, kills_count=8, database_url=new_database(), folder=tmp_path)
    assert told.is_good, told
    assert set(POINTS) <= set(told.kills)
    assert told.lost_answers_count > 10
    assert told.arrivals_count > told.deliveries_count
