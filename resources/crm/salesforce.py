"""Salesforce: leads upserted by an external id, in collections of up to 200, or as a Bulk 2.0 job when there are many.

Belongs here: requests and answers of the REST API. Does not belong here: Bulk 2.0 (``salesforce_bulk``), reading back
(``salesforce_reading``). The protocol: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from resources.crm.base import CrmDestination, CrmRules, Load, delivered, rounds, send_chunks
from resources.crm.salesforce_bulk import BulkJobs
from resources.crm.session import CrmSession
from resources.crm.verdicts import CallFailed, unreadable, verdict_of_record
from resources.destinations import Receipt

_IDS_PER_QUERY = 200  # a URL holds 16 KB
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


class Salesforce(CrmDestination):
    """The destination of kind ``salesforce``."""

    def __init__(self, session: CrmSession, rules: CrmRules, terms: SalesforceTerms, chunk_size: int) -> None:
        super().__init__(session, rules, chunk_size)
        self._terms = terms
        self._bulk = BulkJobs(session, terms.data_path, terms.object, terms.external_id_field)

    def _send_all(self, loads: list[Load], deadline: float) -> Iterator[Receipt]:
        if self._terms.bulk_from is not None and loads:
            # Also when few are left: they may be in a job whose answer was not waited for.
            receipts, loads = self._bulk.collect(loads, deadline)
            yield from receipts
        try:
            groups = self._by_assignment(loads, deadline)
        except CallFailed as failed:
            yield from (failed.verdict.receipt(load.parcel) for load in loads)
            return
        for assignment, group in groups:
            if self._terms.bulk_from is not None and len(group) >= self._terms.bulk_from:
                yield from self._bulk.send(group, assignment, deadline)
                continue
            chunks = rounds(group, self._terms.collection_size)
            yield from send_chunks(chunks, partial(self._send, assignment=assignment, deadline=deadline))

    def _look(self, deadline: float) -> None:
        terms = self._terms
        names = ["Id", terms.external_id_field, self._rules.owner_field, *(each.name for each in self._rules.fields)]
        query = urlencode({"q": f"SELECT {', '.join(dict.fromkeys(names))} FROM {terms.object} LIMIT 1"})
        self._session.ask("GET", f"{terms.data_path}/query?{query}", deadline)

    def _by_assignment(self, loads: list[Load], deadline: float) -> list[tuple[str, list[Load]]]:
        """Loads by what is said to the assignment rules. They are for new records that we give to nobody ourselves: of
        one that is there already they would take the owner away.

        Raises:
            CallFailed.
        """
        if self._terms.assignment == "FALSE":
            return [("FALSE", loads)] if loads else []
        may_be_there = [load for load in loads if not load.is_known and load.parcel.attempt > 1]
        there = self._found(may_be_there, deadline)
        groups: dict[str, list[Load]] = {}
        for load in loads:
            is_new = not load.is_known and load.lead_key not in there and self._rules.owner_field not in load.record
            groups.setdefault(self._terms.assignment if is_new else "FALSE", []).append(load)
        return list(groups.items())

    def _found(self, loads: list[Load], deadline: float) -> set[str]:
        """Which leads of attempts that may have gone through are there."""
        terms, found = self._terms, set()
        for start in range(0, len(loads), _IDS_PER_QUERY):
            keys = ",".join(f"'{load.lead_key}'" for load in loads[start : start + _IDS_PER_QUERY])
            name = terms.external_id_field
            query = urlencode({"q": f"SELECT {name} FROM {terms.object} WHERE {name} IN ({keys})"})
            answered = self._session.ask("GET", f"{terms.data_path}/query?{query}", deadline)
            records = answered.get("records") if isinstance(answered, dict) else None
            if not isinstance(records, list):
                raise CallFailed(unreadable("the answer holds no records"))
            found |= {str(each.get(name)).lower() for each in records if isinstance(each, dict)}
        return found

    def _send(self, chunk: list[Load], assignment: str, deadline: float) -> list[Receipt]:
        """One collection.

        Raises:
            CallFailed.
        """
        terms = self._terms
        path = f"{terms.data_path}/composite/sobjects/{terms.object}/{terms.external_id_field}"
        headers = {
            "Sforce-Duplicate-Rule-Header": f"allowSave={'true' if terms.may_duplicate else 'false'}",
            "Sforce-Auto-Assign": assignment,
        }
        # A call that assigns is not asked again on its own: whether the records are there by then must be seen first.
        answered = self._session.ask(
            "PATCH", path, deadline, collection(chunk, terms), headers=headers, may_repeat=assignment == "FALSE"
        )
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
