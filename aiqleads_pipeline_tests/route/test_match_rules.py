"""Which rule takes a lead: a truth table by hand, and the same answer as asking rule by rule in Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_world import A_LEAD, make_world

TEAMS = """
owners: [{id: ana, name: Ana, email: ana@example.com}]
teams: [{id: smb, name: Small, members: [ana]}]
"""


def matched(con: duckdb.DuckDBPyConnection, folder: Path, rules: list[dict[str, Any]], leads: list[Any]) -> list[str]:
    """The rule of each lead. JSON is YAML, so the rules are written as such."""
    named = [{"id": f"r{i}", "team": "smb", "when": when} for i, when in enumerate(rules)]
    text = json.dumps({"rules": [*named, {"id": "rest", "team": "smb"}]})
    routed = make_world(con, folder, TEAMS, text).route(leads)
    return [rule for (rule,) in routed.routed.order("lead_id").select("rule_id").fetchall()]


@pytest.mark.parametrize(
    ("when", "fits", "fits_not"),
    [
        ({"priority": "P1"}, {"priority": "P1"}, {"priority": "P2"}),
        ({"territory": ["emea", "apac"]}, {"territory": "apac"}, {"territory": "latam"}),
        ({"country": "US"}, {"country": "US"}, {"country": None}),
        ({"region": "US-CA"}, {"region": "US-CA"}, {"region": "California"}),
        ({"industry_code": [51, "unknown"]}, {"industry_code": "51"}, {"industry_code": "52"}),
        ({"size_segment": "enterprise"}, {"size_segment": "enterprise"}, {"size_segment": "unknown"}),
        ({"source": "web"}, {"source": "web"}, {"source": "Web"}),
        ({"source_channel": "api"}, {"source_channel": "api"}, {"source_channel": "upload"}),
        ({"product_interest": "Annual Plan"}, {"product_interest": " annual  PLAN "}, {"product_interest": "annual"}),
        ({"email_kind": "role"}, {"email_kind": "role"}, {"email_kind": None}),
        ({"min_lead_score": 70}, {"lead_score": 70.0}, {"lead_score": 69.99}),
        ({"min_lead_score": 0, "priority": "P1"}, {"lead_score": 0.0, "priority": "P1"}, {"priority": "P2"}),
        ({"max_lead_score": 70}, {"lead_score": 70.0}, {"lead_score": 70.01}),
        ({"min_lead_score": 60, "max_lead_score": 70}, {"lead_score": 65.0}, {"lead_score": 59.0}),
        ({"priority": "P1", "country": "US"}, {"priority": "P1", "country": "US"}, {"priority": "P1"}),
    ],
)
def test_truth_table(
    con: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    when: dict[str, Any],
    fits: dict[str, Any],
    fits_not: dict[str, Any],
) -> None:
    assert matched(con, tmp_path, [when], [fits, fits_not]) == ["r0", "rest"]


def test_the_first_that_matches_decides(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [{"priority": "P1", "country": "US"}, {"country": "US"}, {"priority": ["P1", "P2"]}]
    leads = [
        {"priority": "P1", "country": "US"}, {"priority": "P2", "country": "US"}, {"priority": "P1", "country": "DE"},
        {"priority": "P3", "country": "DE"}, {"priority": "P4", "country": None},
    ]  # fmt: skip
    assert matched(con, tmp_path, rules, leads) == ["r0", "r1", "r2", "rest", "rest"]


CHOICES: dict[str, list[Any]] = {
    "priority": ["P1", "P2"],
    "territory": ["emea", "apac"],
    "country": ["US", "DE"],
    "size_segment": ["small", "enterprise"],
    "email_kind": ["business", "free"],
}
SCORES = st.sampled_from([0.0, 30.0, 50.0, 70.0, 100.0])
WHENS = st.builds(
    lambda listed, low, high: {
        **{name: values for name, values in listed.items() if values},
        **({} if low is None else {"min_lead_score": low}),
        **({} if high is None or high < (low or 0) else {"max_lead_score": high}),
    },
    st.fixed_dictionaries({n: st.lists(st.sampled_from(v), unique=True, max_size=1) for n, v in CHOICES.items()}),
    st.none() | SCORES,
    st.none() | SCORES,
)
LEADS = st.fixed_dictionaries(
    {
        **{
            name: st.sampled_from([*values, "P3" if name == "priority" else "unknown"])
            for name, values in CHOICES.items()
        },
        "lead_score": SCORES | st.floats(0, 100),
    }
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WHENS.filter(bool), max_size=5), st.lists(LEADS, min_size=1, max_size=30))
def test_sql_and_a_plain_reading_of_the_rules_agree(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, whens: list[dict[str, Any]], leads: list[dict[str, Any]]
) -> None:
    def fits(when: dict[str, Any], lead: dict[str, Any]) -> bool:
        low, high = when.get("min_lead_score", 0), when.get("max_lead_score", 100)
        return low <= lead["lead_score"] <= high and all(lead[name] in when.get(name, [lead[name]]) for name in CHOICES)

    rules = _reachable(whens)
    leads = [{**A_LEAD, **lead} for lead in leads]
    expected = [next((f"r{i}" for i, when in enumerate(rules) if fits(when, lead)), "rest") for lead in leads]
    assert matched(con, tmp_path, rules, leads) == expected


def _reachable(whens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules that the loader accepts: none is covered by an earlier one."""
    from aiqleads_pipeline.rules.routing import When

    kept: list[dict[str, Any]] = []
    for when in whens:
        if not any(When.model_validate(earlier).covers(When.model_validate(when)) for earlier in kept):
            kept.append(when)
    return kept if not any(When.model_validate(when).covers(When()) for when in kept) else []
