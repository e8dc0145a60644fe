"""``score_leads``: the parts add up, more activity never lowers, unknown is neutral, and reasons say why."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import SCORE_PARTS, SCORED_LEADS
from aiqleads_pipeline.rules.scoring import ScoringRules, load_scoring
from aiqleads_pipeline.stages.score import NOTHING_TO_JUDGE, score_leads

Row = dict[str, Any]


def score(
    con: DuckDBPyConnection, enriched: DuckDBPyRelation, rules: ScoringRules, as_of: datetime, **more: Any
) -> list[Row]:
    """The scored rows in the order of their ids."""
    scored = score_leads(con, enriched, rules, as_of=as_of, **{"method_reason": "no_model", **more}).order("lead_id")
    return [dict(zip(scored.columns, row, strict=True)) for row in scored.fetchall()]


def test_the_table_is_the_contracts(con, rules, as_of, many_leads) -> None:  # type: ignore[no-untyped-def]
    scored = score_leads(con, many_leads(10), rules, as_of=as_of, method_reason="no_model")
    wanted = {column.name: column.type for column in SCORED_LEADS.columns}
    assert dict(zip(scored.columns, map(str, scored.types), strict=True)) == wanted


def test_points_add_up_for_random_leads(con, rules, as_of, many_leads) -> None:  # type: ignore[no-untyped-def]
    leads = many_leads(5000)
    rows = score(con, leads, rules, as_of)
    weights_by_code = {"default": rules.scoring.weights.model_dump()}
    weights_by_code |= {segment.id: segment.weights.model_dump() for segment in rules.scoring.segments}
    means = {
        "quality": ("completeness", "freshness", "source_reliability", "engagement"),
        "fit": ("segment_fit", "budget_fit"),
        "interest": ("engagement", "intent", "freshness"),
    }
    assert {str(row["lead_id"]) for row in rows} == {str(row[0]) for row in leads.project("lead_id").fetchall()}
    assert len(rows) == 5000
    assert {row["weights_code"] for row in rows} == set(weights_by_code)
    for row in rows:
        weights = weights_by_code[row["weights_code"]]
        assert row["lead_score"] == pytest.approx(sum(row[f"{part}_points"] for part in SCORE_PARTS), abs=1e-9)
        assert 0 <= row["lead_score"] <= 100
        for part in SCORE_PARTS[:-1]:
            assert 0 <= row[f"{part}_score"] <= 100
            assert row[f"{part}_points"] == pytest.approx(weights[part] * row[f"{part}_score"], abs=0.00501)
        for name, parts in means.items():
            mean = sum(weights[p] * row[f"{p}_score"] for p in parts) / sum(weights[p] for p in parts)
            assert row[f"{name}_score"] == pytest.approx(mean, abs=0.00501)
    assert max(row["lead_score"] for row in rows) - min(row["lead_score"] for row in rows) > 30


def test_a_lead_of_which_nothing_is_known_is_neutral(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    (row,) = score(con, enrich({}), rules, as_of)
    neutral = rules.scoring.neutral.model_dump() | {"completeness": 0}
    assert {part: row[f"{part}_score"] for part in neutral} == neutral
    assert row["conversion_prob"] == rules.scoring.conversion.base_prob


@pytest.mark.parametrize(
    ("facts", "rung"),
    [
        ({}, "prior"),
        ({"email": "a@b.com", "full_name": "Ann B", "phone_e164": "+14155550100"}, "prior"),
        ({"page_views_count": 0}, "rules"),
        ({"budget_usd": 5.0}, "rules"),
        ({"country": "US"}, "rules"),
        ({"message": " "}, "prior"),
        ({"message": "hello"}, "rules"),
        ({"industry_code": "unknown"}, "prior"),
        ({"created_at": datetime(2026, 11, 1, tzinfo=UTC)}, "rules"),
    ],
    ids=["nothing", "contact", "tracked", "budget", "country", "blank", "message", "unknown_industry", "created"],
)
def test_every_lead_says_which_rung_served_and_why(con, rules, as_of, enrich, facts, rung) -> None:  # type: ignore[no-untyped-def]
    (row,) = score(con, enrich(facts), rules, as_of, method_reason="no_model: only 12 outcomes")
    assert (row["score_rung"], row["score_method"], row["degraded"]) == (rung, "rules", ["no_model"])
    told = "no_model: only 12 outcomes"
    assert row["score_method_reason"] == (told if rung == "rules" else f"{told}. {NOTHING_TO_JUDGE}")
    if rung == "prior":
        assert row["conversion_prob"] == rules.scoring.conversion.base_prob


def test_what_is_known_of_a_source_is_enough_for_rules(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    known = con.sql(
        "SELECT 'web' AS source, NULL::VARCHAR AS segment_code, 80.0::DOUBLE AS reliability_score, "
        "60.0::DOUBLE AS historical_score, 50 AS leads_count, 20 AS closed_count, 5 AS won_count"
    )
    rows = score(con, enrich({}, {"source": "fair"}), rules, as_of, reliability=known, method_reason="no_model")
    assert [row["score_rung"] for row in rows] == ["rules", "prior"]


def test_dates_lose_half_of_their_value_every_half_life(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    half_life = timedelta(days=rules.scoring.freshness.last_activity.half_life_days)
    leads = enrich(
        {"last_activity_at": as_of}, {"last_activity_at": as_of - half_life},
        {"last_activity_at": as_of - 2 * half_life},
        {"last_activity_at": as_of + half_life}, {"created_at": as_of - timedelta(days=60)},
        {"last_activity_at": as_of, "created_at": as_of - timedelta(days=60)},
    )  # fmt: skip
    scores = [row["freshness_score"] for row in score(con, leads, rules, as_of)]
    assert scores == [100, 50, 25, 100, 50, 80]  # the last one: 3 x 100 and 2 x 50 in five


def test_nothing_gets_fresher_by_waiting(con, rules, as_of, many_leads) -> None:  # type: ignore[no-untyped-def]
    leads = many_leads(500)
    now = score(con, leads, rules, as_of)
    later = score(con, leads, rules, as_of + timedelta(days=10))
    for early, late in zip(now, later, strict=True):
        assert late["freshness_score"] <= early["freshness_score"]
        assert late["engagement_score"] <= early["engagement_score"]
        assert late["lead_score"] <= early["lead_score"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("page_views_count", [None, 1, 2, 5, 19, 20, 500]),
        ("email_opens_count", [None, 1, 3, 10, 11]),
        ("form_submissions_count", [None, 1, 2, 3, 9]),
        ("page_views_count", [0, 1, 2]),
        ("days_since_activity", [400, 100, 10, 1, 0]),
    ],
)
def test_more_activity_never_lowers(con, rules, as_of, enrich, field, values) -> None:  # type: ignore[no-untyped-def]
    if field == "days_since_activity":
        steps = [{"last_activity_at": as_of - timedelta(days=days), "page_views_count": 3} for days in values]
    else:
        steps = [{field: value, "last_activity_at": as_of - timedelta(days=9)} for value in values]
    rows = score(con, enrich(*steps), rules, as_of)
    for less, more in pairwise(rows):
        for column in ("engagement_score", "intent_score", "freshness_score", "conversion_prob", "lead_score"):
            assert more[column] >= less[column], column
    assert rows[-1]["lead_score"] > rows[0]["lead_score"]


def test_activity_without_a_date_still_counts(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    untracked, idle, active = score(con, enrich({}, {"page_views_count": 0}, {"page_views_count": 8}), rules, as_of)
    assert [row["engagement_score"] for row in (untracked, idle)] == [rules.scoring.neutral.engagement, 0]
    assert active["engagement_score"] > rules.scoring.neutral.engagement


def test_a_lead_that_comes_again_shows_intent(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    leads = enrich(*({} for _ in range(5)))
    touches = con.sql(
        """SELECT lead_id AS existing_lead_id, row_number - 1 AS touches_count FROM leads WHERE row_number > 1"""
    )
    scores = [row["intent_score"] for row in score(con, leads, rules, as_of, touches=touches)]
    assert scores == [20, 30, 40, 50, 50]


@pytest.mark.parametrize(
    ("message", "points"),
    [
        ("Please send me your PRICING", 40), ("we want to buy", 40), ("I am a buyer of nothing", 5),
        ("buy\n this\tweek", 40),
        ("more  information please", 17), ("Bitte um ein Angebot", 40), ("cotización", 40),
        ("What is the price? Learn more", 52),
        ("Please unsubscribe", -20), ("   ", 0), ("UNSUBSCRIBE, I will never buy", 0),
    ],
)  # fmt: skip
def test_words_in_the_message_change_intent(con, rules, as_of, enrich, message, points) -> None:  # type: ignore[no-untyped-def]
    (row,) = score(con, enrich({"message": message}), rules, as_of)
    assert row["intent_score"] == 20 + points


def test_fit_is_the_weighted_mean_over_known_and_neutral_facts(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    ideal = {
        "industry_code": "51",
        "employee_band": "201-500",
        "country": "US",
        "job_seniority": "c_level",
        "job_function": "executive",
    }
    leads = enrich(ideal, {**ideal, "industry_code": "unknown"}, {**ideal, "country": "KZ"}, {"job_function": "other"})
    scores = [row["segment_fit_score"] for row in score(con, leads, rules, as_of)]
    # weights 3 + 3 + 2 + 2 + 2; executive 95, unknown 50, unlisted 25
    assert scores == [99.17, 86.67, 86.67, round((50 * 10 + 25 * 2) / 12, 2)]


def test_budget_fits_within_the_range_and_fades_outside(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    budgets = [None, 0, 5_000, 10_000, 250_000, 2_500_000, 25_000_000]
    rows = score(con, enrich(*({"budget_usd": budget} for budget in budgets)), rules, as_of)
    assert [row["budget_fit_score"] for row in rows] == [50, 0, 50, 100, 100, 60, 60]


def test_reasons_are_the_strongest_parts_in_words(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    lead = {
        "last_activity_at": as_of - timedelta(days=2, hours=3), "page_views_count": 1, "form_submissions_count": 2,
        "email": "a@b.com", "email_kind": "business", "budget_usd": 1_200, "message": "Need a demo",
        "job_seniority": "junior",
    }  # fmt: skip
    (row,) = score(con, enrich(lead), rules, as_of)
    assert json.loads(row["reasons"]) == [
        {
            "part": "intent",
            "points": 12.04,
            "effect": 9.2,
            "text": "Message asks about buying, 2 forms sent, Names a budget",
        },
        {"part": "freshness", "points": 9.0, "effect": 4.0, "text": "Active 2 days ago"},
        {
            "part": "completeness",
            "points": 2.14,
            "effect": -3.9,
            "text": "Missing: valid phone, name, company, job title, industry, company size, country",
        },
        {"part": "budget_fit", "points": 1.2, "effect": -3.8, "text": "Budget of $1200 is small"},
        {"part": "others", "points": 29.83, "effect": 5.4, "text": "All else"},
    ]


@pytest.mark.parametrize(("all_reasons", "told"), [(False, 4), (True, 9)], ids=["strongest", "all"])
def test_reasons_add_up_to_the_score(con, rules, as_of, many_leads, all_reasons, told) -> None:  # type: ignore[no-untyped-def]
    weights = {"default": rules.scoring.weights} | {s.id: s.weights for s in rules.scoring.segments}
    neutral = rules.scoring.neutral.model_dump() | {"conversion": 50}
    usual = {
        code: sum(share * neutral[part] for part, share in shares.model_dump().items())
        for code, shares in weights.items()
    }
    for row in score(con, many_leads(2000), rules, as_of, all_reasons=all_reasons):
        reasons = json.loads(row["reasons"])
        strongest = [reason for reason in reasons if reason["part"] != "others"]
        assert len({reason["part"] for reason in strongest}) == told
        assert len(reasons) == told + (not all_reasons)
        effects = [abs(reason["effect"]) for reason in strongest]
        assert effects == sorted(effects, reverse=True)
        for reason in strongest:
            assert reason["points"] == pytest.approx(row[f"{reason['part']}_points"], abs=1e-9)
        assert all(reason["text"] for reason in reasons)
        assert sum(reason["points"] for reason in reasons) == pytest.approx(row["lead_score"], abs=1e-6)
        from_usual = usual[row["weights_code"]] + sum(reason["effect"] for reason in reasons)
        assert from_usual == pytest.approx(row["lead_score"], abs=0.055 * len(reasons))


def test_the_first_segment_of_a_lead_says_the_weights(con, rules_dir, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    file = rules_dir / "scoring.yaml"
    even = "{completeness: 0.2, freshness: 0.1, source_reliability: 0.1, engagement: 0.1, segment_fit: 0.1, "
    even += "budget_fit: 0.1, intent: 0.1, historical: 0.1, conversion: 0.1}"
    asked = {
        "fairs_of_us_software": 'industries: ["51"], countries: [US], sources: [fair]',
        "software": "industries: [51]",
        "fairs": "sources: [fair, expo]",
        "farms": 'industries: ["11"]',
    }
    lines = "".join(f"  - {{id: {name}, {lists}, weights: {even}}}\n" for name, lists in asked.items())
    text = file.read_text(encoding="utf-8")
    at = text.index("segments:\n") + len("segments:\n")
    file.write_text(text[:at] + lines + text[at:], encoding="utf-8")
    leads = enrich(
        {"industry_code": "51", "country": "US", "source": "fair"}, {"industry_code": "51", "source": "fair"},
        {"source": "expo", "employee_band": "10001+"}, {"industry_code": "11"}, {"employee_band": "10001+"},
        {"industry_code": "52", "source": "web"}, {},
    )  # fmt: skip
    rows = score(con, leads, load_scoring(rules_dir), as_of)
    assert [row["weights_code"] for row in rows] == [
        "fairs_of_us_software", "software", "fairs", "farms", "enterprise", "default", "default",
    ]  # fmt: skip
    assert rows[0]["completeness_points"] == pytest.approx(0.2 * rows[0]["completeness_score"], abs=0.00501)
    assert rows[6]["completeness_points"] == pytest.approx(0.1 * rows[6]["completeness_score"], abs=0.00501)


def test_rules_say_why_they_scored(con, rules, as_of, enrich) -> None:  # type: ignore[no-untyped-def]
    leads = enrich({"degraded": ["enrichment_failed"], "country": "US"})
    (row,) = score(con, leads, rules, as_of, method_reason="no_model: only 12 outcomes")
    assert (row["score_method"], row["model_version"]) == ("rules", None)
    assert row["score_method_reason"] == "no_model: only 12 outcomes"
    assert row["degraded"] == ["enrichment_failed", "no_model"]
    (row,) = score(con, leads, rules, as_of, method_reason="scoring_disabled")
    assert row["score_method_reason"] == "scoring_disabled: Scoring by model is switched off."
    with pytest.raises(ValueError, match="no_model, model_failed, scoring_disabled"):
        score(con, leads, rules, as_of, method_reason=None)


def test_scoring_by_rules_does_not_load_the_model_library() -> None:
    modules = "aiqleads_pipeline.stages.score, aiqleads_pipeline.stages.conversion"
    program = f"import sys, {modules}; print('xgboost' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
