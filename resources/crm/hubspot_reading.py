"""Reading HubSpot back: contacts by our id in batches, the deals associated with them, the account's usage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from resources.crm.hubspot import HubSpotTerms, read_usage
from resources.crm.mapping import Field, compared_fields
from resources.crm.reading import Ending, Held, OutcomeTerms, amount_of, day_of
from resources.crm.session import CrmSession
from resources.crm.verdicts import CallFailed, unreadable
from resources.store.crm import SentRecord

BATCH_SIZE = 100
_OF_DEALS = ("hs_is_closed_won", "hs_is_closed", "amount", "closedate", "hubspot_owner_id")


class HubSpotReader:
    """Reads one account back; see ``resources.crm.reading.CrmReader``."""

    def __init__(
        self,
        session: CrmSession,
        terms: HubSpotTerms,
        fields: Sequence[Field],
        owner_field: str,
        outcomes: OutcomeTerms,
        wall_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session, self._terms, self._outcomes, self._wall_now = session, terms, outcomes, wall_now
        self._owner_field = owner_field
        asked = [terms.id_property, *(each.name for each in compared_fields(fields)), owner_field]
        self._asked = list(dict.fromkeys([*asked, outcomes.status_field, "lastmodifieddate"]))

    @property
    def page_size(self) -> int:
        """How many records one ``read`` takes at most."""
        return BATCH_SIZE

    def read(self, sent: Sequence[SentRecord], deadline: float) -> list[Held]:
        """What is held of records that were sent, in their order.

        Raises:
            CallFailed.
        """
        body = {
            "idProperty": self._terms.id_property,
            "properties": self._asked,
            "inputs": [{"id": str(each.lead_id)} for each in sent],
        }
        results = self._results("/crm/v3/objects/contacts/batch/read", body, deadline)
        found: dict[str, dict[str, Any]] = {}
        for each in results:
            properties = each.get("properties") or {}
            found[str(properties.get(self._terms.id_property)).lower()] = {**properties, "id": str(each.get("id"))}
        deals = self._deals([each["id"] for each in found.values()], deadline) if self._outcomes.has_deals else {}
        return [self._held(each, found.get(str(each.lead_id)), deals) for each in sent]

    def count(self, deadline: float) -> int | None:
        """How many contacts of ours the account has."""
        has_id = {"propertyName": self._terms.id_property, "operator": "HAS_PROPERTY"}
        body = {"filterGroups": [{"filters": [has_id]}], "limit": 1}
        answered = self._session.ask("POST", "/crm/v3/objects/contacts/search", deadline, body)
        total = answered.get("total") if isinstance(answered, dict) else None
        return total if isinstance(total, int) else None

    def usage(self, deadline: float) -> tuple[int, int] | None:
        """(used, limit) of the account's calls of the day, out of the headers of any answer."""
        return read_usage(self._session.call("GET", "/crm/v3/objects/contacts?limit=1", deadline).headers)

    def _deals(self, contact_ids: list[str], deadline: float) -> dict[str, list[dict[str, Any]]]:
        """The deals of contacts."""
        if not contact_ids:
            return {}
        body = {"inputs": [{"id": contact_id} for contact_id in contact_ids]}
        linked: dict[str, list[str]] = {}
        for each in self._results("/crm/v4/associations/contacts/deals/batch/read", body, deadline):
            origin, to = each.get("from"), each.get("to")
            if isinstance(origin, dict) and isinstance(to, list):
                linked[str(origin.get("id"))] = [str(one.get("toObjectId")) for one in to if isinstance(one, dict)]
        ids = sorted({deal_id for each in linked.values() for deal_id in each})
        deals: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), BATCH_SIZE):
            inputs = [{"id": deal_id} for deal_id in ids[start : start + BATCH_SIZE]]
            wanted = {"properties": list(_OF_DEALS), "inputs": inputs}
            for each in self._results("/crm/v3/objects/deals/batch/read", wanted, deadline):
                deals[str(each.get("id"))] = each.get("properties") or {}
        return {who: [deals[deal_id] for deal_id in theirs if deal_id in deals] for who, theirs in linked.items()}

    def _results(self, path: str, body: dict[str, Any], deadline: float) -> Iterator[dict[str, Any]]:
        answered = self._session.ask("POST", path, deadline, body)
        results = answered.get("results") if isinstance(answered, dict) else None
        if not isinstance(results, list):
            raise CallFailed(unreadable("the answer holds no results"))
        yield from (each for each in results if isinstance(each, dict))

    def _held(self, sent: SentRecord, found: dict[str, Any] | None, deals: dict[str, list[dict[str, Any]]]) -> Held:
        if found is None:
            return Held(sent.lead_id, is_there=False)
        theirs = deals.get(found["id"], [])
        won = [deal for deal in theirs if _is_true(deal.get("hs_is_closed_won"))]
        owner = next((deal["hubspot_owner_id"] for deal in won if deal.get("hubspot_owner_id")), None)
        owner = owner or found.get(self._owner_field)
        return Held(sent.lead_id, True, found, str(owner) if owner else None, self._ending(found, theirs, won))

    def _ending(self, found: dict[str, Any], deals: list[dict[str, Any]], won: list[dict[str, Any]]) -> Ending | None:
        now = self._wall_now()
        if won:
            amounts = [amount for deal in won if (amount := amount_of(deal.get("amount"))) is not None]
            closed_at = max(day_of(deal.get("closedate"), now) for deal in won)
            return Ending("won", closed_at, sum(amounts) if amounts else None)
        if deals:
            if not all(_is_true(deal.get("hs_is_closed")) for deal in deals):
                return None
            return Ending("lost", max(day_of(deal.get("closedate"), now) for deal in deals))
        result = self._outcomes.result_by_status.get(str(found.get(self._outcomes.status_field)))
        return None if result is None else Ending(result, day_of(found.get("lastmodifieddate"), now))


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
