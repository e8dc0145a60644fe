"""Salesforce: leads upserted by an external id, in collections of up to 200, or as a Bulk 2.0 job when there are many.

Belongs here: requests and answers of the REST API. Does not belong here: Bulk 2.0 (``salesforce_bulk``), reading back
(``salesforce_reading``). The protocol: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resources.crm.base import CrmDestination, CrmRules, Load, delivered, rounds, send_chunks
from resources.crm.salesforce_bulk import BulkJobs
from resources.crm.session import CrmSession
from resources.crm.verdicts import CallFailed, unreadable, verdict_of_record
from resources.destinations import Receipt

_LIMIT_INFO = re.compile(r"api-usage=([0-9]{1,12})/([0-9]{1,12})")


@dataclass(frozen=True)
class SalesforceTerms:
    """What is Salesforce's own of a destination's rules. ``assignment``: as its header wants it."""

    api_version: str
    object: str
    external_id_field: str
    may_duplicate: bool
    assignment: str  # TRUE, FALSE or a rule's id
    collection_size: int = 200
    bulk_from: int | None = None

    @property
    def data_path(self) -> str:
        """Where all of the API is."""
        return f"/services/data/v{self.api_version}"

    @property
    def headers(self) -> dict[str, str]:
        """What every write says of their rules."""
        return {
            "Sforce-Duplicate-Rule-Header": f"allowSave={'true' if self.may_duplicate else 'false'}",
            "Sforce-Auto-Assign": self.assignment,
        }


class Salesforce(CrmDestination):
    """The destination of kind ``salesforce``."""

    def __init__(self, session: CrmSession, rules: CrmRules, terms: SalesforceTerms, chunk_size: int) -> None:
        super().__init__(session, rules, chunk_size)
        self._terms = terms
        self._bulk = BulkJobs(session, terms.data_path, terms.object, terms.external_id_field, terms.assignment)

    def _send_all(self, loads: list[Load], deadline: float) -> Iterator[Receipt]:
        if self._terms.bulk_from is not None and loads:
            # Also when few are left: they may be in a job whose answer was not waited for.
            receipts, loads = self._bulk.collect(loads, deadline)
            yield from receipts
            if len(loads) >= self._terms.bulk_from:
                yield from self._bulk.send(loads, deadline)
                return
        chunks = rounds(loads, self._terms.collection_size)
        yield from send_chunks(chunks, lambda chunk: self._send(chunk, deadline))

    def _send(self, chunk: list[Load], deadline: float) -> list[Receipt]:
        """One collection.

        Raises:
            CallFailed.
        """
        terms = self._terms
        path = f"{terms.data_path}/composite/sobjects/{terms.object}/{terms.external_id_field}"
        answered = self._session.ask("PATCH", path, deadline, collection(chunk, terms), headers=terms.headers)
        if not isinstance(answered, list) or len(answered) != len(chunk):
            raise CallFailed(unreadable("the answer does not tell of each record"))
        return [_receipt(load, result) for load, result in zip(chunk, answered, strict=True)]


def collection(chunk: list[Load], terms: SalesforceTerms) -> dict[str, Any]:
    """The body of a collection's upsert."""
    attributes = {"attributes": {"type": terms.object}}
    return {
        "allOrNone": False,
        "records": [{**attributes, terms.external_id_field: load.lead_key, **load.record} for load in chunk],
    }


def read_usage(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """(used, limit) of the org's calls in 24 hours."""
    found = _LIMIT_INFO.search(headers.get("sforce-limit-info", ""))
    return (int(found[1]), int(found[2])) if found else None


def read_codes(body: Any) -> list[str]:
    """The error codes of a refusal."""
    errors = body if isinstance(body, list) else [body]
    return [str(each.get("errorCode")) for each in errors if isinstance(each, dict)]


def _receipt(load: Load, result: Any) -> Receipt:
    if isinstance(result, dict):
        if result.get("success") is True and isinstance(result.get("id"), str):
            return delivered(load, result["id"])
        errors = result.get("errors")
        if result.get("success") is False and isinstance(errors, list) and errors and isinstance(errors[0], dict):
            return verdict_of_record(errors[0].get("statusCode")).receipt(load.parcel)
    return unreadable("the record's result says nothing").receipt(load.parcel)
