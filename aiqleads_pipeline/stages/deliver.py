"""Delivery: which routed leads are meant for which destination, and what a receiver gets of a lead.

Belongs here: intents and payload as relations. Does not belong here: the outbox (``resources.store``) and sending
(``resources.files`` and the like).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.rules.destinations import Destination
from aiqleads_pipeline.stages.engine import run_sql, set_variables


def list_intents(
    con: DuckDBPyConnection, routed: DuckDBPyRelation, destinations: Sequence[Destination]
) -> DuckDBPyRelation:
    """The intents of delivery of routed leads, with the columns of the store's ``deliveries``; lazy.

    Args:
        destinations: the enabled ones.
    """
    set_variables(con, deliver_destinations=json.dumps([each.as_row() for each in destinations]))
    return run_sql(con, "stages/deliver/list_intents", routed=routed)


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
