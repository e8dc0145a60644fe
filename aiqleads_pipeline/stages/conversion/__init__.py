"""The conversion model: reading outcomes, training, judging, predicting.

Belongs here: what is learnt from outcomes about single leads. Does not belong here: what is learnt about sources
(``stages.score.source_reliability``) and where models are kept (``resources.models``).
"""

from aiqleads_pipeline.stages.conversion.features import FEATURES, feature_rows
from aiqleads_pipeline.stages.conversion.model import ConversionModel, ModelUnusable
from aiqleads_pipeline.stages.conversion.outcomes import NoOutcomes, Outcomes, meaning_of_outcome, parse_outcomes
from aiqleads_pipeline.stages.conversion.training import TrainedModel, Unsound, train

__all__ = [
    "FEATURES",
    "ConversionModel",
    "ModelUnusable",
    "NoOutcomes",
    "Outcomes",
    "TrainedModel",
    "Unsound",
    "feature_rows",
    "meaning_of_outcome",
    "parse_outcomes",
    "train",
]
