"""`aiqleads model`: trains on labelled files, and puts models in and out of service."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.stages.learning import Trained, label_table, learn
from aiqleads_pipeline.stages.learning.document import answers_of, document_of
from aiqleads_pipeline.stages.learning.labelled_file import read_labelled
from aiqleads_pipeline.stages.learning.report import html_page, model_card
from aiqleads_pipeline.stages.learning.table import column_named
from resources.models import ModelRegistry

SEED = 20_261_123


@dataclass(frozen=True)
class Asked:
    """What the command line says about a labelled file."""

    data: Path
    label: str
    positive: Sequence[str] = ()
    negative: Sequence[str] = ()
    time: str | None = None
    known_after: Sequence[str] = ()
    allow: Sequence[str] = ()
    seed: int = SEED


def train_file(settings: Settings, asked: Asked, out: Path) -> dict[str, Any]:
    """Train on a labelled file; writes model, report and card to ``out`` and returns the facts as JSON.

    Raises:
        Untrainable, LabelUnclear, DropRefused: the file can't be used as asked.
    """
    trained = _trained(settings, asked)
    document = document_of(trained, asked.seed, stamp="file")
    out.mkdir(parents=True, exist_ok=True)
    registry = ModelRegistry(out)
    registry.save(document["version"], document)
    (out / "report.html").write_text(html_page(trained, document), encoding="utf-8")
    (out / "model_card.md").write_text(model_card(trained, document), encoding="utf-8")
    facts = facts_of(trained, document)
    facts["files"] = {
        "model": str(out / f"{document['version']}.json"),
        "report": str(out / "report.html"),
        "card": str(out / "model_card.md"),
    }
    (out / "metrics.json").write_text(json.dumps(facts, indent=1, default=float), encoding="utf-8")
    return facts


def score_file(settings: Settings, data: Path, model: Path, out: Path) -> int:
    """Probabilities of a file by a model of ``train_file``: CSV ``row_number,conversion_prob``; returns the rows.

    Raises:
        ModelRefused: the model is missing or was changed.
        Untrainable, DropRefused: the file can't be used by it.
    """
    document = ModelRegistry(model.parent).load(model.name.removesuffix(".json"))
    with tempfile.TemporaryDirectory() as folder, open_engine(settings, Path(folder)) as con:
        table = read_labelled(con, data, settings, Path(folder), *document["features"])
        answers = answers_of(document, table)
    lines = [f"{row},{answer:.6f}" for row, answer in enumerate(answers, start=1)]
    out.write_text("\n".join(["row_number,conversion_prob", *lines]) + "\n", encoding="utf-8")
    return len(answers)


def facts_of(trained: Trained, document: dict[str, Any]) -> dict[str, Any]:
    """What training found, as the JSON object of ``model train --json``."""
    data = trained.data
    return {
        "version": document["version"],
        "serves": trained.serves,
        "is_model": trained.is_model,
        "why": trained.why,
        "rows": data.rows,
        "positives": int(data.won.sum()),
        "usual_prob": float(data.won.mean()) if data.rows else None,
        **trained.metrics,
        "metrics": trained.metrics,
        "split": trained.splits[0].name if trained.splits else None,
        "splits": {
            split.name: {"rows": len(split.won), "says": split.words, "candidates": split.measured}
            for split in trained.splits
        },
        "baselines": {
            kind: {name: told["value"] for name, told in found.items()}
            for kind, found in (trained.splits[0].measured if trained.splits else {}).items()
            if kind != "xgboost"
        },
        "leaks": [leak.as_json() for leak in trained.leaks],
        "refused": [leak.column for leak in trained.leaks],
        "allowed": [leak.column for leak in trained.allowed_leaks],
        "left_out": data.left_out,
        "missing": data.missing,
        "features": sorted({feature.column for feature in data.features}),
        "warnings": trained.warnings,
        "notes": data.notes,
        "data_sha256": document["data_sha256"],
    }


def _trained(settings: Settings, asked: Asked) -> Trained:
    folder = Path(tempfile.mkdtemp(prefix="aiqleads-train-"))
    try:
        with open_engine(settings, folder) as con:
            named = [asked.label, *([asked.time] if asked.time else []), *asked.known_after, *asked.allow]
            table = read_labelled(con, asked.data, settings, folder, *named)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    allow = [column_named(table.column_names, name) for name in asked.allow]
    data = label_table(
        table,
        asked.label,
        positive=asked.positive,
        negative=asked.negative,
        time=asked.time,
        known_after=asked.known_after,
    )
    with np.errstate(over="ignore"):
        return learn(data, allow=allow, seed=asked.seed, threads=settings.ENGINE_THREADS)
