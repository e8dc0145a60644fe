"""Trains on a labelled table and judges: leaks out, candidates side by side, the simplest good one serves.

Belongs here: splits, measures, the choice. Does not belong here: one fit (``fitting``), pages (``report``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from aiqleads_pipeline.stages.learning import measures
from aiqleads_pipeline.stages.learning.fitting import Fit, fit_all, stratified_folds
from aiqleads_pipeline.stages.learning.leaks import Leak, find_leaks
from aiqleads_pipeline.stages.learning.table import Labelled
from aiqleads_pipeline.stages.learning.types import Codes, Flags, Numbers

LEAST_ROWS = 200
LEAST_OF_EACH = 30
FOLDS = 5
LATER_SHARE = 0.2
SURE = 3.0  # standard deviations above chance that a ranking must be
LEAST_AUC = 0.55  # a ranking that is sure but this weak is of no use to anybody
SIMPLE_FIRST = ("prior", "rules", "naive_bayes", "logistic", "xgboost")
MARGIN_AUC = 0.002  # what a more complicated model must bring


@dataclass(frozen=True)
class Split:
    """Answers of all candidates on rows they were not fitted on, with what is said of them."""

    name: str
    words: str
    won: Flags
    answers: dict[str, Numbers]
    folds: Codes | None
    measured: dict[str, dict[str, dict[str, float]]]  # candidate -> measure -> value, low, high


@dataclass(frozen=True)
class Trained:
    """What training found; ``serves`` is the candidate that is good enough, ``prior`` where none is."""

    data: Labelled
    leaks: list[Leak]
    allowed_leaks: list[Leak]
    alone: dict[str, float]
    splits: list[Split]  # the first is the one that counts
    serves: str
    warnings: list[str]
    why: str
    fit: Fit | None
    slices: dict[str, int] = field(default_factory=dict)

    @property
    def is_model(self) -> bool:
        """Whether something better than the usual rate serves."""
        return self.serves != "prior"

    @property
    def metrics(self) -> dict[str, float]:
        """The figures of what serves, on the split that counts."""
        if not self.splits:
            return _figures_of_prior(self.data.won)
        return {name: told["value"] for name, told in self.splits[0].measured[self.serves].items()}


def learn(
    data: Labelled,
    *,
    allow: Collection[str] = (),
    seed: int = 0,
    threads: int = 1,
    rules: Numbers | None = None,
) -> Trained:
    """Train and judge.

    Args:
        data: of ``label_table``.
        allow: columns that stay although they look like leaks.
        seed: of all draws; the same rows and seed give the same model.
        threads: of XGBoost.
        rules: the probability that the scoring rules give each row, where they can.
    """
    good, bad = int(data.won.sum()), int((~data.won).sum())
    if data.rows < LEAST_ROWS or min(good, bad) < LEAST_OF_EACH:
        why = f"{data.rows} labelled rows, {good} won and {bad} not; at least {LEAST_ROWS} and {LEAST_OF_EACH} of each"
        return Trained(data, [], [], {}, [], "prior", [f"no model: {why} are needed"], why + " are needed", None)
    leaks, alone = find_leaks(data, allow, threads)
    allowed = [leak for leak in find_leaks(data, (), threads)[0] if leak.column in allow] if allow else []
    kept = data.without({leak.column: f"leak: {leak.evidence}" for leak in leaks})
    warnings = [f"{leak.column!r} is refused as a leak: {leak.evidence}" for leak in leaks]
    warnings += [f"{leak.column!r} is allowed by name although {leak.evidence}" for leak in allowed]
    if not kept.features:
        warnings.append("no model: no column is left to learn from")
        return Trained(kept, leaks, allowed, alone, [], "prior", warnings, "no column is left to learn from", None)
    # Several fits at once, each on one thread: faster than several threads on one fit, which wait for each other.
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        fitting = pool.submit(fit_all, kept, seed, 1)
        later_split = pool.submit(_later, kept, seed, rules)
        crossed, later = _cross_validated(kept, seed, rules, pool), later_split.result()
        fit = fitting.result()
    splits = [each for each in ((later, crossed) if data.is_timed else (crossed, later)) if each]
    serves, why = choose(splits[0])
    if serves == "prior":
        warnings.append(f"no model: {why}. The usual rate of {kept.won.mean():.1%} is what is known of everybody")
    elif serves != "xgboost":
        warnings.append(f"the trees do not beat the simpler {serves}: {why}")
    warnings += _rules_rank_better(splits[0], serves)
    if len(splits) == 2:
        warnings += _disagreement(splits, serves)
    return Trained(kept, leaks, allowed, alone, splits, serves, warnings, why, fit, fit.slices)


def choose(split: Split) -> tuple[str, str]:
    """Who serves, and why: the simplest candidate that no more complicated one beats in ranking and in error."""
    chance = 0.5 + SURE * measures.auc_by_chance(split.won)
    usual = split.measured["prior"]["brier"]["value"]
    good = {}
    for kind in SIMPLE_FIRST[1:]:
        if kind not in split.measured:
            continue
        told = {name: entry["value"] for name, entry in split.measured[kind].items()}
        if told["auc"] > max(chance, LEAST_AUC) and told["brier"] < usual:
            good[kind] = told
    if not good:
        tried = {kind: split.measured[kind]["auc"]["value"] for kind in SIMPLE_FIRST[1:] if kind in split.measured}
        best = max(tried, key=lambda kind: tried[kind], default="nothing")
        needed = max(chance, LEAST_AUC)
        return "prior", (
            f"nothing ranks better than chance would, or no better than the usual rate: best is {best} with AUC "
            f"{tried.get(best, 0.5):.3f}, above {needed:.3f} and a smaller Brier than {usual:.4f} are needed"
        )
    chosen = next(iter(good))
    for kind in list(good)[1:]:
        if good[kind]["auc"] > good[chosen]["auc"] + MARGIN_AUC and good[kind]["brier"] < good[chosen]["brier"]:
            chosen = kind
    others = {kind: told for kind, told in good.items() if kind != chosen}
    rival = max(others, key=lambda kind: others[kind]["auc"], default="prior")
    against = split.measured[rival]
    return chosen, (
        f"{chosen} AUC {good[chosen]['auc']:.3f}, Brier {good[chosen]['brier']:.4f}; best other {rival} "
        f"AUC {against['auc']['value']:.3f}, Brier {against['brier']['value']:.4f}"
    )


def border_of(rows: int) -> int:
    """The first of the latest rows, which models of those before are judged on."""
    return int(rows * (1 - LATER_SHARE))


def data_hash(data: Labelled) -> str:
    """SHA-256 of all that is learnt from."""
    digest = hashlib.sha256(data.won.tobytes())
    for feature in data.features:
        digest.update(feature.name.encode())
        values = feature.codes if feature.codes is not None else feature.numbers
        digest.update(values.tobytes())  # type: ignore[union-attr]
        digest.update("\x1f".join(feature.words).encode())
    return digest.hexdigest()


def _cross_validated(data: Labelled, seed: int, rules: Numbers | None, pool: ThreadPoolExecutor) -> Split:
    folds = stratified_folds(data.won.astype(np.int64), FOLDS, seed)
    answers: dict[str, Numbers] = {}
    for fold, found in enumerate(pool.map(lambda fold: _answered(data, folds, fold, seed), range(FOLDS))):
        for kind, part in found.items():
            answers.setdefault(kind, np.full(data.rows, np.nan))[folds == fold] = part
    answers = {kind: found for kind, found in answers.items() if not np.isnan(found).any()}
    words = f"cross-validation: {FOLDS} folds drawn at random, each answered by models that never saw it"
    return _split("cross_validation", words, data.won, _and_rules(answers, rules), folds, seed)


def _answered(data: Labelled, folds: Codes, fold: int, seed: int) -> dict[str, Numbers]:
    fit = fit_all(data.taken(np.flatnonzero(folds != fold)), seed + fold, 1)
    return fit.all_answers(data.taken(np.flatnonzero(folds == fold)))


def _later(data: Labelled, seed: int, rules: Numbers | None) -> Split | None:
    """The last fifth of the rows, answered by models of those before."""
    border = border_of(data.rows)
    before, after = data.taken(np.arange(border)), data.taken(np.arange(border, data.rows))
    if min(before.won.sum(), (~before.won).sum(), after.won.sum(), (~after.won).sum()) < 5:
        return None
    ordered = (
        f"time order{f' by {data.time_column!r}' if data.time_column else ''}"
        if data.is_timed
        else "the order of the file, which may or may not be time"
    )
    words = f"the last {LATER_SHARE:.0%} of the rows in {ordered}, answered by models of the rows before"
    answers = fit_all(before, seed, 1).all_answers(after)
    return _split("later", words, after.won, _and_rules(answers, None if rules is None else rules[border:]), None, seed)


def _and_rules(answers: Mapping[str, Numbers], rules: Numbers | None) -> dict[str, Numbers]:
    return {**answers, **({} if rules is None else {"rules": rules})}


def _split(name: str, words: str, won: Flags, answers: dict[str, Numbers], folds: Codes | None, seed: int) -> Split:
    measured = {kind: measures.with_intervals(found, won, folds, seed) for kind, found in answers.items()}
    return Split(name, words, won, answers, folds, measured)


def _rules_rank_better(split: Split, serves: str) -> list[str]:
    """Rules that rank better but say a worse probability can't serve as one: a person should know."""
    if serves == "rules" or "rules" not in split.measured:
        return []
    ours, theirs = (split.measured[kind] for kind in (serves, "rules"))
    if theirs["auc"]["value"] <= ours["auc"]["value"] + MARGIN_AUC:
        return []
    return [
        f"the rules rank better (AUC {theirs['auc']['value']:.3f} against {ours['auc']['value']:.3f}), but their "
        f"probabilities are worse (Brier {theirs['brier']['value']:.4f} against {ours['brier']['value']:.4f})"
    ]


def _disagreement(splits: list[Split], serves: str) -> list[str]:
    first, other = (split.measured[serves] for split in splits)
    usual = [float(split.won.mean()) for split in splits]
    gap = first["auc"]["value"] - other["auc"]["value"]
    if gap < 0.05 and other["ece"]["value"] < max(0.05, 2 * first["ece"]["value"]):
        return []
    return [
        f"figures differ by split: {splits[0].name} AUC {first['auc']['value']:.3f}, ECE {first['ece']['value']:.3f}; "
        f"{splits[1].name} AUC {other['auc']['value']:.3f}, ECE {other['ece']['value']:.3f} "
        f"(won {usual[0]:.1%} against {usual[1]:.1%}): if the rows are in time order, expect the latter"
    ]


def _figures_of_prior(won: Flags) -> dict[str, float]:
    if not len(won):
        return {"auc": 0.5, "average_precision": 0.0, "brier": 0.0, "ece": 0.0, "lift_at_10": 1.0}
    return measures.measure(np.full(len(won), float(won.mean())), won)
