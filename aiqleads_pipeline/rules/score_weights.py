"""The weights of the parts of a score, and the segments of leads that have other weights (in ``scoring.yaml``).

Belongs here: their shape and what makes them unsound. Does not belong here: how a part is counted (``scoring``).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from aiqleads_pipeline.contract import EMPLOYEE_BANDS, NAICS_SECTORS
from aiqleads_pipeline.rules.countries import COUNTRY_CODES
from aiqleads_pipeline.rules.loading import RuleFile, RuleModel

Share = Annotated[float, Field(ge=0, le=1)]
SegmentId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
MOST_SEGMENTS = 60  # each is a bit of a whole number
EVERY_LEAD = "default"  # the weights of leads in no segment


class Weights(RuleModel):
    """Share of each part in the lead score."""

    completeness: Share
    freshness: Share
    source_reliability: Share
    engagement: Share
    segment_fit: Share
    budget_fit: Share
    intent: Share
    historical: Share
    conversion: Share


class Segment(RuleModel):
    """Leads that are weighed otherwise: those that are in every list that is given."""

    id: SegmentId
    industries: list[str] = Field(default_factory=list)
    sizes: list[str] = Field(default_factory=list)
    countries: list[str] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)
    weights: Weights

    @field_validator("industries", mode="before")
    @classmethod
    def _codes_are_text(cls, value: Any) -> Any:
        """An unquoted 51 is still the sector "51"."""
        return [str(code) for code in value] if isinstance(value, list) else value


def weight_faults(weights: Weights, file: RuleFile, *where: str | int) -> list[str]:
    """What is wrong with the weights at a place of the file."""
    shares: dict[str, float] = weights.model_dump()
    name = ".".join(str(step) for step in where)
    faults = []
    if abs(sum(shares.values()) - 1) > 1e-9:
        faults.append(file.fault(f"{name}: they sum to {sum(shares.values()):.4f}, not to 1", *where))
    for part, weight in shares.items():
        if abs(round(weight, 4) - weight) > 1e-12:
            faults.append(file.fault(f"{name}.{part}: at most four decimals", *where, part))
    return faults


def segment_faults(segments: list[Segment], file: RuleFile) -> list[str]:
    """What is wrong with the segments."""
    legal = {"industries": tuple(NAICS_SECTORS), "sizes": EMPLOYEE_BANDS, "countries": COUNTRY_CODES}
    faults = []
    seen = {EVERY_LEAD}
    for i, segment in enumerate(segments):
        where = ("segments", i)
        faults += weight_faults(segment.weights, file, *where, "weights")
        if segment.id in seen:
            faults.append(file.fault(f"segments: {segment.id!r} is taken", *where))
        seen.add(segment.id)
        if not any(getattr(segment, key) for key in (*legal, "sources")):
            faults.append(file.fault(f"segments: {segment.id!r} asks for nothing: change `weights`", *where))
        for key, codes in legal.items():
            for code in getattr(segment, key):
                if code not in codes:
                    faults.append(file.fault(f"segments.{key}: {code!r} is unknown", *where, key))
    return faults
