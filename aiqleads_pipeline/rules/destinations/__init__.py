"""Destinations: ``destinations.yaml``.

Belongs here: where leads and notices are delivered to, which of them, how fast and how often. Does not belong here: how
they are sent (``resources``), what builds one from its rule (``delivering.kinds``) and what became of a delivery
(``resources.store.deliveries``).
"""

from aiqleads_pipeline.rules.destinations.base import Destination, FileDestination, QuietHours, SentDestination
from aiqleads_pipeline.rules.destinations.crm import HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.rules.destinations.loading import (
    DestinationRules,
    DestinationsFile,
    load_destinations,
    team_faults,
)
from aiqleads_pipeline.rules.destinations.messages import EmailDestination, PagerDutyDestination, SlackDestination
from aiqleads_pipeline.rules.destinations.schedules import SCHEDULES, duration_seconds
from aiqleads_pipeline.rules.destinations.web import CallbackDestination, WebhookDestination

__all__ = [
    "SCHEDULES", "CallbackDestination", "Destination", "DestinationRules", "DestinationsFile", "EmailDestination",
    "FileDestination", "HubSpotDestination", "PagerDutyDestination", "QuietHours", "SalesforceDestination",
    "SentDestination", "SlackDestination", "WebhookDestination", "duration_seconds", "load_destinations",
    "team_faults",
]  # fmt: skip
