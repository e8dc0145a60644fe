"""Learning from any labelled table: what its columns mean, which of them leak, and a model that is judged honestly.

Belongs here: everything between a table of text (or of known features) and a judged model with its report. Does not
belong here: which features a lead of ours has (``stages.conversion``), where models are kept (``resources.models``),
what a command prints (``commands``).
"""

from aiqleads_pipeline.stages.learning.labels import LabelUnclear, read_label
from aiqleads_pipeline.stages.learning.table import Labelled, Untrainable, label_table
from aiqleads_pipeline.stages.learning.trainer import Trained, learn

__all__ = ["LabelUnclear", "Labelled", "Trained", "Untrainable", "label_table", "learn", "read_label"]
