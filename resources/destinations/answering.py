"""What an HTTP exchange means for a delivery: the one place that tells the outcomes of webhooks and callbacks apart.

Belongs here: statuses and errors to receipts. Does not belong here: when it is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from resources.destinations import Outcome, Receipt
from resources.destinations.redaction import redacted_answer
from resources.http import (
    Answer,
    BadRequest,
    CertificateRefused,
    EgressRefused,
    HttpError,
    RefusedStatus,
    TransientError,
    UnavailableStatus,
    UnknownHost,
)

# 4xx that heal when somebody over there mends a key, a path or an overload; every other one is final.
HEALING_STATUSES = frozenset({401, 402, 403, 404, 407, 408, 409, 421, 423, 424, 425, 429})
GONE_STATUS = 410
_CODES = {
    "not_connected": "receiver_unreachable",
    "answer_lost": "answer_lost",
    "timed_out": "receiver_timed_out",
    "circuit_open": "receiver_unreachable",
}


def receipt_of_answer(delivery_id: UUID, answer: Answer, sent_bytes: int, sent: Mapping[str, Any]) -> Receipt:
    """What an answer with any status means: 2xx is delivered, 3xx a failure, 410 the end of all deliveries."""
    status = answer.status
    if 200 <= status < 300:
        outcome, code, detail = Outcome.DELIVERED, None, None
    elif status == GONE_STATUS:
        outcome, code, detail = Outcome.GONE, "receiver_gone", "answered 410: it wants no more deliveries"
    elif 300 <= status < 400:
        outcome, code, detail = Outcome.RETRY, "receiver_redirected", f"answered {status}: redirects are not followed"
    elif status == 429:
        outcome, code, detail = Outcome.RETRY, "receiver_throttled", "answered 429: too many requests"
    elif 400 <= status < 500 and status not in HEALING_STATUSES:
        outcome, code, detail = Outcome.REFUSED, "receiver_refused", f"answered {status}: the request is not wanted"
    elif 400 <= status < 500:
        outcome, code, detail = Outcome.RETRY, "receiver_denied", f"answered {status}"
    else:
        outcome, code, detail = Outcome.RETRY, "receiver_failed", f"answered {status}"
    return Receipt(
        delivery_id,
        outcome,
        error_code=code,
        detail=detail,
        retry_after_seconds=None if outcome is Outcome.DELIVERED else answer.retry_after_seconds,
        status_code=status,
        sent_bytes_count=sent_bytes,
        answer_bytes_count=len(answer.body),
        answer=None if outcome is Outcome.DELIVERED else redacted_answer(answer.body, sent),
    )


def receipt_of_error(delivery_id: UUID, error: HttpError, sent_bytes: int, sent: Mapping[str, Any]) -> Receipt:
    """What a failed exchange means. Messages of ``resources.http`` show scheme and host only."""
    if isinstance(error, UnavailableStatus | RefusedStatus):
        return receipt_of_answer(delivery_id, error.answer, sent_bytes, sent)
    outcome, code = Outcome.RETRY, "receiver_failed"
    if isinstance(error, EgressRefused):
        code = "address_blocked"
    elif isinstance(error, UnknownHost | CertificateRefused):
        code = "receiver_unreachable"
    elif isinstance(error, BadRequest):
        outcome, code = Outcome.REFUSED, "request_impossible"
    elif isinstance(error, TransientError):
        code = _CODES.get(error.code, code)
    pause = error.retry_after_seconds if isinstance(error, TransientError) else None
    return Receipt(
        delivery_id,
        outcome,
        error_code=code,
        detail=str(error),
        retry_after_seconds=pause,
        sent_bytes_count=sent_bytes,
    )
