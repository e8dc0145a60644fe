"""`GET /v1/insights/{name}` and `/v1/recommendations`: what became of leads, for other services.

Belongs here: reading the newest version of a mart. Marts hold no personal data; recommendations name owners: both are
for those who may see every client's leads, and nobody else.
"""

from __future__ import annotations

import json
from typing import Any

from duckdb import ColumnExpression, ConstantExpression
from fastapi import APIRouter, Request

from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.readers import Readers
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine

MARTS = ("source_value", "provider_value", "conversion_rates", "market_insights")
RECOMMENDED = "recommended_leads"
MOST_ROWS = 1000
NOT_YET = (
    "no version was made yet: where `aiqleads up` runs, the first one follows within minutes of the first leads, and a "
    "new one every night at 02:30 UTC; `aiqleads insights renew` makes one now"
)

router = APIRouter(tags=["insights"])


@router.get("/v1/insights/{name}", summary="source_value, provider_value, conversion_rates or market_insights")
async def show_insights(name: str, request: Request) -> dict[str, Any]:
    """The newest version of a mart: `version`, `rows` (1,000 at most); before the first a `hint` instead of rows."""
    if name not in MARTS:
        raise Problem(404, "not_found")
    return await _newest(request, name, None)


@router.get("/v1/recommendations", summary="The best open leads of each owner, alike to what they won")
async def show_recommendations(request: Request, owner: str | None = None) -> dict[str, Any]:
    """The newest recommendations, of all owners or of one."""
    return await _newest(request, RECOMMENDED, owner)


async def _newest(request: Request, mart: str, owner: str | None) -> dict[str, Any]:
    doors: Doors = request.app.state.doors
    readers: Readers = doors.parts.setdefault(Readers, Readers(doors.outside))
    found: dict[str, Any] = await readers.run(read_mart, doors.outside, readers.settings, mart, owner)
    return found


def read_mart(outside: Outside, settings: Settings, mart: str, owner: str | None = None) -> dict[str, Any]:
    """The newest version of a mart; while there is none no row, and a `hint` that says when there will be."""
    versions = outside.lake.batches(mart)
    if not versions:
        return {"version": None, "rows": [], "hint": NOT_YET}
    with open_engine(settings) as con:
        outside.lake.attach(con)
        relation = outside.lake.read(con, mart, versions[-1])
        if owner is not None:
            relation = relation.filter(ColumnExpression("owner") == ConstantExpression(owner))
        relation = relation.limit(MOST_ROWS)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    plain: list[dict[str, Any]] = json.loads(json.dumps(rows, default=str))
    return {"version": versions[-1], "rows": plain}
