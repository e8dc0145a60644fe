"""The clock of promises: ``slas.yaml``.

Belongs here: which leads have a clock, and what follows from silence. How long a promise is stands in
``routing.yaml``, when people work in ``teams.yaml``. A fault in this file holds up no batch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from aiqleads_pipeline.rules.destinations import EmailDestination, SlackDestination, load_destinations
from aiqleads_pipeline.rules.loading import RuleModel, RulesError, load_rules
from aiqleads_pipeline.rules.times import Length

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class Reassign(RuleModel):
    """When a lead goes to somebody else: so long (of the owner's working time) after the promise was broken."""

    after: Length = timedelta(minutes=30)
    most: Annotated[int, Field(ge=0, le=20)] = 2  # times; 0: never


class SlasFile(RuleModel):
    """``slas.yaml``."""

    enabled: bool = True
    priorities: Annotated[tuple[Literal["P1", "P2", "P3", "P4"], ...], Field(max_length=4)] = ("P1", "P2")
    counted_in: Literal["working_time", "always"] = "working_time"
    max_age: Length = timedelta(days=14)
    tell: Annotated[tuple[Name, ...], Field(max_length=20)] | None = None  # None: every Slack and every mail
    reassign: Reassign = Reassign()


@dataclass(frozen=True)
class SlaRules:
    """The file, checked by itself."""

    content: SlasFile
    tell: tuple[str, ...] = ()


def load_slas(rules_dir: Path, destinations: Collection[str] | None = None) -> SlaRules:
    """Read ``slas.yaml``; without the file there are no clocks.

    Raises:
        RulesError: every fault, one ``file:line: what`` per line.
    """
    path = rules_dir / "slas.yaml"
    if not path.exists():
        return SlaRules(SlasFile(enabled=False))
    content, file = load_rules(path, SlasFile)
    faults = [
        file.fault(f"there is no destination {name!r} that is sent to", "tell", i)
        for i, name in enumerate(content.tell or ())
        if destinations is not None and name not in destinations
    ]
    if faults:
        raise RulesError("\n".join(faults))
    if content.tell is not None:
        return SlaRules(content, content.tell)
    sent = load_destinations(rules_dir).sent.values()
    return SlaRules(content, tuple(n.name for n in sent if isinstance(n, SlackDestination | EmailDestination)))
