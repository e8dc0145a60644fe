"""Ways to reach a person: e-mail, Slack-compatible webhooks, PagerDuty-compatible events.

Belongs here: one module per way, each a ``resources.destinations.Destination``, and what an attempt came to in the
words of a receipt. Does not belong here: who is told what and when (``aiqleads_pipeline.alerting``, ``delivering``).
"""

from __future__ import annotations

from dataclasses import replace

from resources.destinations import Parcel, Receipt
from resources.destinations.answering import receipt_of_error
from resources.http import CertificateRefused, HttpError


def is_notice(parcel: Parcel) -> bool:
    """Whether it is a notice; else it is a lead."""
    return "topic" in parcel.body


def receipt_of(parcel: Parcel, error: HttpError, sent_bytes: int = 0) -> Receipt:
    """What a failed call came to, as for webhooks: a channel, a key or a name that somebody can mend is tried again."""
    receipt = receipt_of_error(parcel.delivery_id, error, sent_bytes, parcel.body)
    return replace(receipt, error_code=error.code) if isinstance(error, CertificateRefused) else receipt
