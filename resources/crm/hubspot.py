"""HubSpot: contacts and their companies upserted in batches of up to 100 by a unique property, then associated.

Belongs here: requests and answers of the v3 objects and v4 associations. Does not belong here: reading back
(``hubspot_reading``). The protocol: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from resources.crm.base import CrmDestination, CrmRules, Load, delivered, rounds, send_chunks
from resources.crm.mapping import Field, FieldMissing, Value, as_text, map_lead
from resources.crm.session import CrmSession
from resources.crm.verdicts import CallFailed, Verdict, unreadable, verdict_of_record
from resources.destinations import Outcome, Receipt


@dataclass(frozen=True)
class CompanyTerms:
    """Companies: one for each value of ``key``, a field that is mapped like the others, known by ``id_property``."""

    id_property: str
    key: Field
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class HubSpotTerms:
    """What is HubSpot's own of a destination's rules. ``email_field``: None where a contact with the same address
    refuses the lead instead of becoming it."""

    id_property: str
    email_field: str | None = "email"
    batch_size: int = 100
    companies: CompanyTerms | None = None


@dataclass(frozen=True)
class _Written:
    """What a batch came to, by trace: ids of the records, and what was wrong with the others."""

    ids: dict[str, str]
    faults: dict[str, Verdict]


class HubSpot(CrmDestination):
    """The destination of kind ``hubspot``."""

    def __init__(self, session: CrmSession, rules: CrmRules, terms: HubSpotTerms, chunk_size: int) -> None:
        super().__init__(session, rules, chunk_size)
        self._terms = terms

    def _look(self, deadline: float) -> None:
        # A read by the property says whether it is there and unique; of others that are missing it says nothing.
        looked = {"contacts": self._terms.id_property}
        if self._terms.companies is not None:
            looked["companies"] = self._terms.companies.id_property
        for kind, id_property in looked.items():
            body = {"idProperty": id_property, "properties": [id_property], "inputs": [{"id": str(UUID(int=0))}]}
            self._session.ask("POST", f"/crm/v3/objects/{kind}/batch/read", deadline, body)

    def _send_all(self, loads: list[Load], deadline: float) -> Iterator[Receipt]:
        chunks = rounds(loads, self._terms.batch_size)
        yield from send_chunks(chunks, lambda chunk: self._send(chunk, deadline))

    def _send(self, chunk: list[Load], deadline: float) -> list[Receipt]:
        """One chunk: companies, contacts, associations.

        Raises:
            CallFailed: nothing of the contacts is known to have happened.
        """
        companies = self._upsert_companies(chunk, deadline)
        terms = self._terms
        written = self._upsert("contacts", [contact(load, terms) for load in chunk], terms.id_property, deadline)
        adopted = self._adopt([load for load in chunk if _is_conflict(written, load)], deadline)
        ids, faults = {**written.ids, **adopted.ids}, {**written.faults, **adopted.faults}
        pairs = {
            trace(load): (ids[trace(load)], companies[trace(load)])
            for load in chunk
            if trace(load) in ids and trace(load) in companies
        }
        apart = self._associate(list(dict.fromkeys(pairs.values())), deadline)
        receipts = []
        for load in chunk:
            mark = trace(load)
            if mark not in ids:
                missing = unreadable("the answer does not tell of the record")
                receipts.append(faults.get(mark, missing).receipt(load.parcel))
            elif apart is not None and mark in pairs:
                receipts.append(apart.receipt(load.parcel))  # sent again as a whole: nothing is doubled by that
            else:
                receipts.append(delivered(load, ids[mark]))
        return receipts

    def _upsert_companies(self, chunk: list[Load], deadline: float) -> dict[str, str]:
        """The company's id by the trace of a load. A company that is refused stops no contact."""
        terms = self._terms.companies
        if terms is None:
            return {}
        keys: dict[str, str] = {}
        inputs: dict[str, dict[str, Any]] = {}
        for load in chunk:
            try:
                key = as_text(map_lead(load.parcel.body, (terms.key,))[terms.key.name]).lower()
                record = map_lead(load.parcel.body, terms.fields)
            except (FieldMissing, KeyError):
                continue
            keys[trace(load)] = key
            merged = {**inputs.get(key, {}).get("properties", {}), **strings(record), terms.id_property: key}
            inputs[key] = {
                "idProperty": terms.id_property, "id": key, "objectWriteTraceId": key, "properties": merged,
            }  # fmt: skip
        if not inputs:
            return {}
        try:
            written = self._upsert("companies", list(inputs.values()), terms.id_property, deadline)
        except CallFailed as failed:
            if not failed.verdict.is_about_content:
                raise
            return {}
        return {mark: written.ids[key] for mark, key in keys.items() if key in written.ids}

    def _adopt(self, loads: list[Load], deadline: float) -> _Written:
        """Contacts of the same address that are nobody's lead yet: known by it, they become the leads'."""
        field = self._terms.email_field
        if field is None:
            return _Written({}, {})
        # Of two with one address the first has it.
        by_email = {str(load.record[field]).lower(): load for load in reversed(loads) if load.record.get(field)}
        if not by_email:
            return _Written({}, {})
        body = {
            "idProperty": field,
            "properties": [field, self._terms.id_property],
            "inputs": [{"id": email} for email in by_email],
        }
        found = self._session.ask("POST", "/crm/v3/objects/contacts/batch/read", deadline, body)
        free = _without(self._terms.id_property, found.get("results") if isinstance(found, dict) else None, field)
        inputs = [
            {**contact(load, self._terms), "idProperty": field, "id": email}
            for email, load in by_email.items()
            if email in free
        ]
        return self._upsert("contacts", inputs, field, deadline) if inputs else _Written({}, {})

    def _upsert(self, kind: str, inputs: list[dict[str, Any]], id_property: str, deadline: float) -> _Written:
        """One batch.

        Raises:
            CallFailed: the whole of it was refused, or is not known.
        """
        path = f"/crm/v3/objects/{kind}/batch/upsert"
        answered = self._session.ask("POST", path, deadline, {"inputs": inputs})
        results = answered.get("results") if isinstance(answered, dict) else None
        if not isinstance(results, list):
            raise CallFailed(unreadable("the answer holds no results"))
        traces = {str(each["id"]).lower(): each["objectWriteTraceId"] for each in inputs}
        ids: dict[str, str] = {}
        for result in results:
            mark = _trace_of_result(result, traces, id_property)
            if mark is not None and isinstance(result.get("id"), str | int):
                ids[mark] = str(result["id"])
        faults: dict[str, Verdict] = {}
        for error in answered.get("errors") or []:
            for mark in _traces_of_error(error, traces):
                faults.setdefault(mark, verdict_of_record(error_code(error)))
        return _Written(ids, faults)

    def _associate(self, pairs: list[tuple[str, str]], deadline: float) -> Verdict | None:
        """Put contacts to their companies; why not, where that failed."""
        if not pairs:
            return None
        body = {"inputs": [{"from": {"id": contact_id}, "to": {"id": company_id}} for contact_id, company_id in pairs]}
        path = "/crm/v4/associations/contacts/companies/batch/associate/default"
        try:
            answered = self._session.ask("POST", path, deadline, body)
        except CallFailed as failed:
            return None if failed.verdict.outcome is Outcome.REFUSED else failed.verdict
        errors = answered.get("errors") if isinstance(answered, dict) else None
        if errors:
            return Verdict(Outcome.RETRY, "crm_unavailable", "the contact was not put to its company")
        return None


