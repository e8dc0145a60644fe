"""Gathers what the doors took in into micro-batches of the pipeline: by size or by age, whichever comes first.

Belongs here: when a source's waiting leads become a batch, and the drop they become. That none is lost or twice is the
store's business (``resources.store.intake.gather``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.reading.intake import INTAKE_CHANNEL, intake_line
from resources.bucket import Archived
from resources.store import intake


def gather_waiting(outside: Outside) -> list[str]:
    """Make a batch of each source whose leads are many enough or waited long enough; returns the batches.

    Any number of callers may do so at once.

    Raises:
        StoreUnavailable, BucketUnavailable: transient; what is not in a batch waits.
    """
    settings = outside.settings
    now = settings.now()

    made = []
    for found in intake.waiting(outside.store):
        is_due = (now - found.oldest_at).total_seconds() >= settings.GATHER_SECONDS
        if is_due or found.leads_count >= settings.GATHER_LEADS:
            most = intake.Most(settings.GATHER_LEADS, settings.HOT_DROP_KB * 1024)
            write = partial(_write, outside, found.source_channel)
            made.append(
                intake.gather(outside.store, found.source, found.source_channel, most, write, now, INTAKE_CHANNEL)
            )
    return [batch_id for batch_id in made if batch_id is not None]


def gather_awaited(outside: Outside, source: str, lead_ids: Sequence[UUID]) -> str | None:
    """Make a batch of leads of the API for which somebody waits; None if others gathered them all before.

    Raises:
        StoreUnavailable, BucketUnavailable: transient; what is not in a batch waits.
    """
    settings = outside.settings
    most = intake.Most(len(lead_ids), settings.HOT_DROP_KB * 1024)
    write = partial(_write, outside, INTAKE_CHANNEL)
    now = settings.now()
    return intake.gather(outside.store, source, INTAKE_CHANNEL, most, write, now, INTAKE_CHANNEL, lead_ids)


def _write(outside: Outside, source_channel: str, leads: Sequence[tuple[UUID, datetime, str]]) -> Archived:
    lines = [
        intake_line(lead_id, row, at, source_channel, content)
        for row, (lead_id, at, content) in enumerate(leads, start=1)
    ]
    return outside.bucket.keep("".join(lines).encode())
