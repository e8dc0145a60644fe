"""``source_reliability``: what becomes of a source's leads, shrunk to the mean, and how it reaches the score."""

from __future__ import annotations

from datetime import datetime

import pytest
from duckdb import DuckDBPyConnection

from aiqleads_pipeline.rules.scoring import ScoringRules
from aiqleads_pipeline.stages.score import RELIABILITY_COLUMNS, no_reliability, score_leads, source_reliability

NO_HISTORY = "SELECT 'x' AS source, 1::BIGINT AS received_count, 0::BIGINT AS rejected_count LIMIT 0"


def outcomes(con: DuckDBPyConnection, *rows: tuple[str, str | None, str | None, int, int, int]):  # type: ignore[no-untyped-def]
    """Rows of source, industry, band and how many were won, lost, returned."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE closed (source TEXT, industry_code TEXT, employee_band TEXT, result TEXT)"
    )
    for source, industry, band, *counts in rows:
        for result, count in zip(("won", "lost", "returned"), counts, strict=True):
            con.execute(
                "INSERT INTO closed SELECT $1, $2, $3, $4 FROM range($5)", [source, industry, band, result, count]
            )
    return con.table("closed")


def learn(
    con: DuckDBPyConnection, rules: ScoringRules, *rows, history: str = NO_HISTORY
) -> dict[tuple[str, str | None], tuple[float, float]]:  # type: ignore[no-untyped-def]
    learnt = source_reliability(con, con.sql(history), outcomes(con, *rows), rules)
    assert learnt.columns == con.sql(f"SELECT {RELIABILITY_COLUMNS}").columns
    return {(row[0], row[1]): (row[2], row[3]) for row in learnt.fetchall()}


def test_without_history_there_is_nothing(con, rules) -> None:  # type: ignore[no-untyped-def]
    assert learn(con, rules) == {}


def test_good_and_bad_sources_lie_on_both_sides_of_the_mean(con, rules) -> None:  # type: ignore[no-untyped-def]
    learnt = learn(
        con,
        rules,
        ("good", "51", "1-10", 300, 700, 0),
        ("mean", "51", "1-10", 200, 800, 0),
        ("bad", "51", "1-10", 100, 900, 0),
    )
    assert learnt["mean", None][0] == 50
    assert learnt["good", None][0] > 54
    assert learnt["bad", None][0] < 46


def test_a_new_source_stays_near_the_mean_until_it_has_shown_itself(con, rules) -> None:  # type: ignore[no-untyped-def]
    old = ("old", None, None, 1000, 9000, 0)
    scores = [learn(con, rules, old, ("new", None, None, n, 0, 0))["new", None][0] for n in (1, 5, 25, 100)]
    assert scores == sorted(scores)
    assert scores[0] < 55
    assert scores[-1] > 70


def test_returned_leads_count_against_their_source(con, rules) -> None:  # type: ignore[no-untyped-def]
    learnt = learn(con, rules, ("fair", None, None, 50, 450, 0), ("junk", None, None, 50, 350, 100))
    assert learnt["junk", None][0] < learnt["fair", None][0]
    assert learnt["junk", None][1] == learnt["fair", None][1]  # both convert alike


def test_a_source_whose_rows_are_refused_is_less_reliable(con, rules) -> None:  # type: ignore[no-untyped-def]
    history = (
        "SELECT * FROM (VALUES ('clean', 1000, 10), ('dirty', 1000, 600)) AS t(source, received_count, rejected_count)"
    )
    learnt = learn(con, rules, history=history)
    assert learnt["dirty", None][0] < 50 < learnt["clean", None][0]


def test_a_segment_is_shrunk_to_its_source(con, rules) -> None:  # type: ignore[no-untyped-def]
    learnt = learn(
        con, rules, ("web", "51", "51-200", 90, 10, 0), ("web", "72", "1-10", 10, 390, 0), ("web", None, None, 0, 1, 0)
    )
    source = learnt["web", None][1]
    assert learnt["web", "51:51-200"][1] > source > learnt["web", "72:1-10"][1]
    assert learnt["web", "unknown:unknown"][1] == pytest.approx(source, abs=2)


def test_history_reaches_the_score_by_segment_else_by_source(con, rules, as_of: datetime, enrich) -> None:  # type: ignore[no-untyped-def]
    closed = outcomes(
        con, ("web", "51", "51-200", 90, 10, 0), ("web", "72", "1-10", 10, 390, 0), ("ads", "72", "1-10", 1, 499, 0)
    )
    learnt = source_reliability(con, con.sql(NO_HISTORY), closed, rules)
    leads = enrich(
        {"source": "web", "industry_code": "51", "employee_band": "51-200"}, {"source": "web", "industry_code": "62"},
        {"source": "ads", "industry_code": "62"}, {"source": "never seen"},
    )  # fmt: skip
    scored = score_leads(con, leads, rules, as_of=as_of, reliability=learnt, method_reason="no_model").order("lead_id")
    rows = scored.project("historical_score, source_reliability_score").fetchall()
    assert rows[0][0] > rows[1][0] > 50 > rows[2][0]
    assert rows[0][1] == rows[1][1] > 50 > rows[2][1]
    assert rows[3] == (50, 50)


def test_no_reliability_is_the_same_as_none(con, rules, as_of: datetime, enrich) -> None:  # type: ignore[no-untyped-def]
    leads = enrich({"email": "a@b.com"})
    both = [
        score_leads(con, leads, rules, as_of=as_of, reliability=known, method_reason="no_model").fetchall()
        for known in (None, no_reliability(con))
    ]
    assert both[0] == both[1]