def contact(load: Load, terms: HubSpotTerms) -> dict[str, Any]:
    """The input of one contact."""
    return {
        "idProperty": terms.id_property,
        "id": load.lead_key,
        "objectWriteTraceId": trace(load),
        "properties": {**strings(load.record), terms.id_property: load.lead_key},
    }


def strings(record: Mapping[str, Value]) -> dict[str, str]:
    """All values as text: HubSpot takes nothing else."""
    return {name: as_text(value) for name, value in record.items()}


def trace(load: Load) -> str:
    """What results and errors are known by."""
    return str(load.parcel.delivery_id)


def read_usage(headers: Mapping[str, str]) -> tuple[int, int] | None:
    """(used, limit) of the account's calls of the day; some kinds of apps are told nothing."""
    most, left = headers.get("x-hubspot-ratelimit-daily", ""), headers.get("x-hubspot-ratelimit-daily-remaining", "")
    if not (most.isascii() and most.isdigit() and left.isascii() and left.isdigit()):
        return None
    return max(int(most[:12]) - int(left[:12]), 0), int(most[:12])


def read_codes(body: Any) -> list[str]:
    """The error codes of a refusal: the most particular first."""
    return [error_code(body)] if isinstance(body, dict) else []


def error_code(error: Any) -> str:
    """The code of one error."""
    if not isinstance(error, dict):
        return ""
    if error.get("policyName") == "DAILY":
        return "REQUEST_LIMIT_EXCEEDED"
    inner = error.get("errors")
    if isinstance(inner, list) and inner and isinstance(inner[0], dict) and inner[0].get("code"):
        return str(inner[0]["code"])
    code = str(error.get("category") or "")
    # Of a limit of seconds the status says it all: it is over with the seconds.
    return "" if code in ("RATE_LIMITS", "RATE_LIMIT") else code


def _is_conflict(written: _Written, load: Load) -> bool:
    fault = written.faults.get(trace(load))
    return fault is not None and fault.code == "crm_duplicate"


def _without(id_property: str, results: Any, field: str) -> set[str]:
    """The addresses of contacts that have no id of ours."""
    held = [each.get("properties") for each in results or () if isinstance(each, dict)]
    return {str(each.get(field)).lower() for each in held if isinstance(each, dict) and not each.get(id_property)}


def _trace_of_result(result: Any, traces: dict[str, str], id_property: str) -> str | None:
    if not isinstance(result, dict):
        return None
    known = set(traces.values())
    if result.get("objectWriteTraceId") in known:
        return str(result["objectWriteTraceId"])
    properties = result.get("properties")
    held = properties.get(id_property) if isinstance(properties, dict) else None
    return traces.get(str(held).lower())


def _traces_of_error(error: Any, traces: dict[str, str]) -> Iterator[str]:
    context = error.get("context") if isinstance(error, dict) else None
    if not isinstance(context, dict):
        return
    known = set(traces.values())
    for said in (context.get("objectWriteTraceId"), context.get("id"), context.get("ids")):
        for each in said if isinstance(said, list) else [said]:
            mark = each if each in known else traces.get(str(each).lower())
            if mark is not None:
                yield mark
