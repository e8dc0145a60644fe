"""``priorities.yaml``: rows that can never decide are refused, and so is a table that leaves leads undecided."""

from __future__ import annotations

import pytest

from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.priorities import load_priorities

SIZES = """\
size_segments:
  micro: {employees: 0, revenue_usd: 0}
  small: {employees: 10, revenue_usd: 10}
  mid_market: {employees: 20, revenue_usd: 20}
  enterprise: {employees: 30, revenue_usd: 30}
rows:
"""
REST = "  - {id: rest, priority: P4}\n"


def faults(write_rules, text: str) -> list[str]:  # type: ignore[no-untyped-def]
    with pytest.raises(RulesError) as caught:
        load_priorities(write_rules("priorities.yaml", text))
    return str(caught.value).splitlines()


def test_the_delivered_table_loads_and_ends_with_a_catch_all(delivered_rules) -> None:  # type: ignore[no-untyped-def]
    rules = load_priorities(delivered_rules)
    assert {row.priority for row in rules.rows} == {"P1", "P2", "P3", "P4"}
    assert rules.rows[-1].when.given == {}


@pytest.mark.parametrize(
    ("early", "late", "is_refused"),
    [
        ("{lead_score: {at_least: 60}}", "{lead_score: {at_least: 70}}", True),
        ("{lead_score: {at_least: 60}}", "{lead_score: {at_least: 60, below: 65}}", True),
        ("{lead_score: {at_least: 70}}", "{lead_score: {at_least: 60}}", False),
        ("{lead_score: {below: 50}}", "{lead_score: {below: 60}}", False),
        ("{lead_score: {at_least: 60}}", "{lead_score: {at_least: 70}, country: [US]}", True),
        ("{lead_score: {at_least: 60}, country: [US]}", "{lead_score: {at_least: 70}}", False),
        ("{country: [US, CA]}", "{country: [CA]}", True),
        ("{country: [US]}", "{country: [US, CA]}", False),
        ("{}", "{country: [US]}", True),
    ],
)
def test_a_row_that_an_earlier_one_covers_is_refused(write_rules, early: str, late: str, is_refused: bool) -> None:  # type: ignore[no-untyped-def]
    text = (
        f"{SIZES}  - {{id: early, when: {early}, priority: P1}}\n  - {{id: late, when: {late}, priority: P2}}\n{REST}"
    )
    if is_refused:
        wanted = "priorities.yaml:8: row 'late' is unreachable: row 'early' above already decides all its leads"
        assert wanted in faults(write_rules, text)
    else:
        assert [row.id for row in load_priorities(write_rules("priorities.yaml", text)).rows] == [
            "early",
            "late",
            "rest",
        ]


def test_a_table_without_a_catch_all_is_refused(write_rules) -> None:  # type: ignore[no-untyped-def]
    text = f"{SIZES}  - {{id: hot, when: {{lead_score: {{at_least: 60}}}}, priority: P1}}\n"
    assert faults(write_rules, text) == [
        "priorities.yaml:7: the last row 'hot' must hold for every lead: leave its `when` out"
    ]


def test_every_fault_is_told_at_once_with_its_line(write_rules) -> None:  # type: ignore[no-untyped-def]
    text = SIZES.replace("employees: 20", "employees: 5") + (
        "  - {id: a, when: {lead_score: {at_least: 70, below: 60}}, priority: P1}\n"
        "  - {id: b, when: {conversion_prob: {}}, priority: P1}\n"
        "  - {id: b, when: {job_seniority: [boss]}, priority: P2}\n"
        "  - {id: c, when: {country: [UK], source: []}, priority: P2}\n" + REST
    )
    assert faults(write_rules, text) == [
        "priorities.yaml:4: size_segments: mid_market must ask for more employees than small",
        "priorities.yaml:7: lead_score: no value is at least 70 and below 60",
        "priorities.yaml:8: conversion_prob: give at_least or below",
        "priorities.yaml:9: row 'b' is given twice",
        "priorities.yaml:9: job_seniority: 'boss' is unknown; "
        "legal is c_level, director, junior, manager, senior, staff, vp",
        "priorities.yaml:10: country: 'UK' is unknown; legal is ISO 3166-1 alpha-2",
        "priorities.yaml:10: source: an empty list holds for no lead",
    ]


def test_misspelt_names_are_told_with_their_line(write_rules) -> None:  # type: ignore[no-untyped-def]
    text = f"{SIZES}  - {{id: a, when: {{leadscore: {{at_least: 7}}}}, priority: P5}}\n{REST}"
    assert faults(write_rules, text) == [
        "priorities.yaml:7: rows.0.when.leadscore: Extra inputs are not permitted",
        "priorities.yaml:7: rows.0.priority: Input should be 'P1', 'P2', 'P3' or 'P4'",
    ]
