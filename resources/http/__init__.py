"""The only place that opens an HTTP connection: egress guard, limits, retries by kind of error, breaker, redaction.

Belongs here: how anything is called. Does not belong here: what is called for (providers, CRMs, webhooks out, JWKS and
the scraper hold an ``HttpClient``). The linter bans every other HTTP client and bare sockets elsewhere.
"""

from resources.http.addresses import Url, parse_url, redacted, why_blocked
from resources.http.answers import Answer, retry_after_seconds
from resources.http.breaker import Breaker
from resources.http.client import HttpClient, Limits
from resources.http.errors import (
    AnswerLost,
    AnswerTooLarge,
    BadAnswer,
    BadRequest,
    CertificateRefused,
    CircuitOpen,
    EgressRefused,
    HttpError,
    NotConnected,
    PermanentError,
    RefusedStatus,
    TimedOut,
    TooManyRedirects,
    TransientError,
    UnavailableStatus,
    UnknownHost,
)

__all__ = [
    "Answer", "AnswerLost", "AnswerTooLarge", "BadAnswer", "BadRequest", "Breaker", "CertificateRefused",
    "CircuitOpen", "EgressRefused", "HttpClient", "HttpError", "Limits", "NotConnected", "PermanentError",
    "RefusedStatus", "TimedOut", "TooManyRedirects", "TransientError", "UnavailableStatus", "UnknownHost", "Url",
    "parse_url", "redacted", "retry_after_seconds", "why_blocked",
]  # fmt: skip
