"""What an answer of a CRM means for a delivery: the one table from their error codes to ours.

Belongs here: whether a retry can help, by their code. Codes that are not known are refused for one record and retried
for a whole call: a record is set aside alone, an account's trouble passes. Their messages quote the lead: only codes
are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from resources.destinations import Outcome, Parcel, Receipt
from resources.http import CircuitOpen, HttpError, RefusedStatus, TransientError, UnavailableStatus

LIMIT_PAUSE_SECONDS = 900.0  # a daily limit is a rolling one: look again after a quarter of an hour
AUTH_PAUSE_SECONDS = 300.0
JOB_PAUSE_SECONDS = 60.0

_REFUSED = {
    # Salesforce
    "DUPLICATES_DETECTED": "crm_duplicate",
    "DUPLICATE_VALUE": "crm_duplicate",
    "DUPLICATE_EXTERNAL_ID": "crm_duplicate",
    "REQUIRED_FIELD_MISSING": "crm_field_missing",
    "MISSING_ARGUMENT": "crm_field_missing",
    "STRING_TOO_LONG": "crm_value_refused",
    "INVALID_EMAIL_ADDRESS": "crm_value_refused",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "crm_value_refused",
    "NUMBER_OUTSIDE_VALID_RANGE": "crm_value_refused",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "crm_value_refused",
    "INVALID_CROSS_REFERENCE_KEY": "crm_value_refused",
    "MALFORMED_ID": "crm_value_refused",
    "JSON_PARSER_ERROR": "crm_value_refused",
    "FIELD_INTEGRITY_EXCEPTION": "crm_value_refused",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "crm_rule_refused",
    "FIELD_FILTER_VALIDATION_EXCEPTION": "crm_rule_refused",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "crm_rule_refused",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "crm_rule_refused",
    "CANNOT_UPDATE_CONVERTED_LEAD": "crm_record_gone",
    "ENTITY_IS_DELETED": "crm_record_gone",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "crm_not_permitted",
    "INSUFFICIENT_ACCESS_OR_READONLY": "crm_not_permitted",
    # HubSpot
    "CONFLICT": "crm_duplicate",
    "VALIDATION_ERROR": "crm_value_refused",
    "INVALID_EMAIL": "crm_value_refused",
    "INVALID_OPTION": "crm_value_refused",
    "INVALID_INTEGER": "crm_value_refused",
    "INVALID_LONG": "crm_value_refused",
    "INVALID_DATE": "crm_value_refused",
    "REQUIRED_FIELD_MISSING_FORM": "crm_field_missing",
    "OBJECT_NOT_FOUND": "crm_record_gone",
}
_RETRIED = {
    "UNABLE_TO_LOCK_ROW": "crm_row_locked",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": "crm_row_locked",
    "PROCESSING_HALTED": "crm_row_locked",
    "REQUEST_LIMIT_EXCEEDED": "crm_limit_reached",
    "TXN_SECURITY_METERING_ERROR": "crm_limit_reached",
    "RATE_LIMITS": "crm_limit_reached",
    "RATE_LIMIT": "crm_limit_reached",
    "STORAGE_LIMIT_EXCEEDED": "crm_storage_full",
    "INVALID_FIELD": "crm_mapping_wrong",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "crm_mapping_wrong",
    "INVALID_TYPE": "crm_mapping_wrong",
    "PROPERTY_DOESNT_EXIST": "crm_mapping_wrong",
    "READ_ONLY_VALUE": "crm_mapping_wrong",
    "SERVER_UNAVAILABLE": "crm_unavailable",
    "QUERY_TIMEOUT": "crm_unavailable",
    "REQUEST_RUNNING_TOO_LONG": "crm_unavailable",
    "UNKNOWN_EXCEPTION": "crm_unavailable",
    "INTERNAL_ERROR": "crm_unavailable",
    "API_DISABLED_FOR_ORG": "crm_auth_failed",
    "API_CURRENTLY_DISABLED": "crm_auth_failed",
    "INVALID_SESSION_ID": "crm_auth_failed",
    "INVALID_AUTHENTICATION": "crm_auth_failed",
    "EXPIRED_AUTHENTICATION": "crm_auth_failed",
    "MISSING_SCOPES": "crm_auth_failed",
}
_PAUSES = {
    "crm_limit_reached": LIMIT_PAUSE_SECONDS,
    "crm_storage_full": LIMIT_PAUSE_SECONDS,
    "crm_auth_failed": AUTH_PAUSE_SECONDS,
    "crm_mapping_wrong": AUTH_PAUSE_SECONDS,
}
# The account's trouble, not the record's: nothing was tried, and no attempt is used up.
_OF_THE_ACCOUNT = frozenset({"crm_limit_reached", "crm_storage_full", "crm_auth_failed", "crm_mapping_wrong"})
# What went wrong on the way, by the codes that all destinations share.
_OF_THE_WAY = {
    "not_connected": "receiver_unreachable",
    "circuit_open": "receiver_unreachable",
    "unknown_host": "receiver_unreachable",
    "certificate_refused": "receiver_unreachable",
    "egress_refused": "address_blocked",
    "timed_out": "receiver_timed_out",
    "answer_lost": "answer_lost",
    "bad_answer": "crm_unreadable",
    "answer_too_large": "crm_unreadable",
    "too_many_redirects": "receiver_redirected",
}
_OF_AN_ANSWER = frozenset({"bad_answer", "answer_too_large", "too_many_redirects"})
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,79}")


@dataclass(frozen=True)
class Verdict:
    """What became of a record or a call. ``is_about_content``: of a whole call that one of its records spoilt."""

    outcome: Outcome
    code: str
    detail: str
    retry_after_seconds: float | None = None
    is_about_content: bool = False

    def receipt(self, parcel: Parcel) -> Receipt:
        """The receipt of a parcel that it is about."""
        return Receipt(
            parcel.delivery_id,
            self.outcome,
            error_code=self.code,
            detail=self.detail,
            retry_after_seconds=self.retry_after_seconds,
        )


class CallFailed(Exception):
    """A call came to nothing, for all that went with it."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.code}: {verdict.detail}")
        self.verdict = verdict


