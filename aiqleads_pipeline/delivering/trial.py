"""The test button: a made-up lead sent to a destination at once, past the outbox.

Belongs here: what the command and the API call alike. Does not belong here: leads (``worker``), who may ask
(``doors``).
"""

from __future__ import annotations

import uuid
from typing import Any

from aiqleads_pipeline.delivering.kinds import build
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations import SentDestination
from resources.destinations import Parcel, Receipt

SAMPLE_LEAD: dict[str, Any] = {
    "test": True,
    "reasons": [],
    "source": "test",
    "external_id": "test",
    "team": None,
    "owner": None,
    "priority": "P4",
    "sla_due_at": None,
    "lead_score": 0,
    "contact": {"full_name": "Test Lead", "email": "test@example.com", "phone": None, "consent": None},
    "company": {"name": "Example", "domain": "example.com"},
    "interest": {"message": "A test of this destination: there is no such lead."},
}


def send_test(outside: Outside, rule: SentDestination) -> Receipt:
    """Send the made-up lead; CRMs check their log-in instead.

    Raises:
        NotBuilt: the destination can't be used as its rule stands.
    """
    timeout = rule.timeout_seconds or float(outside.settings.pipeline.DELIVERY_TIMEOUT)
    built = build(rule, outside)
    try:
        if callable(own := getattr(built.destination, "test", None)):
            receipt: Receipt = own(timeout_seconds=timeout)
            return receipt
        test_id = uuid.uuid4()
        body = {"delivery_id": str(test_id), "lead_id": str(test_id), **SAMPLE_LEAD}
        parcel = Parcel(test_id, test_id, rule.name, 1, 4, outside.settings.now(), body)
        return built.destination.deliver([parcel], timeout_seconds=timeout)[0]
    finally:
        built.close()
