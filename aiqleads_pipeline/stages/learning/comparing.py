"""Whether a challenger is better than the champion on the same latest outcomes, and worse nowhere.

Belongs here: the comparison and its margins. Does not belong here: putting a model in force (``resources.models``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiqleads_pipeline.stages.learning.measures import auc, measure
from aiqleads_pipeline.stages.learning.types import Flags, Numbers

LEAST_OUTCOMES = 100  # that neither has seen
LEAST_OF_EACH = 20
SEGMENT_OUTCOMES = 100
SEGMENT_OF_EACH = 10
SEGMENT_MARGIN = 0.03  # AUC that a segment may lose


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger takes over, in words, with the figures of both."""

    is_better: bool
    words: str
    champion: dict[str, float]
    challenger: dict[str, float]


def compare(won: Flags, champion: Numbers, challenger: Numbers, segments: Sequence[str | None]) -> Verdict:
    """Better in AUC, lift at 10 % and Brier, and no segment worse by more than the margin; else the champion stays."""
    if len(won) < LEAST_OUTCOMES or min(won.sum(), (~won).sum()) < LEAST_OF_EACH:
        words = (
            f"{len(won)} new outcomes, {int(won.sum())} won; at least {LEAST_OUTCOMES} and {LEAST_OF_EACH} of each "
            "are needed to compare"
        )
        return Verdict(False, words, {}, {})
    old, new = measure(champion, won), measure(challenger, won)
    worse = [
        f"{name} {new[key]:.4f} against {old[key]:.4f}"
        for name, key, sign in (("AUC", "auc", 1), ("lift at 10 %", "lift_at_10", 1), ("Brier", "brier", -1))
        if sign * (new[key] - old[key]) <= 0
    ]
    named = np.asarray([segment or "" for segment in segments])
    for segment in sorted(set(named)):
        rows = named == segment
        if rows.sum() < SEGMENT_OUTCOMES or min(won[rows].sum(), (~won[rows]).sum()) < SEGMENT_OF_EACH:
            continue
        lost = auc(champion[rows], won[rows]) - auc(challenger[rows], won[rows])
        if lost > SEGMENT_MARGIN:
            worse.append(f"segment {str(segment)!r} loses {lost:.3f} of AUC, at most {SEGMENT_MARGIN} is allowed")
    words = "; ".join(worse) if worse else f"AUC {new['auc']:.3f} against {old['auc']:.3f} on {len(won)} new outcomes"
    return Verdict(not worse, words, old, new)
