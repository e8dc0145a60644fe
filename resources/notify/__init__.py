"""Ways to reach a person: e-mail, Slack-compatible webhooks, PagerDuty-compatible events.

Belongs here: one module per way, each a ``resources.destinations.Destination``, and what an attempt came to in the
words of a receipt. Does not belong here: who is told what and when (``aiqleads_pipeline.alerting``, ``delivering``).
"""

from __future__ import annotations

from resources.destinations import Outcome, Parcel, Receipt
from resources.http import HttpError, RefusedStatus, TransientError, UnavailableStatus
from resources.http.errors import EgressRefused, UnknownHost


def is_notice(parcel: Parcel) -> bool:
    """Whether it is a notice; else it is a lead."""
    return "topic" in parcel.body


def receipt_of(parcel: Parcel, error: HttpError) -> Receipt:
    """What a failed call came to. A target that can't be called is mended in the rules, so that the parcel waits."""
    status = error.status if isinstance(error, RefusedStatus | UnavailableStatus) else None
    wait = error.retry_after_seconds if isinstance(error, TransientError) else None
    if isinstance(error, TransientError | EgressRefused | UnknownHost):
        outcome = Outcome.RETRY
    elif status == 410:
        outcome = Outcome.GONE
    else:
        outcome = Outcome.REFUSED
    return Receipt(parcel.delivery_id, outcome, None, error.code, str(error), wait, status_code=status)
