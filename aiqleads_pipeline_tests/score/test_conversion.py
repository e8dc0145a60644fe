"""The conversion model: it learns what there is to learn, and nothing where there is nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.conversion import ConversionModel, TrainedModel, Unsound, feature_rows, train
from aiqleads_pipeline.stages.conversion.by_rules import rules_probabilities
from aiqleads_pipeline.stages.conversion.features import CATEGORIES, FEATURES, matrix
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.learning.measures import auc, brier, calibration_error, fit_platt
from aiqleads_pipeline.stages.score import score_leads

ROWS = 4000
WON_BY_FACTS = (
    "0.05 + 0.4 * coalesce(job_seniority = 'c_level', false)::INT + 0.01 * least(coalesce(page_views_count, 0), 30)"
)
WON_BY_CHANCE = "0.3"


def closed_leads(con: DuckDBPyConnection, leads: DuckDBPyRelation, chance: str) -> DuckDBPyRelation:
    """The leads with ``result`` and ``closed_at``; each is won with the chance."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE closed AS
        SELECT *, received_at + to_hours(1 + (hash(lead_id) % 2000)::INT) AS closed_at,
            CASE WHEN hash(lead_id, 'dice') % 1000 / 1000 < coalesce({chance}, 0.05) THEN 'won'
                 WHEN row_number % 9 = 0 THEN 'returned' ELSE 'lost' END AS result
        FROM leads""")  # leads: the argument
    return con.table("closed")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, random_leads: Any) -> TrainedModel:
    """A model that found the facts which decide."""
    with open_engine(Settings(HOME=tmp_path_factory.mktemp("home"))) as con:
        found = train(con, closed_leads(con, random_leads(con, ROWS), WON_BY_FACTS), seed=7)
    assert isinstance(found, TrainedModel), found
    return found


def test_a_sound_model_ranks_and_is_calibrated(trained: TrainedModel) -> None:
    metrics = trained.metrics
    assert metrics["outcomes_count"] == ROWS
    assert metrics["auc"] > metrics["auc_lower_bound"] > 0.6
    assert metrics["brier"] < metrics["brier_of_usual_prob"]
    assert metrics["calibration_error"] < 0.08
    assert trained.document["version"] == trained.version == trained.model.version
    assert json.loads(json.dumps(trained.document, allow_nan=False)) == trained.document
    assert {"features", "categories", "calibration", "metrics", "training_window", "library_versions"} <= set(
        trained.document
    )


def test_the_same_outcomes_in_another_order_give_the_same_model(con, many_leads, trained) -> None:  # type: ignore[no-untyped-def]
    shuffled = closed_leads(con, many_leads(ROWS), WON_BY_FACTS).order("hash(lead_id, 'shuffle')")
    again = train(con, shuffled, seed=7)
    assert isinstance(again, TrainedModel)
    assert again.version == trained.version


def test_outcomes_by_chance_give_no_model(con, many_leads) -> None:  # type: ignore[no-untyped-def]
    found = train(con, closed_leads(con, many_leads(ROWS), WON_BY_CHANCE), seed=7)
    assert isinstance(found, Unsound)
    assert "nothing ranks better than chance" in found.reason
    assert found.metrics["auc"] < 0.6


@pytest.mark.parametrize(
    ("count", "chance", "reason"),
    [
        (0, "0.5", "0 outcomes; at least 200 are needed"),
        (199, "0.5", "199 outcomes; at least 200 are needed"),
        (400, "0", "0 won and 400 not; at least 30 of each are needed"),
        (400, "1", "400 won and 0 not; at least 30 of each are needed"),
    ],
)
def test_too_little_to_learn_from_is_told_in_words(con, many_leads, count, chance, reason) -> None:  # type: ignore[no-untyped-def]
    found = train(con, closed_leads(con, many_leads(count), chance))
    assert isinstance(found, Unsound)
    assert found.reason == reason


def test_won_leads_that_all_closed_first_give_no_model(con, many_leads) -> None:  # type: ignore[no-untyped-def]
    leads = closed_leads(con, many_leads(1000), "0.5")
    blocks = leads.project(
        "* REPLACE (CASE WHEN result = 'won' THEN closed_at - to_years(5) ELSE closed_at END AS closed_at)"
    )
    found = train(con, blocks)
    assert isinstance(found, Unsound)
    assert "blocks" in found.reason


def test_every_lead_gets_its_own_probability(con, many_leads, trained, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    leads = many_leads(1500)
    together = dict(trained.model.predict(con, leads.order("hash(lead_id)"), as_of).fetchall())
    assert len(together) == 1500
    assert len(set(together.values())) > 50
    for (lead_id,) in leads.limit(20).project("lead_id").fetchall():
        alone = trained.model.predict(con, leads.filter(f"lead_id = '{lead_id}'"), as_of).fetchall()
        assert alone == [(lead_id, together[lead_id])]
    assert trained.model.predict(con, leads.limit(0), as_of).fetchall() == []


def test_a_stored_model_answers_as_the_trained_one(con, many_leads, trained, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    leads = many_leads(300)
    stored = ConversionModel.load(json.loads(json.dumps(trained.document)))
    before = sorted(trained.model.predict(con, leads, as_of).fetchall())
    assert sorted(stored.predict(con, leads, as_of).fetchall()) == before


def test_more_activity_never_lowers_the_probability(con, enrich, trained, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    for field in ("page_views_count", "email_opens_count", "form_submissions_count"):
        leads = enrich(*({field: count, "job_seniority": "staff", "country": "US"} for count in range(40)))
        answers = [row[1] for row in trained.model.predict(con, leads, as_of).order("lead_id").fetchall()]
        assert all(less <= more for less, more in pairwise(answers)), field
    recent = enrich(*({"last_activity_at": as_of - timedelta(days=days)} for days in range(200, -1, -5)))
    answers = [row[1] for row in trained.model.predict(con, recent, as_of).order("lead_id").fetchall()]
    assert all(less <= more for less, more in pairwise(answers))


def test_true_and_zero_are_known_and_null_is_not(con, enrich, trained, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    leads = enrich(
        {"phone_e164": "+14155550100", "page_views_count": 0, "consent": True, "source": "web"},
        {"page_views_count": 1, "consent": False, "source": "never seen"},
        {},
    )
    rows = feature_rows(con, leads, as_of).order("lead_id").to_arrow_table()
    values = matrix(rows, FEATURES, trained.document["categories"])
    seen = {name: values[:, FEATURES.index(name)].tolist() for name in ("has_phone", "page_views_count", "is_consent")}
    assert seen["has_phone"] == [1, 0, 0]
    assert seen["page_views_count"][:2] == [0, 1]
    assert seen["is_consent"][:2] == [1, 0]
    assert np.isnan([seen["page_views_count"][2], seen["is_consent"][2]]).all()
    sources = values[:, FEATURES.index("source")]
    assert sources[0] == trained.document["categories"]["source"].index("web")
    assert np.isnan(sources[1])


def test_what_came_after_the_outcome_is_not_learnt_from(con, enrich, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    fact = {"page_views_count": 9, "last_activity_at": as_of - timedelta(days=1), "job_seniority": "vp"}
    closed = enrich(fact, fact).project("""
        *, 'won' AS result, received_at + to_days(CASE row_number WHEN 1 THEN 3 ELSE -3 END) AS closed_at""")
    columns = "page_views_count, activity_days, job_seniority"
    rows = feature_rows(con, closed, None).order("lead_id").project(columns).fetchall()
    assert rows == [(9, 1, "vp"), (None, None, "vp")]


def test_ages_in_training_count_to_the_day_of_receipt(con, enrich, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    lead = {"received_at": as_of - timedelta(days=100), "last_activity_at": as_of - timedelta(days=103)}
    leads = enrich(lead)
    assert feature_rows(con, leads, None).project("activity_days").fetchall() == [(3,)]
    assert feature_rows(con, leads, as_of).project("activity_days").fetchall() == [(103,)]


def scored(
    con: DuckDBPyConnection, leads: DuckDBPyRelation, rules: Any, as_of: datetime, model: ConversionModel
) -> list[dict[str, Any]]:
    relation = score_leads(con, leads, rules, as_of=as_of, model=model).order("lead_id")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def test_the_model_gives_the_probability_and_its_points(con, many_leads, rules, trained, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    leads = many_leads(200)
    answers = dict(trained.model.predict(con, leads, as_of).fetchall())
    usual = trained.metrics["usual_prob"]
    for row in scored(con, leads, rules, as_of, trained.model):
        prob = row["conversion_prob"]
        assert prob == answers[row["lead_id"]]
        assert (row["score_method"], row["model_version"], row["score_method_reason"]) == (
            "model",
            trained.version,
            None,
        )
        assert (row["degraded"], row["score_rung"]) == ([], "model")
        odds, usual_odds = prob / (1 - prob), usual / (1 - usual)
        score = 100 * odds / (odds + usual_odds)
        assert row["conversion_points"] == pytest.approx(rules.scoring.weights.conversion * score, abs=0.006)


@pytest.mark.parametrize(
    "broken", [{"format": 99}, {"features": ["left_over"]}, {"calibration": {"slope": float("nan"), "intercept": 0.0}}]
)
def test_when_the_model_fails_rules_score_and_say_so(con, many_leads, rules, trained, as_of, broken) -> None:  # type: ignore[no-untyped-def]
    model = replace(trained.model, document={**trained.document, **broken})
    rows = scored(con, many_leads(5), rules, as_of, model)
    assert {row["score_method"] for row in rows} == {"rules"}
    assert all(row["degraded"] == ["model_failed"] for row in rows)
    assert rows[0]["score_method_reason"] == f"model_failed: {trained.version} raised ModelUnusable"


def test_a_lead_that_the_model_does_not_answer_is_scored_by_the_rung_below(con, enrich, rules, trained, as_of) -> None:  # type: ignore[no-untyped-def]
    class Silent(ConversionModel):
        def predict(self, con, leads, as_of):  # type: ignore[no-untyped-def]
            return super().predict(con, leads, as_of).filter("conversion_prob > 2")

    rows = scored(con, enrich({"country": "US"}, {}), rules, as_of, Silent(trained.document))
    assert [row["score_rung"] for row in rows] == ["rules", "prior"]
    assert rows[0]["score_method_reason"] == "model_failed: the model gave no answer for this lead"
    assert rows[1]["score_method_reason"].startswith("model_failed: the model gave no answer for this lead. Nor do")
    assert rows[1]["conversion_prob"] == pytest.approx(trained.document["usual_prob"], abs=1e-6)
    assert [row["degraded"] for row in rows] == [["model_failed"]] * 2


def test_measures_are_those_of_the_textbook() -> None:
    answers = np.array([0.1, 0.4, 0.35, 0.8])
    won = np.array([False, False, True, True])
    assert auc(answers, won) == 0.75
    assert auc(np.zeros(4), won) == 0.5
    assert np.isnan(auc(answers, np.ones(4, dtype=bool)))
    assert brier(answers, won) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert calibration_error(np.array([0.5] * 4), won, bins=1) == 0


def test_platt_finds_the_logistic_that_made_the_outcomes() -> None:
    random = np.random.default_rng(3)
    margins = random.normal(size=20_000)
    won = random.random(20_000) < 1 / (1 + np.exp(-(2 * margins - 1)))
    slope, intercept = fit_platt(margins, won)
    assert (slope, intercept) == (pytest.approx(2, abs=0.1), pytest.approx(-1, abs=0.1))


def test_categories_and_numbers_are_told_apart() -> None:
    assert set(CATEGORIES) <= set(FEATURES)
    assert len(set(FEATURES)) == len(FEATURES)


def test_the_rules_are_a_baseline_on_the_same_split(con, many_leads, rules) -> None:  # type: ignore[no-untyped-def]
    found = train(con, closed_leads(con, many_leads(ROWS), WON_BY_FACTS), seed=7, rules=rules)
    assert isinstance(found, TrainedModel), found
    for split in found.document["splits"].values():
        assert {"prior", "rules", "naive_bayes", "logistic", "xgboost"} <= set(split)
    assert 0.5 < found.metrics["auc_of_rules"] < found.metrics["auc"]  # seniority and activity count for rules too
    assert "scoring rules" in found.page


def test_rules_score_closed_leads_as_on_the_day_they_came(con, enrich, rules, as_of: datetime) -> None:  # type: ignore[no-untyped-def]
    came = as_of - timedelta(days=300)
    facts = {"email": "a@b.com", "page_views_count": 30}
    leads = enrich(
        {**facts, "received_at": came, "last_activity_at": came - timedelta(days=2)},
        {**facts, "received_at": as_of, "last_activity_at": as_of - timedelta(days=2)},
        {**facts, "received_at": as_of},  # closed before it came: its activity is not known yet
    )
    closed = leads.project(
        "*, 'won' AS result, received_at + CASE row_number WHEN 3 THEN -1 ELSE 1 END * INTERVAL 1 DAY AS closed_at"
    )
    ids = closed.project("lead_id").to_arrow_table()["lead_id"]
    early, late, after = rules_probabilities(con, closed, ids, rules, border=3)
    lead = leads.filter("row_number = 2")
    now = score_leads(con, lead, rules, as_of=as_of, method_reason="no_model").project("conversion_prob").fetchall()
    assert early == late == now[0][0]
    assert after < late


def test_no_lead_is_ruled_by_its_own_outcome(con, many_leads, rules) -> None:  # type: ignore[no-untyped-def]
    closed = closed_leads(con, many_leads(400), WON_BY_CHANCE)
    ids = closed.project("lead_id").to_arrow_table()["lead_id"]
    told = rules_probabilities(con, closed, ids, rules, border=320)
    by_source = "CASE WHEN source = 'web' THEN 'won' ELSE 'lost' END AS result"
    known = {str(lead) for lead in ids.slice(320).to_pylist()}
    listed = ", ".join(f"'{lead}'" for lead in sorted(known))
    result = f"CASE WHEN lead_id::VARCHAR IN ({listed}) THEN 'won' ELSE result END AS result"
    latest = closed.project(f"* EXCLUDE (result), {result}")
    assert (rules_probabilities(con, latest, ids, rules, border=320) == told).all()
    learnt = rules_probabilities(con, closed.project(f"* EXCLUDE (result), {by_source}"), ids, rules, border=320)
    assert (learnt[:320] == told[:320]).all()
    assert (learnt[320:] != told[320:]).any()
