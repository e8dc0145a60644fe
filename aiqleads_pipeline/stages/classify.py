"""Classifies leads: industry, size segment, territory and priority.

Belongs here: handing the rules to ``sql/stages/classify``, and the decision table as one CASE expression. Does not
belong here: the tables themselves (``data/rules/priorities.yaml``, ``territories.yaml``).
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from duckdb import (
    CaseExpression,
    ColumnExpression,
    ConstantExpression,
    DuckDBPyConnection,
    DuckDBPyRelation,
    Expression,
)

from aiqleads_pipeline.contract import CLASSIFIED_LEADS, NAICS_SECTORS, SIZE_SEGMENTS, UNKNOWN_INDUSTRY
from aiqleads_pipeline.rules.priorities import Conditions, PriorityRules, Range
from aiqleads_pipeline.stages.engine import run_sql, set_variables

if TYPE_CHECKING:
    from aiqleads_pipeline.rules.territories import TerritoryRules

_SECTORS = [{"code": code, "name": name} for code, name in NAICS_SECTORS.items()]
_SECTORS.append({"code": UNKNOWN_INDUSTRY, "name": "Unknown"})


def classify_leads(
    con: DuckDBPyConnection,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    priorities: PriorityRules,
    territories: TerritoryRules,
) -> DuckDBPyRelation:
    """The lazy relation of CLASSIFIED_LEADS.

    ``enriched`` and ``scored`` hold the same leads; both should be cheap to read (Parquet). The number of statements
    does not depend on the leads, nor on the rules.
    """
    _set_rules(con, priorities, territories)
    con.execute("DROP TABLE IF EXISTS classify_claimed")
    run_sql(con, "stages/classify/claims").create("classify_claimed")
    facts = run_sql(
        con,
        "stages/classify/classified",
        classify_enriched=enriched,
        classify_scored=scored,
        classify_places=con.table("classify_claimed"),
    )
    decided = {"priority": _first_match(priorities, "priority"), "priority_rule": _first_match(priorities, "id")}
    return facts.select(
        *(decided.get(name, ColumnExpression(name)).alias(name) for name in CLASSIFIED_LEADS.column_names)
    )


def default_classes(con: DuckDBPyConnection, enriched: DuckDBPyRelation) -> DuckDBPyRelation:
    """CLASSIFIED_LEADS without classifying: unknown industry and size, ``P3``, ``classification_failed``."""
    return run_sql(con, "stages/classify/defaults", classify_enriched=enriched)


def _set_rules(con: DuckDBPyConnection, priorities: PriorityRules, territories: TerritoryRules) -> None:
    claims = territories.claims
    lengths = {(claim.key.split(":")[0], len(claim.key)) for claim in claims if claim.kind == "postal_code"}
    minimums = {
        f"{segment}_{measure}": float(value)
        for segment, minimum in priorities.size_segments.model_dump().items()
        for measure, value in minimum.items()
    }
    set_variables(
        con,
        classify_minimums=minimums,
        classify_sectors=_SECTORS,
        classify_industries=[*NAICS_SECTORS, UNKNOWN_INDUSTRY],
        classify_sizes=list(SIZE_SEGMENTS),
        # The first entry gives the lists their types where nothing is claimed; no lead has such a place.
        classify_claims=[{"kind": "", "place": "", "territory": ""}]
        + [{"kind": c.kind, "place": c.key, "territory": territories.territories[c.territory].id} for c in claims],
        classify_asks=[{"territory": "", "industries": ["none"], "sizes": ["none"]}]
        + [{"territory": t.id, "industries": t.industries, "sizes": t.sizes} for t in territories.territories],
        classify_postal=[{"country": "", "length": 0}]
        + [{"country": country, "length": length} for country, length in sorted(lengths)],
        classify_longest=max((length for _, length in lengths), default=0),
        classify_default=territories.default.id,
    )


def _first_match(priorities: PriorityRules, answer: str) -> Expression:
    """The decision table as one CASE: the first row whose conditions hold gives its ``answer``."""
    *rows, last = priorities.rows
    case: Expression | None = None
    for row in rows:
        asked, value = _condition(row.when), ConstantExpression(getattr(row, answer))
        case = CaseExpression(asked, value) if case is None else case.when(asked, value)
    otherwise = ConstantExpression(getattr(last, answer))
    return otherwise if case is None else case.otherwise(otherwise)


def _condition(when: Conditions) -> Expression:
    terms: list[Expression] = []
    for name, asked in when.given.items():
        column = ColumnExpression(name)
        if not isinstance(asked, Range):
            terms.append(column.isin(*(ConstantExpression(value) for value in asked)))
            continue
        if asked.at_least is not None:
            terms.append(column >= ConstantExpression(asked.at_least))
        if asked.below is not None:
            terms.append(column < ConstantExpression(asked.below))
    return reduce(and_, terms)
