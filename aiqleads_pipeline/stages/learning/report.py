"""The report of a training: one page of HTML with plots, and a model card in Markdown. Honest figures first.

Belongs here: what is said of a training and how it looks. Does not belong here: the figures
(``measures``, ``trainer``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning import candidates, pictures
from aiqleads_pipeline.stages.learning.encoding import to_matrix
from aiqleads_pipeline.stages.learning.pictures import Line
from aiqleads_pipeline.stages.learning.trainer import Split, Trained
from aiqleads_pipeline.stages.learning.types import Flags, Numbers

EFFECT_ROWS = 2_000
MOST_EFFECTS = 6
MOST_POINTS = 200
NAMES = {
    "xgboost": "boosted trees",
    "logistic": "logistic regression",
    "naive_bayes": "naive Bayes, calibrated",
    "naive_bayes_raw": "naive Bayes as CRMs use it",
    "rules": "scoring rules",
    "prior": "usual rate for everybody",
}
ORDER = tuple(NAMES)
MEASURES = {
    "auc": "AUC", "average_precision": "average precision", "brier": "Brier", "ece": "calibration error",
    "lift_at_10": "lift at 10 %",
}  # fmt: skip
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2rem auto;padding:0 1rem;color:#1e293b}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.25rem .7rem;border-bottom:1px solid #e2e8f0;"
    "text-align:left;vertical-align:top}"
    "th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".serves{background:#eef2ff}.warn{background:#fff7ed;"
    "border-left:4px solid #ea580c;padding:.4rem .8rem;margin:.4rem 0}"
    ".plots{display:flex;flex-wrap:wrap;gap:12px}small{color:#64748b}"
)


def html_page(trained: Trained, document: Mapping[str, Any]) -> str:
    """The whole report as one file: no script, nothing loaded from anywhere."""
    title = f"Model {document['version']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p><b>{escape(NAMES[trained.serves])}</b> serves. {escape(trained.why)}.</p>",
        *(f'<p class="warn">{escape(text)}</p>' for text in trained.warnings),
    ]
    for place, split in enumerate(trained.splits):
        first = "The figures that count" if place == 0 else "For comparison"
        parts += [
            f"<h2>{first}: {escape(split.name.replace('_', ' '))}</h2>",
            f"<p><small>{escape(split.words)}; {len(split.won):,} rows, {split.won.mean():.1%} won. "
            "Ranges are 95 % by bootstrap.</small></p>",
            _measured_table(split, trained.serves),
            f'<div class="plots">{"".join(_split_plots(split, trained.serves))}</div>',
        ]
    parts.append(_effects(trained))
    parts += _columns(trained)
    parts.append(_facts(document))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def model_card(trained: Trained, document: Mapping[str, Any]) -> str:
    """The model card: what it is for, what it was learnt from, how good it is, what it must not be used for."""
    data = trained.data
    lines = [
        f"# Model card: {document['version']}",
        "",
        f"- **Serves:** {NAMES[trained.serves]}. {trained.why}.",
        f"- **Answers:** the probability that `{data.label_column or 'a lead'}` ends well, calibrated "
        f"({document['calibration']['method']}).",
        f"- **Learnt from:** {data.rows:,} rows, {data.won.mean() if data.rows else 0:.1%} won; "
        + (
            f"in order of `{data.time_column}`"
            if data.is_timed and data.time_column
            else "in order of time"
            if data.is_timed
            else "no time column: random splits come first"
        ),
        f"- **Rows:** {', '.join(f'{name} {count:,}' for name, count in trained.slices.items()) or 'none'}",
        f"- **Data SHA-256:** `{document['data_sha256']}`",
        f"- **Libraries:** {', '.join(f'{k} {v}' for k, v in document['library_versions'].items())}",
        "",
        "## Warnings",
        "",
        *([f"- {text}" for text in trained.warnings] or ["- none"]),
        "",
    ]
    for split in trained.splits:
        lines += [f"## {split.name.replace('_', ' ').capitalize()}", "", f"{split.words}; {len(split.won):,} rows.", ""]
        lines += ["| candidate | " + " | ".join(MEASURES.values()) + " |", "|---" * (len(MEASURES) + 1) + "|"]
        for kind in _kinds(split):
            mark = " **(serves)**" if kind == trained.serves else ""
            cells = " | ".join(_interval(split.measured[kind][name]) for name in MEASURES)
            lines.append(f"| {NAMES[kind]}{mark} | {cells} |")
        lines.append("")
    lines += ["## Columns left out", ""]
    lines += [f"- `{column}`: {why}" for column, why in sorted(data.left_out.items())] or ["- none"]
    lines += ["", "## Read as missing", ""]
    lines += [
        f"- `{column}`: " + ", ".join(f"`{word}` in {rows:,} rows" for word, rows in found.items())
        for column, found in sorted(data.missing.items())
    ] or ["- none"]
    lines += ["", "## Notes", "", *(f"- {note}" for note in data.notes), ""]
    lines += [
        "## Limits",
        "",
        "- It ranks leads like those it learnt from; a new source, campaign or market is a guess at first.",
        "- It knows how things went together, not why: changing a column of a lead does not change its outcome.",
        "- Not for decisions about people beyond whom to call first.",
        "",
    ]
    return "\n".join(lines)


def effects(trained: Trained) -> list[tuple[str, float, Numbers, Numbers]]:
    """Columns by how much they move the log odds: name, mean size, and the effect by value for numbers."""
    fit, kind = trained.fit, trained.serves
    if fit is None or kind not in fit.models or kind == "prior":
        return []
    rows = np.linspace(0, trained.data.rows - 1, min(EFFECT_ROWS, trained.data.rows)).astype(np.int64)
    data = trained.data.taken(rows)
    matrix = to_matrix(data.features, fit.columns)
    added = candidates.parts(fit.models[kind], matrix, fit.columns)
    found = []
    for place, column in enumerate(fit.columns):
        values, sizes = matrix[:, place].astype(np.float64), added[:, place]
        found.append(
            (column.feature, float(np.abs(sizes - sizes.mean()).mean()), *_curve(values, sizes, column.levels))
        )
    return sorted(found, key=lambda entry: -entry[1])


def _curve(values: Numbers, sizes: Numbers, levels: Sequence[str]) -> tuple[Numbers, Numbers]:
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros(0), np.zeros(0)
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, 16)))
    places = np.searchsorted(edges, values[known], side="left")
    counts = np.bincount(places, minlength=len(edges))
    with np.errstate(invalid="ignore", divide="ignore"):
        xs = np.bincount(places, weights=values[known], minlength=len(edges)) / counts
        ys = np.bincount(places, weights=sizes[known], minlength=len(edges)) / counts
    return xs[counts > 0], ys[counts > 0]


def _effects(trained: Trained) -> str:
    found = effects(trained)
    if not found:
        return ""
    shown = found[:12]
    drawn = [pictures.lying_bars("Mean change of the log odds", [e[0] for e in shown], [e[1] for e in shown])]
    drawn += [
        pictures.plot(name, [Line(name, list(xs), list(ys), dots=True)], "value", "log odds", square=False)
        for name, _, xs, ys in found[:MOST_EFFECTS]
        if len(xs) > 1
    ]
    return f'<h2>What moves the answer</h2><div class="plots">{"".join(drawn)}</div>'


def _split_plots(split: Split, serves: str) -> list[str]:
    kinds = [
        kind for kind in dict.fromkeys((serves, "xgboost", "logistic", "naive_bayes_raw")) if kind in split.answers
    ]
    roc = [Line(NAMES[kind], *_roc(split.answers[kind], split.won)) for kind in kinds]
    precision = [Line(NAMES[kind], *_precision_recall(split.answers[kind], split.won)) for kind in kinds]
    told, truth = _reliability(split.answers[serves], split.won)
    top = float(max(told.max(initial=0.01), truth.max(initial=0.01)))
    lifts = _lifts(split.answers[serves], split.won)
    reliability = Line(NAMES[serves], list(told), list(truth), dots=True)
    return [
        pictures.plot("ROC", roc, "false positives", "true positives", diagonal=True),
        pictures.plot("Precision and recall", precision, "recall", "precision"),
        pictures.plot("Reliability: told and true", [reliability], "probability told", "share won", diagonal=True,
                      square=top > 0.5 or len(told) < 2),
        pictures.bars("Lift by tenth, best first", [str(i + 1) for i in range(len(lifts))], lifts, "× usual rate"),
    ]  # fmt: skip


def _roc(answers: Numbers, won: Flags) -> tuple[list[float], list[float]]:
    hits, misses = _cumulated(answers, won)
    return _thin(np.append(0, misses / max(misses[-1], 1))), _thin(np.append(0, hits / max(hits[-1], 1)))


def _precision_recall(answers: Numbers, won: Flags) -> tuple[list[float], list[float]]:
    hits, misses = _cumulated(answers, won)
    return _thin(hits / max(hits[-1], 1)), _thin(hits / (hits + misses))


def _cumulated(answers: Numbers, won: Flags) -> tuple[Numbers, Numbers]:
    order = np.argsort(-answers, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(answers[order])), len(order) - 1)
    return np.cumsum(won[order])[ends].astype(float), np.cumsum(~won[order])[ends].astype(float)


def _reliability(answers: Numbers, won: Flags) -> tuple[Numbers, Numbers]:
    edges = np.unique(np.quantile(answers, np.linspace(0, 1, 11)[1:-1]))
    places = np.searchsorted(edges, answers, side="left")
    counts = np.bincount(places)
    kept = counts > 0
    return (
        np.bincount(places, weights=answers)[kept] / counts[kept],
        np.bincount(places, weights=won.astype(np.float64))[kept] / counts[kept],
    )


def _lifts(answers: Numbers, won: Flags) -> list[float]:
    """By tenths; equal answers share their mean, so that ties show no order that is not there."""
    order = np.argsort(-answers, kind="stable")
    _, places = np.unique(answers, return_inverse=True)
    means = np.bincount(places, weights=won.astype(np.float64)) / np.bincount(places)
    shared = means[places][order]
    return [float(part.mean() / max(won.mean(), 1e-9)) for part in np.array_split(shared, 10) if len(part)]


def _thin(values: Numbers) -> list[float]:
    if len(values) <= MOST_POINTS:
        return [float(value) for value in values]
    return [float(value) for value in values[np.linspace(0, len(values) - 1, MOST_POINTS).astype(np.int64)]]


def _measured_table(split: Split, serves: str) -> str:
    head = "".join(f'<th class="n">{name}</th>' for name in MEASURES.values())
    rows = []
    for kind in _kinds(split):
        cells = "".join(f'<td class="n">{_interval(split.measured[kind][name])}</td>' for name in MEASURES)
        mark = ' class="serves"' if kind == serves else ""
        rows.append(f"<tr{mark}><td>{NAMES[kind]}{' (serves)' if kind == serves else ''}</td>{cells}</tr>")
    return f"<table><tr><th>candidate</th>{head}</tr>{''.join(rows)}</table>"


def _kinds(split: Split) -> list[str]:
    return [kind for kind in ORDER if kind in split.measured]


def _interval(told: Mapping[str, float]) -> str:
    return f"{told['value']:.3f} ({told['low']:.3f} to {told['high']:.3f})"


def _columns(trained: Trained) -> list[str]:
    data = trained.data
    alone = sorted(trained.alone.items(), key=lambda entry: -entry[1])
    used = {feature.column for feature in data.features}
    return [
        "<h2>Columns</h2>",
        _table(
            ("column", "AUC alone", "becomes"),
            [(c, f"{value:.3f}", "used" if c in used else data.left_out.get(c, "")) for c, value in alone],
        ),
        "<h3>Left out</h3>",
        _table(("column", "why"), sorted(data.left_out.items())),
        "<h3>Read as missing</h3>",
        _table(
            ("column", "what stood there (rows)"),
            [(c, ", ".join(f"{w!r} ({n:,})" for w, n in found.items())) for c, found in sorted(data.missing.items())],
        ),
        "<h3>Notes</h3><ul>" + "".join(f"<li>{escape(note)}</li>" for note in data.notes) + "</ul>",
    ]


def _facts(document: Mapping[str, Any]) -> str:
    kept = ("version", "kind", "rows", "won", "slices", "calibration_method", "data_sha256", "seed", "library_versions")
    shown = {**document, "calibration_method": document["calibration"]["method"]}
    return "<h2>Facts</h2>" + _table(("fact", "value"), [(name, str(shown[name])) for name in kept if name in shown])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p><small>none</small></p>"
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
