"""What can go wrong with a call out, typed by whether a retry can help: the one place that decides it.

``TransientError`` may go away by itself, ``PermanentError`` may not. Messages name an address only as
``addresses.redacted`` shows it (no path, no query, no credential) and quote nothing of a body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.http.answers import Answer

TRANSIENT_STATUSES = frozenset(
    {408, 421, 423, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529, 530}
)


class HttpError(Exception):
    """Base of everything a call out can raise. ``code`` is stable; the message is one line without secrets."""

    code = "http_error"


class TransientError(HttpError):
    """A retry can help. ``was_sent``: the receiver may have seen the request; repeat it only if it may come twice."""

    code = "transient"

    def __init__(self, message: str, *, retry_after_seconds: float | None = None, was_sent: bool = False) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.was_sent = was_sent


class NotConnected(TransientError):
    """No connection came about: a name that can't be looked up just now, a refused or silent port."""

    code = "not_connected"


class AnswerLost(TransientError):
    """The connection broke before the answer was whole."""

    code = "answer_lost"


class TimedOut(TransientError):
    """The whole call, or one wait for data, took longer than its limit."""

    code = "timed_out"


class CircuitOpen(TransientError):
    """The host failed so often, or asked for so long a pause, that it is not called just now. Nothing was sent."""

    code = "circuit_open"


class UnavailableStatus(TransientError):
    """An answer that says "later": 408, 425, 429, 5xx. ``answer`` is what came."""

    code = "unavailable_status"

    def __init__(self, message: str, answer: Answer, retry_after_seconds: float | None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds, was_sent=True)
        self.answer = answer
        self.status = answer.status


class PermanentError(HttpError):
    """A retry can't help: the request, its target or the answer must change."""

    code = "permanent"


class EgressRefused(PermanentError):
    """The guard does not allow this target: no connection was made to it."""

    code = "egress_refused"


class UnknownHost(PermanentError):
    """The name does not exist."""

    code = "unknown_host"


class CertificateRefused(PermanentError):
    """The host could not prove that it is the one that was asked for."""

    code = "certificate_refused"


class BadRequest(PermanentError):
    """The request can't be sent as given."""

    code = "bad_request"


class BadAnswer(PermanentError):
    """The answer is no legal HTTP, or of an encoding that was not asked for."""

    code = "bad_answer"


class AnswerTooLarge(PermanentError):
    """The answer is larger than the limit, as sent or as unpacked."""

    code = "answer_too_large"


class TooManyRedirects(PermanentError):
    """More redirects than the limit."""

    code = "too_many_redirects"


class RefusedStatus(PermanentError):
    """A 4xx, or another answer that is no success: the request is not wanted. ``answer`` is what came."""

    code = "refused_status"

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer
        self.status = answer.status
