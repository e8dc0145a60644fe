"""What open leads are worth now: the stages of scoring put together for leads of many batches at once.

Belongs here: scores, priorities, overrides and words of given leads. Does not belong here: which leads, when, and
keeping what came of it (``rescoring``), and how a score is computed (``stages.score``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.assets.learning import Learnt, current_versions, load_learnt
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.book import RuleBook
from aiqleads_pipeline.stages.classify import classify_leads
from aiqleads_pipeline.stages.conversion import ConversionModel
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.stages.score import score_leads
from resources.store import rescorings
from resources.store.touches import count_touches

EXPLAINED = ("P1", "P2")  # "above P3": whose score is told in words where there are many
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnsweredModel(ConversionModel):
    """A model whose answers are known (``lead_id, conversion_prob``), so that it is not asked again for the words."""

    answers: DuckDBPyRelation

    def predict(self, con: DuckDBPyConnection, leads: DuckDBPyRelation, as_of: datetime) -> DuckDBPyRelation:
        """The known answers."""
        return self.answers


@dataclass(frozen=True)
class _Inputs:
    """What every step of one scoring reads."""

    leads: DuckDBPyRelation
    rules: RuleBook
    known: Learnt
    touches: DuckDBPyRelation
    now: datetime


def score_open(
    con: DuckDBPyConnection,
    outside: Outside,
    leads: DuckDBPyRelation,
    now: datetime,
    folder: Path,
    every_lead: bool = False,
    every_part: bool = False,
) -> DuckDBPyRelation:
    """The lazy relation of ``marts/open_scores``; what several steps read is kept in ``folder``.

    Words are most of the work: only leads above P3, by the rules or by a person, get them, unless ``every_lead`` shall.
    With ``every_part`` they tell all parts instead of the strongest.
    """
    inputs = _Inputs(
        leads,
        outside.rules(),
        load_learnt(outside, con, current_versions(outside), outside.settings.flags.enableMLScoring),
        con.from_arrow(count_touches(outside.store, until=now)).project("lead_id AS existing_lead_id, touches_count"),
        now,
    )
    scored = _kept(con, folder, "scored", _scored(con, inputs, inputs.known.model).project("* EXCLUDE (reasons)"))
    overrides = con.from_arrow(rescorings.overrides_table(outside.store, now))
    overrides.query("_", "CREATE OR REPLACE TEMP TABLE overrides_now AS FROM _")
    decided = run_sql(
        con,
        "marts/open_priorities",
        reclassified=_kept(con, folder, "classified", _priorities(con, inputs, scored)),
        overrides=con.table("overrides_now"),
    )
    above = decided if every_lead else decided.filter(f"priority IN {EXPLAINED}")
    told_leads = leads.join(above.project("lead_id"), "lead_id", how="semi")
    told = replace(inputs, leads=_kept(con, folder, "told", told_leads))
    return run_sql(
        con,
        "marts/open_scores",
        rescored=scored,
        decided=decided,
        told_reasons=_kept(con, folder, "reasons", _reasons(con, told, scored, every_part)),
        told_probabilities=_kept(con, folder, "probabilities", _conversion_reasons(con, told, scored)),
    )


def _scored(
    con: DuckDBPyConnection, inputs: _Inputs, model: ConversionModel | None, every_part: bool = False
) -> DuckDBPyRelation:
    return score_leads(
        con,
        inputs.leads,
        inputs.rules.scoring,
        as_of=inputs.now,
        reliability=inputs.known.reliability,
        touches=inputs.touches,
        model=model,
        method_reason=inputs.known.method_reason or "model_failed",
        all_reasons=every_part,
    )


def _priorities(con: DuckDBPyConnection, inputs: _Inputs, scored: DuckDBPyRelation) -> DuckDBPyRelation:
    rules = inputs.rules
    classified = classify_leads(con, inputs.leads, scored, rules.priorities, rules.territories)
    return classified.project("lead_id, priority")


def _reasons(con: DuckDBPyConnection, told: _Inputs, scored: DuckDBPyRelation, every_part: bool) -> DuckDBPyRelation:
    """The words of leads that were scored: by the same statement, which leaves them out where nobody asks for them."""
    model = told.known.model
    answers = scored.filter("score_method = 'model'").project("lead_id, conversion_prob")
    asked = None  # there is no model, or it failed for all of them
    if model is not None and answers.limit(1).fetchall():
        asked = AnsweredModel(model.document, answers)
    return _scored(con, told, asked, every_part).project("lead_id, reasons")


def _conversion_reasons(con: DuckDBPyConnection, told: _Inputs, scored: DuckDBPyRelation) -> DuckDBPyRelation:
    """Why the model gave its probability; no row where rules scored or the model can't tell."""
    if told.known.model is not None:
        from aiqleads_pipeline.stages.contributions import conversion_reasons

        by_model = scored.filter("score_method = 'model'").project("lead_id")
        leads = told.leads.join(by_model, "lead_id", how="semi")
        try:
            return conversion_reasons(con, leads, scored, told.known.model, told.now)
        except Exception as error:  # the scores stand without their reasons
            _log.warning("conversion model %s can't be explained: %s", told.known.model.version, type(error).__name__)
    return con.sql("SELECT NULL::UUID AS lead_id, NULL::VARCHAR AS conversion_reasons LIMIT 0")


def _kept(con: DuckDBPyConnection, folder: Path, name: str, relation: DuckDBPyRelation) -> DuckDBPyRelation:
    path = str(folder / f"{name}.parquet")
    relation.write_parquet(path, compression="snappy")
    return con.read_parquet(path)
