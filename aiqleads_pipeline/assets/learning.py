"""What scoring learnt from the past: which version of it a batch uses, and loading that version.

Belongs here: the versions' names and their loading. Does not belong here: learning (``outcomes`` module's assets).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.conversion import ConversionModel
from resources.models import ModelRefused
from resources.store import drift

RELIABILITY_TABLE = "source_reliability"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learnt:
    """What a batch's scores rest on; without a model, ``method_reason`` says why."""

    reliability: DuckDBPyRelation | None
    model: ConversionModel | None
    method_reason: str | None


def current_versions(outside: Outside) -> dict[str, str | None]:
    """The versions in force now (JSON, to be pinned)."""
    known = outside.lake.batches(RELIABILITY_TABLE)
    return {
        "reliability": known[-1] if known else None,
        "model": outside.models.current(),
        "stepped_down": drift.step_down(outside.store),  # why the model must not score for now
    }


def load_learnt(outside: Outside, con: DuckDBPyConnection, versions: dict[str, Any], use_model: bool = True) -> Learnt:
    """Load pinned versions. A model that is missing or tampered with is refused, and rules score."""
    batch = versions["reliability"]
    reliability = outside.lake.read(con, RELIABILITY_TABLE, batch) if batch else None
    if not use_model:
        return Learnt(reliability, None, "scoring_disabled")
    if versions["model"] is None:
        return Learnt(reliability, None, "no_model")
    if versions.get("stepped_down"):
        return Learnt(reliability, None, f"model_failed: {versions['stepped_down']}")
    try:
        return Learnt(reliability, ConversionModel.load(outside.models.load(versions["model"])), None)
    except ModelRefused as error:
        _log.error("conversion model refused: %s", error)
        return Learnt(reliability, None, f"model_failed: {error}")