def verdict_of_record(their_code: object) -> Verdict:
    """What their error code for one record means."""
    code = str(their_code)
    shown = code if _CODE.fullmatch(code) else "an error without a code"
    if code in _RETRIED:
        ours = _RETRIED[code]
        return Verdict(_retry(ours), ours, shown, _PAUSES.get(ours))
    return Verdict(Outcome.REFUSED, _REFUSED.get(code, "crm_refused"), shown)


def verdict_of_call(error: HttpError, their_codes: list[str]) -> Verdict:
    """What a call that failed means for all its records.

    Args:
        their_codes: of the error's body, as far as there are any.
    """
    code = next((each for each in their_codes if _CODE.fullmatch(each)), None)
    if not isinstance(error, RefusedStatus | UnavailableStatus):
        pause = error.retry_after_seconds if isinstance(error, TransientError) else None
        # What a person must mend first (an address, a certificate) uses up no attempt.
        is_set_up_wrong = not isinstance(error, TransientError) and error.code not in _OF_AN_ANSWER
        is_untried = is_set_up_wrong or isinstance(error, CircuitOpen)
        outcome = Outcome.LATER if is_untried else Outcome.RETRY
        ours = _OF_THE_WAY.get(error.code, "receiver_failed")
        return Verdict(outcome, ours, error.code, AUTH_PAUSE_SECONDS if is_set_up_wrong else pause)
    shown = f"{error.status}" if code is None else f"{error.status} {code}"
    pause = error.retry_after_seconds if isinstance(error, UnavailableStatus) else None
    if code in _RETRIED or error.status in (401, 403, 429):
        known = _RETRIED.get(code or "")
        ours = known or ("crm_limit_reached" if error.status == 429 else "crm_auth_failed")
        is_short = error.status == 429 and known is None
        return Verdict(_retry(ours), ours, shown, pause or (10.0 if is_short else _PAUSES.get(ours)))
    if isinstance(error, UnavailableStatus):
        return Verdict(Outcome.RETRY, "receiver_failed", shown, pause)
    if error.status == 410:
        return Verdict(Outcome.GONE, "receiver_gone", shown)
    if error.status in (400, 409, 413, 422):
        return Verdict(Outcome.REFUSED, _REFUSED.get(code or "", "crm_refused"), shown, is_about_content=True)
    # 404, 405 and the like are about the address or the mapping: a person mends it, and nothing of the leads is wrong.
    return Verdict(Outcome.LATER, "crm_mapping_wrong", shown, AUTH_PAUSE_SECONDS)


def _retry(ours: str) -> Outcome:
    return Outcome.LATER if ours in _OF_THE_ACCOUNT else Outcome.RETRY


def unreadable(detail: str) -> Verdict:
    """An answer that says nothing we understand: what it was about may have happened, and is asked for again."""
    return Verdict(Outcome.RETRY, "crm_unreadable", detail)
