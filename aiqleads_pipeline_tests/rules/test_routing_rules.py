"""What routing.yaml may say and may not, each fault with its line, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.routing import RoutingRules, When, load_routing, name_faults


def load(folder: Path, text: str) -> RoutingRules:
    (folder / "routing.yaml").write_text(text, encoding="utf-8")
    return load_routing(folder)


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        load(folder, text)
    return str(caught.value).splitlines()


def test_one_value_is_a_list_of_one_and_texts_are_told_in_words(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """
rules:
  - id: first
    when:
      country: [NO, GB]
      industry_code: [51, 31-33]
      priority: P1
      product_interest: "  Annual   PLAN "
      min_lead_score: 70
      max_lead_score: 92.5
    team: smb
  - {id: rest, team: review}
""",
    )
    first, rest = rules.rules
    assert first.when.country == ("NO", "GB")
    assert first.when.industry_code == ("51", "31-33")
    assert first.when.in_words() == (
        "priority is P1 and country is NO or GB and industry_code is 51 or 31-33 and product_interest is annual plan "
        "and lead_score is at least 70 and lead_score is at most 92.5"
    )
    assert (rest.when.in_words(), rest.is_review, rest.review_code) == ("every lead", True, "no_rule")


def test_the_sla_is_the_rules_then_the_files_then_the_default(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """
sla: {P2: 30 min}
rules:
  - {id: hot, when: {priority: [P1, P2, P3]}, team: smb, sla: {P1: 90 min, P3: 2 d}}
  - {id: rest, team: smb}
""",
    )
    hot, rest = rules.rules
    assert [rules.sla_minutes(hot, p) for p in ("P1", "P2", "P3", "P4")] == [90, 30, 2880, 4320]
    assert [rules.sla_minutes(rest, p) for p in ("P1", "P2", "P3", "P4")] == [5, 30, 480, 4320]


def test_a_rule_that_an_earlier_one_covers_can_not_be_reached(tmp_path: Path) -> None:
    assert faults(
        tmp_path,
        """rules:
  - {id: west, when: {territory: [us_west, us_east]}, team: smb}
  - {id: hot, when: {min_lead_score: 80}, team: smb}
  - {id: west_hot, when: {territory: us_west, priority: P1}, team: smb}
  - id: hotter
    when: {min_lead_score: 90, country: US}
    team: smb
  - {id: wider, when: {territory: [us_west, emea]}, team: smb}
  - {id: rest, team: smb}
  - {id: after, when: {priority: P4}, team: smb}
  - {id: rest, team: smb}
""",
    ) == [
        "routing.yaml:4: rule 'west_hot' can't be reached: 'west' in line 2 takes every lead that it matches",
        "routing.yaml:5: rule 'hotter' can't be reached: 'hot' in line 3 takes every lead that it matches",
        "routing.yaml:10: rule 'after' can't be reached: 'rest' in line 9 takes every lead that it matches",
        "routing.yaml:11: rule 'rest' is there already, in line 9",
        "routing.yaml:11: rule 'rest' can't be reached: 'rest' in line 9 takes every lead that it matches",
    ]


def test_a_list_without_a_catch_all_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, "rules:\n  - {id: a, when: {priority: P1}, team: smb}\n") == [
        "routing.yaml:2: the last rule, 'a', must match every lead: give it no `when` (its team may be 'review')"
    ]


@pytest.mark.parametrize(
    ("condition", "what"),
    [
        ("priority: P9", "unknown priority 'P9'; there is P1, P2, P3, P4"),
        ("priority: []", "at least 1 item"),
        ("country: UK", "unknown country (ISO 3166-1 alpha-2) 'UK'"),
        ("country: [GB, gb]", "unknown country (ISO 3166-1 alpha-2) 'gb'"),
        ("region: California", "match pattern"),
        ("industry_code: 31", "unknown industry_code '31'"),
        ("size_segment: entreprise", "unknown size_segment 'entreprise'; did you mean 'enterprise'?"),
        ("source_channel: fax", "unknown source_channel 'fax'; there is upload, webhook, api, scrape"),
        ("email_kind: busines", "unknown email_kind 'busines'; did you mean 'business'?"),
        ("min_lead_score: 101", "less than or equal to 100"),
        ("min_lead_score: 50\n      max_lead_score: 49", "no score is at least min_lead_score and at most"),
        ("territorry: emea", "Extra inputs are not permitted"),
        ("product_interest: ''", "at least 1 character"),
    ],
)
def test_values_that_no_lead_can_have_are_refused(tmp_path: Path, condition: str, what: str) -> None:
    text = f"rules:\n  - id: a\n    team: smb\n    when:\n      {condition}\n  - {{id: rest, team: smb}}\n"
    [fault] = faults(tmp_path, text)
    assert fault.split(":")[:2] == ["routing.yaml", "5" if "max_lead" not in condition else "4"]
    assert what in fault


@pytest.mark.parametrize(
    "sla", ["{P1: 5}", "{P1: 0 min}", "{P1: 5 minutes}", "{P5: 5 min}", "{P1: -1 h}", "{P1: 400 d}"]
)
def test_an_sla_that_is_no_time_is_refused(tmp_path: Path, sla: str) -> None:
    [fault] = faults(tmp_path, f"rules:\n  - id: rest\n    team: smb\n    sla: {sla}\n")
    assert fault.startswith("routing.yaml:4: rules.0.sla.P")


def test_names_of_other_files_are_checked_with_their_line(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """rules:
  - id: a
    when:
      territory:
        - emea
        - amea
      source: never_heard_of
    team: smbb
  - {id: rest, team: review}
""",
    )
    assert name_faults(rules, ["smb"], ["emea", "apac"]) == [
        "routing.yaml:8: rule 'a': unknown team 'smbb'; did you mean 'smb'?",
        "routing.yaml:6: rule 'a': unknown territory 'amea'; did you mean 'emea'?",
    ]
    assert name_faults(rules, ["smbb"], None) == []


@pytest.mark.parametrize(
    ("earlier", "later", "covers"),
    [
        ({}, {}, True),
        ({}, {"priority": "P1"}, True),
        ({"priority": "P1"}, {}, False),
        ({"priority": ["P1", "P2"]}, {"priority": "P1"}, True),
        ({"priority": "P1"}, {"priority": ["P1", "P2"]}, False),
        ({"priority": "P1"}, {"country": "US"}, False),
        ({"priority": "P1"}, {"country": "US", "priority": "P1"}, True),
        ({"min_lead_score": 50}, {"min_lead_score": 50}, True),
        ({"min_lead_score": 50}, {"min_lead_score": 49.5}, False),
        ({"min_lead_score": 50}, {}, False),
        ({"max_lead_score": 50}, {"max_lead_score": 40}, True),
        ({"max_lead_score": 50}, {}, False),
        ({"max_lead_score": 50}, {"min_lead_score": 40}, False),
        ({"min_lead_score": 10, "max_lead_score": 50}, {"min_lead_score": 20, "max_lead_score": 30}, True),
        ({"max_lead_score": 100}, {}, True),
        ({"min_lead_score": 0}, {"priority": "P1"}, True),
    ],
)
def test_what_covers_what(earlier: dict[str, object], later: dict[str, object], covers: bool) -> None:
    assert When.model_validate(earlier).covers(When.model_validate(later)) is covers
