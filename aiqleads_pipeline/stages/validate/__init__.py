"""Raw rows become typed, normalised leads, or rejected rows with every reason.

Belongs here: what a cell means (``sql/stages/validate``, ``sql/macros``) and which rows are accepted. Does not belong
here: whether two leads are one (``stages.identify``), facts the lead did not bring (``stages.enrich``).
"""

from aiqleads_pipeline.stages.validate.check import Policy, check_leads
from aiqleads_pipeline.stages.validate.rejections import list_rejections, split_valid

__all__ = ["Policy", "check_leads", "list_rejections", "split_valid"]
