"""Which model is in force after a training: the first one, a better challenger, and never one that was rolled back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from aiqleads_pipeline.assets.learnt_tables import put_in_force
from aiqleads_pipeline.stages.conversion import ConversionModel, ModelUnusable, TrainedModel
from resources.models import ModelRegistry

ROWS = 400
CLOSED_AT = datetime(2026, 11, 1, tzinfo=UTC)


class Champion(ConversionModel):
    """A stored model whose answers are written down in its document."""

    def probabilities(self, rows: Any) -> Any:
        if "answers" not in self.document:
            raise ModelUnusable("model format 1; this release reads 2")
        return np.asarray(self.document["answers"])


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of all that is outside, the registry of models."""
    monkeypatch.setattr("aiqleads_pipeline.assets.learnt_tables.ConversionModel", Champion)
    return SimpleNamespace(models=ModelRegistry(tmp_path / "models"))


def trained(outside: Any, version: str, skill: float) -> TrainedModel:
    """A new model, saved, that knows the latest outcomes as well as ``skill`` says (0 is chance)."""
    rng = np.random.default_rng(5)
    won = rng.random(ROWS) < 0.3
    rows = pa.table({"closed_at": pa.array([CLOSED_AT] * ROWS), "source": pa.array(["web"] * ROWS)})
    answers = np.clip(0.3 + skill * (won - 0.3) + rng.normal(0, 0.2, ROWS), 0.01, 0.99)
    document = {"version": version, "answers": answers.tolist()}
    document["training_window"] = {"last_closed_at": "2026-10-01T00:00:00+00:00"}  # type: ignore[assignment]
    outside.models.save(version, document)
    later = {"rows": rows, "won": won, "answers": answers}
    return TrainedModel(version, document, Champion(document), {}, later=later)


def test_the_first_model_comes_into_force(outside: Any) -> None:
    assert put_in_force(outside, trained(outside, "20260101-a", 0.1)).startswith("promoted: no model")
    assert put_in_force(outside, trained(outside, "20260101-a", 0.1)).startswith("unchanged")
    assert outside.models.current() == "20260101-a"


@pytest.mark.parametrize(("skill", "in_force"), [(0.3, "20260201-b"), (0.0, "20260101-a")], ids=["better", "worse"])
def test_a_challenger_takes_over_only_where_it_is_better(outside: Any, skill: float, in_force: str) -> None:
    put_in_force(outside, trained(outside, "20260101-a", 0.1))
    told = put_in_force(outside, trained(outside, "20260201-b", skill))
    assert outside.models.current() == in_force
    assert told.startswith("promoted: AUC" if in_force == "20260201-b" else "stays a challenger: AUC")


def test_outcomes_that_the_champion_learnt_from_prove_nothing(outside: Any) -> None:
    first = trained(outside, "20260101-a", 0.1)
    first.document["training_window"]["last_closed_at"] = "2026-11-02T00:00:00+00:00"
    outside.models.save("20260101-a", first.document)
    put_in_force(outside, first)
    assert "0 new outcomes" in put_in_force(outside, trained(outside, "20260201-b", 0.3))
    assert outside.models.current() == "20260101-a"


def test_too_few_latest_outcomes_leave_the_champion(outside: Any) -> None:
    put_in_force(outside, trained(outside, "20260101-a", 0.1))
    told = put_in_force(outside, replace(trained(outside, "20260201-b", 0.3), later={}))
    assert told == "stays a challenger: the latest outcomes hold too few won or lost leads to compare"


def test_a_champion_that_cannot_answer_gives_way(outside: Any) -> None:
    first = trained(outside, "20260101-a", 0.1)
    outside.models.save("20260101-a", {name: value for name, value in first.document.items() if name != "answers"})
    put_in_force(outside, first)
    assert put_in_force(outside, trained(outside, "20260201-b", 0.0)).startswith("promoted: the model in force can't")
    assert outside.models.current() == "20260201-b"


def test_no_training_puts_a_model_in_force_again_that_was_rolled_back(outside: Any) -> None:
    model = trained(outside, "20260101-a", 0.3)
    put_in_force(outside, model)
    outside.models.rollback()
    assert put_in_force(outside, model).startswith("stays out: it was rolled back")
    assert outside.models.current() is None
