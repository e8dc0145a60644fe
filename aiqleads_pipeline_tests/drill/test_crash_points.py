"""Killed at a durable write and run again, a home is as if nothing had happened. `make drill` tries every point."""

import pytest

from benchmarks.crash_drill import numbered_points, sample_points
from benchmarks.drill.state import differences

SEED = 7


@pytest.mark.timeout(600)
def test_killed_at_each_durable_write_and_run_again_everything_is_equal(drill):
    sampled = set(sample_points([point for point in drill.points if point.endswith("#1")], SEED))
    points = [point for point in drill.points if point in sampled]
    while points:
        found, reached = drill.crash_in_turn(points)
        assert found == [], f"after dying at {points[:reached]}"
        assert reached, f"{points[0]} was never reached"
        points = points[reached:]


def test_the_drill_finds_the_writes_by_itself(drill):
    names = {point.split(":", 1)[1].split("#")[0] for point in drill.points}
    tables = ("raw", "rejected", "duplicate", "validated", "enriched", "scored", "classified", "routed")
    assert {f"lake:{table}_leads" for table in tables} <= names
    assert {"store:register_drops", "store:route_leads", "store:mark_finished"} <= names
    assert "before:lake:raw_leads#2" in drill.points, "the second drop is drilled too"


def test_the_drops_of_the_drill_make_identities_and_the_rota_matter(drill):
    assert drill.expected["lake duplicate_leads"], "the second drop repeats people of the first"
    assert drill.expected["store review_queue"], "a full team leaves leads in review"
    assert drill.expected["store owner_totals"]
    assert drill.expected["files delivered"]


def test_a_difference_of_one_row_is_seen():
    expected = {"lake routed_leads": ['{"owner": "a"}', '{"owner": "b"}'], "store touches": []}
    changed = {"lake routed_leads": ['{"owner": "a"}', '{"owner": "c"}'], "store touches": []}
    assert differences(expected, expected) == []
    assert differences(expected, changed) == [
        "lake routed_leads: 1 rows missing, 1 rows too many",
        '  - {"owner": "b"}',
        '  + {"owner": "c"}',
    ]
    assert differences(expected, {**expected, "store touches": ["{}", "{}"]}) == [
        "store touches: 0 rows missing, 2 rows too many",
        "  + {}",
        "  + {}",
    ]


def test_points_are_numbered_by_their_pass_and_sampled_once_per_write(tmp_path):
    log = tmp_path / "points.txt"
    log.write_text("before:lake:a\nafter:lake:a\nbefore:lake:a\nafter:lake:a\nbefore:store:b\n")
    points = numbered_points(log)
    assert points == ["before:lake:a#1", "after:lake:a#1", "before:lake:a#2", "after:lake:a#2", "before:store:b#1"]
    sampled = sample_points(points, seed=3)
    assert [point.split(":", 1)[1].split("#")[0] for point in sampled] == ["lake:a", "store:b"]
    assert sampled == sample_points(points, seed=3)
