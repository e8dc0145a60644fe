"""Delivery: which routed leads are meant for which destination, and what a receiver gets of a lead.

Belongs here: intents and payload as relations. Does not belong here: the outbox (``resources.store``) and sending
(``resources.files`` and the like).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from uuid import UUID

from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.rules.destinations import Destination
from aiqleads_pipeline.stages.engine import run_sql, set_variables

SLICE_ROWS = 200_000


def list_intents(
    con: DuckDBPyConnection, routed: DuckDBPyRelation, destinations: Sequence[Destination]
) -> DuckDBPyRelation:
    """The intents of delivery of routed leads, with the columns of the store's ``deliveries``; lazy.

    Args:
        destinations: the enabled ones.
    """
    set_variables(con, deliver_destinations=json.dumps([each.as_row() for each in destinations]))
    return run_sql(con, "stages/deliver/list_intents", routed=routed)


def part_intents(con: DuckDBPyConnection, intents: DuckDBPyRelation) -> tuple[DuckDBPyRelation, DuckDBPyRelation]:
    """Intents that are due on their own, and those that go out with their batch's file, thousands of leads a row.

    The latter have the columns of the store's ``batch_deliveries``. Both are lazy.
    """
    return intents.filter("next_attempt_at IS NOT NULL"), run_sql(con, "stages/deliver/fold_intents", intents=intents)


def list_lines(
    con: DuckDBPyConnection,
    routed: DuckDBPyRelation,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    classified: DuckDBPyRelation,
    destination: Destination,
) -> DuckDBPyRelation:
    """The leads meant for one destination as receivers get them: ``line``, JSON with its newline; lazy.

    Use it before the next call on the same connection.
    """
    set_variables(
        con,
        deliver_to=destination.name,
        deliver_teams=None if destination.teams is None else list(destination.teams),
        deliver_priorities=None if destination.priorities is None else list(destination.priorities),
    )
    inputs = {"routed": routed, "enriched": enriched, "scored": scored, "classified": classified}
    return run_sql(con, "stages/deliver/list_lines", **inputs)


def list_lines_in_slices(
    con: DuckDBPyConnection,
    routed: DuckDBPyRelation,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    classified: DuckDBPyRelation,
    destination: Destination,
    slice_rows: int = SLICE_ROWS,
) -> Iterator[DuckDBPyRelation]:
    """``list_lines`` of one range of leads after the other: joined at once, a million would be held in 600 MB.

    Use each relation before asking for the next. The tables are best in the order of their leads.
    """
    set_variables(con, deliver_slice_rows=slice_rows)
    starts = [lead for (lead,) in run_sql(con, "stages/deliver/slice_starts", routed=routed).fetchall()]
    lead_id = Column("lead_id")
    for first, after in pairwise([*starts, None]):
        of_slice = lead_id >= Constant(first)
        if after is not None:
            of_slice &= lead_id < Constant(after)
        yield list_lines(
            con,
            routed.filter(of_slice),
            enriched.filter(of_slice),
            scored.filter(of_slice),
            classified.filter(of_slice),
            destination,
        )


def list_assigned(
    con: DuckDBPyConnection, reviewed: DuckDBPyRelation, classified: DuckDBPyRelation, lead_ids: Sequence[UUID]
) -> DuckDBPyRelation:
    """Leads of a batch that a person assigned, in the place of ``routed`` for ``list_lines``; lazy.

    Args:
        reviewed: the batch's review queue (``resources.store.reviews.leads_of_batch``).
        lead_ids: which of them.
    """
    set_variables(con, deliver_leads=[str(lead_id) for lead_id in lead_ids])
    return run_sql(con, "stages/deliver/list_assigned", reviewed=reviewed, classified=classified)
