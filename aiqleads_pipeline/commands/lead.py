"""`aiqleads lead`: the whole story of one lead, from the row it came with to its deliveries."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from aiqleads_pipeline.lead_rows import current_row, rows_of_lead, told_later
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import intake


class UnknownLead(Exception):
    """Nobody took in the lead and no batch holds it."""


def lead_story(outside: Outside, lead_id: str) -> dict[str, Any]:
    """Every step's row about a lead, in the order of the flow; a table without it is left out.

    Raises:
        UnknownLead: the id is no UUID or no batch holds it.
    """
    try:
        wanted = UUID(lead_id)
    except ValueError as error:
        raise UnknownLead(f"{lead_id!r} is no lead id: it looks like 0f8c1d2e-....-8...-....-............") from error
    story: dict[str, Any] = {"lead_id": str(wanted)}
    taken = intake.find(outside.store, wanted)
    if taken is not None:
        waits = {"batch_id": taken.batch_id} if taken.batch_id else {"state": "waits for its batch"}
        story["intake"] = [
            {"client": taken.client, "source": taken.source, "received_at": str(taken.received_at), **waits}
        ]
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        batch_id = taken.batch_id if taken else None
        story |= rows_of_lead(con, outside, wanted, batch_id)
        current = current_row(con, outside, wanted, batch_id)
    updates = intake.list_updates(outside.store, [wanted]).to_pylist()
    if updates:
        story["lead_updates"] = [
            {"client": one["client"], "received_at": str(one["received_at"]), **json.loads(one["content"])}
            for one in updates
        ]
    story |= told_later(outside, wanted)
    if current is not None:
        story["current_leads"] = [current]
    if len(story) == 1:
        raise UnknownLead(f"no batch holds the lead {wanted}")
    return story
