"""Why a model gave its probability: the parts add up, exact and approximate ones alike, and say what moved it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.rules.scoring import ScoringRules
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages import contributions
from aiqleads_pipeline.stages.contributions import conversion_reasons, shares_of
from aiqleads_pipeline.stages.conversion import TrainedModel, train
from aiqleads_pipeline.stages.conversion.features import feature_rows
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.score import score_leads

CHANCE = "0.05 + 0.5 * (coalesce(job_seniority, '') = 'c_level')::INT"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, random_leads: Any) -> TrainedModel:
    """A model of leads that are won if a boss asks."""
    with open_engine(Settings(HOME=tmp_path_factory.mktemp("home"))) as con:
        leads = random_leads(con, 3000)
        closed = leads.project(
            f"*, received_at + to_hours(1 + (hash(lead_id) % 2000)::INT) AS closed_at, "
            f"CASE WHEN hash(lead_id, 'dice') % 1000 / 1000 < {CHANCE} THEN 'won' ELSE 'lost' END AS result"
        )
        found = train(con, closed, seed=7)
    assert isinstance(found, TrainedModel), found
    return found


def explained(
    con: DuckDBPyConnection, leads: DuckDBPyRelation, rules: ScoringRules, trained: TrainedModel, as_of: Any
) -> list[dict[str, Any]]:
    """Scored leads with their conversion reasons."""
    scored = score_leads(con, leads, rules, as_of=as_of, model=trained.model, all_reasons=True)
    scored.query("_", "CREATE OR REPLACE TEMP TABLE kept AS FROM _")
    told = conversion_reasons(con, leads, con.table("kept"), trained.model, as_of)
    both = con.table("kept").join(told, "lead_id").order("lead_id")
    rows = [dict(zip(both.columns, row, strict=True)) for row in both.fetchall()]
    for row in rows:
        row["why"] = json.loads(row["conversion_reasons"])
        row["effect"] = next(r["effect"] for r in json.loads(row["reasons"]) if r["part"] == "conversion")
    return rows


@pytest.mark.parametrize("exact_rows", [0, 10_000], ids=["approximate", "exact"])
def test_effects_add_up_to_the_conversion_part(con, rules, as_of, many_leads, trained, monkeypatch, exact_rows) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(contributions, "EXACT_ROWS", exact_rows)
    rows = explained(con, many_leads(400), rules, trained, as_of)
    assert len(rows) == 400
    for row in rows:
        assert len(row["why"]) == 4 and row["why"][-1]["feature"] == "others"
        assert sum(why["effect"] for why in row["why"]) == pytest.approx(row["effect"], abs=0.26)  # five roundings
        strengths = [abs(why["effect"]) for why in row["why"][:-1]]
        assert strengths == sorted(strengths, reverse=True)


def test_the_fact_that_decides_is_named_first(con, rules, as_of, many_leads, trained) -> None:  # type: ignore[no-untyped-def]
    rows = explained(con, many_leads(400).filter("job_seniority = 'c_level'"), rules, trained, as_of)
    first = [row["why"][0] for row in rows]
    assert {why["feature"] for why in first} == {"job_seniority"}
    assert all(why["effect"] > 0 and why["text"] == "Seniority" for why in first)


def test_shares_are_those_of_the_probability(con, as_of, many_leads, trained) -> None:  # type: ignore[no-untyped-def]
    rows = feature_rows(con, many_leads(200), as_of).to_arrow_table()
    usual = trained.model.usual_prob
    prob = trained.model.probabilities(rows)
    points = 100 * prob * (1 - usual) / (prob * (1 - usual) + usual * (1 - prob))
    for is_exact in (True, False):
        shares = shares_of(trained.model, rows, is_exact)
        assert np.allclose(50 + shares.sum(axis=1), points, atol=0.02)


def test_no_lead_needs_no_words(con, rules, as_of, many_leads, trained) -> None:  # type: ignore[no-untyped-def]
    assert explained(con, many_leads(10).filter("false"), rules, trained, as_of) == []
