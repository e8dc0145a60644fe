"""Delivers to files what is due on its own: leads that a person took out of review.

Belongs here: finding their tables. A batch's own leads are delivered by the batch's run.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from duckdb import DuckDBPyRelation

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations import Destination
from aiqleads_pipeline.stages import deliver
from aiqleads_pipeline.stages.engine import open_engine
from resources import files
from resources.store import reviews


def deliver_assigned(outside: Outside) -> int:
    """Write the assigned leads that are due to every ``file`` destination; how many deliveries were made."""
    delivered = 0
    with open_engine(outside.settings) as con:
        outside.lake.attach(con)
        for destination in outside.rules().destinations.enabled:
            if not destination.goes_by_batch:
                continue

            def list_lines(batch_id: str, lead_ids: Sequence[UUID], to: Destination = destination) -> DuckDBPyRelation:
                read = partial(outside.lake.read, con, batch_id=batch_id)
                classified = read("classified_leads")
                reviewed = con.from_arrow(reviews.leads_of_batch(outside.store, batch_id))
                assigned = deliver.list_assigned(con, reviewed, classified, lead_ids)
                return deliver.list_lines(con, assigned, read("enriched_leads"), read("scored_leads"), classified, to)

            folder = destination.folder_in(outside.settings.home)
            delivered += files.deliver_due(outside.store, destination.name, folder, list_lines, outside.settings.now())
    return delivered
