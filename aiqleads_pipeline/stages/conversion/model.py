"""A trained conversion model: what it is made of, and its probabilities for leads.

Belongs here: reading a stored model and predicting. Does not belong here: training and judging (``training``), files
and hashes (``resources.models``), which must have been checked before a document comes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aiqleads_pipeline.stages.conversion.features import FEATURES, Matrix, feature_rows, matrix
from aiqleads_pipeline.stages.learning import candidates
from aiqleads_pipeline.stages.learning.calibration import calibrate
from aiqleads_pipeline.stages.learning.encoding import Column

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Numbers = np.ndarray[Any, np.dtype[np.float64]]

FORMAT = 2
BATCH_ROWS = 65_536
_ANSWER = ["lead_id", "conversion_prob"]


class ModelUnusable(Exception):
    """A model document can't be used here: another format, other features, or an answer that is no probability."""


@dataclass(frozen=True)
class ConversionModel:
    """A model that gives the probability to convert, over its document as ``train`` made it.

    Nothing of the document is parsed before it is needed: a model that can't be used fails when it predicts, where
    ``score_leads`` lets rules score instead.
    """

    document: dict[str, Any]

    @classmethod
    def load(cls, document: dict[str, Any]) -> ConversionModel:
        """The model of a document whose hash was checked: XGBoost crashes the process on a damaged one."""
        return cls(document)

    @property
    def version(self) -> str:
        """What ``model_version`` says."""
        return str(self.document.get("version", "unnamed"))

    @property
    def usual_prob(self) -> float:
        """Share of won leads among those it was trained on."""
        return float(self.document["usual_prob"])

    @cached_property
    def columns(self) -> list[Column]:
        """The columns of the model's matrix.

        Raises:
            ModelUnusable: the document is of another format, or wants features that are not computed any more.
        """
        if self.document.get("format") != FORMAT:
            raise ModelUnusable(f"model format {self.document.get('format')!r}; this release reads {FORMAT}")
        unknown = sorted(set(self.document["features"]) - set(FEATURES))
        if unknown:
            raise ModelUnusable(f"the model wants features that are not computed: {', '.join(unknown)}")
        return [Column.from_json(entry) for entry in self.document["columns"]]

    def predict(self, con: DuckDBPyConnection, leads: DuckDBPyRelation, as_of: datetime) -> DuckDBPyRelation:
        """``lead_id, conversion_prob`` for every lead, computed at once; ``leads`` is ENRICHED_LEADS.

        The answer is a temporary table, so that it may spill; it lives until the next call on the connection.

        Raises:
            ModelUnusable: the model gave something else than a probability.
        """
        import pyarrow as pa

        wanted_threads = int(con.sql("SELECT current_setting('threads')").fetchall()[0][0])
        if self.columns and self._model["kind"] == "xgboost":
            candidates.booster_of(self._model, wanted_threads)
        ids, answers = [], []
        con.execute("SET arrow_lossless_conversion = true")  # ids as 16 bytes instead of 36 letters
        try:
            wanted = ", ".join(f'"{name}"' for name in ("lead_id", *self.document["features"]))
            for batch in feature_rows(con, leads, as_of).project(wanted).to_arrow_reader(BATCH_ROWS):
                ids.append(batch.column("lead_id"))
                answers.append(pa.array(self.probabilities(batch), pa.float64()))
            ids_type = ids[0].type if ids else pa.uuid()
            answered = pa.table([pa.chunked_array(ids, ids_type), pa.chunked_array(answers, pa.float64())], _ANSWER)
            con.from_arrow(answered).create_view("conversion_answers", replace=True)
            con.execute("CREATE OR REPLACE TEMP TABLE conversion_probabilities AS FROM conversion_answers")
        finally:
            con.execute("RESET arrow_lossless_conversion")
        return con.table("conversion_probabilities")

    def probabilities(self, rows: pa.Table | pa.RecordBatch) -> Numbers:
        """The calibrated probabilities of feature rows, in their order.

        Raises:
            ModelUnusable: one of them is not between 0 and 1.
        """
        values = self.matrix(rows)
        answers = calibrate(self.document["calibration"], candidates.margins(self._model, values, self.columns))
        if not np.all((answers >= 0) & (answers <= 1)):
            raise ModelUnusable(f"model {self.version} gave something else than a probability")
        return answers

    def added(self, rows: pa.Table | pa.RecordBatch, is_exact: bool = True) -> Numbers:
        """Rows x (features, then the rest): parts of the calibrated log odds, which they add up to."""
        values = self.matrix(rows)
        found = candidates.parts(self._model, values, self.columns, is_exact)
        # The parts add up to the margin: trees need not be asked for it again.
        answers = calibrate(self.document["calibration"], found.sum(axis=1))
        found *= self.document["calibration"].get("slope", 1.0)
        found[:, -1] += np.log(answers / (1 - answers)) - found.sum(axis=1)
        return found

    def matrix(self, rows: pa.Table | pa.RecordBatch) -> Matrix:
        """The matrix of feature rows, as the model was fitted to it."""
        levels = {column.feature: column.levels for column in self.columns if column.kind == "code"}
        return matrix(rows, self.document["features"], levels)

    @cached_property
    def _model(self) -> dict[str, Any]:
        """A copy: the parsed trees are kept with it, and are no part of the document."""
        return dict(self.document["model"])
