"""All doubles of one sandbox, their faults and journals. No sockets here: ``wire`` brings requests in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiqleads_pipeline.sandbox.doubles.alarms import PagerDuty, Slack
from aiqleads_pipeline.sandbox.doubles.apollo import Apollo
from aiqleads_pipeline.sandbox.doubles.hubspot import HubSpot
from aiqleads_pipeline.sandbox.doubles.hunter import Hunter
from aiqleads_pipeline.sandbox.doubles.mailbox import Mailbox
from aiqleads_pipeline.sandbox.doubles.opencorporates import OpenCorporates
from aiqleads_pipeline.sandbox.doubles.people_data_labs import PeopleDataLabs
from aiqleads_pipeline.sandbox.doubles.places import Places
from aiqleads_pipeline.sandbox.doubles.rest import Rest
from aiqleads_pipeline.sandbox.doubles.salesforce import Salesforce
from aiqleads_pipeline.sandbox.doubles.sites import Sites
from aiqleads_pipeline.sandbox.doubles.webhooks import Webhooks
from aiqleads_pipeline.sandbox.doubles.zerobounce import ZeroBounce
from aiqleads_pipeline.sandbox.exchange import Double
from aiqleads_pipeline.sandbox.faults import Faults
from aiqleads_pipeline.sandbox.journal import Journal

KINDS: tuple[type[Double], ...] = (
    Salesforce, HubSpot, PeopleDataLabs, Apollo, OpenCorporates, Hunter, ZeroBounce, Places, Sites, Rest,
    Webhooks, Slack, PagerDuty, Mailbox,
)  # fmt: skip
NAMES = tuple(kind.name for kind in KINDS)


class World:
    """Everything that a sandbox holds."""

    def __init__(
        self, seed: int = 0, receivers: Sequence[str] = (), now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.seed, self.now = seed, now
        self.doubles: dict[str, Double] = {kind.name: kind(seed, now) for kind in KINDS}
        for name in receivers:
            if name in self.doubles:
                raise ValueError(f"there is a double {name} already")
            self.doubles[name] = Webhooks(seed, now)
        self.journals = {name: Journal() for name in self.doubles}
        self.faults = Faults(seed)
        self.ports: dict[str, int] = {}

    def reset(self) -> None:
        """State, counts, faults and settings as at the start."""
        for name, double in self.doubles.items():
            double.reset()
            self.journals[name].clear()
        self.faults.clear()

    def state(self) -> dict[str, Any]:
        """Counts and facts of all doubles."""
        return {
            name: {
                "title": double.title,
                "port": self.ports.get(name),
                **self.journals[name].counts(),
                "facts": double.facts(),
            }
            for name, double in self.doubles.items()
        }
