"""Reading Salesforce back: up to 2,000 records at a time by their ids, opportunities of converted leads, limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from resources.crm.mapping import Field, compared_fields
from resources.crm.reading import Ending, Held, OutcomeTerms, amount_of, day_of
from resources.crm.salesforce import SalesforceTerms
from resources.crm.session import CrmSession
from resources.crm.verdicts import CallFailed, unreadable
from resources.store.crm import SentRecord

PAGE_SIZE = 2000
_OF_LEADS = ("IsConverted", "ConvertedDate", "ConvertedOpportunityId", "LastModifiedDate")
_OF_DEALS = ("Id", "IsClosed", "IsWon", "Amount", "CloseDate", "OwnerId")


class SalesforceReader:
    """Reads one org back; see ``resources.crm.reading.CrmReader``."""

    def __init__(
        self,
        session: CrmSession,
        terms: SalesforceTerms,
        fields: Sequence[Field],
        owner_field: str,
        outcomes: OutcomeTerms,
        wall_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._session, self._terms, self._outcomes, self._wall_now = session, terms, outcomes, wall_now
        self._owner_field = owner_field
        asked = ["Id", terms.external_id_field, *(each.name for each in compared_fields(fields))]
        asked += [owner_field, outcomes.status_field] + (list(_OF_LEADS) if terms.object == "Lead" else [])
        self._asked = list(dict.fromkeys(asked))

    @property
    def page_size(self) -> int:
        """How many records one ``read`` takes at most."""
        return PAGE_SIZE

    def read(self, sent: Sequence[SentRecord], deadline: float) -> list[Held]:
        """What is held of records that were sent, in their order.

        Raises:
            CallFailed.
        """
        ids = [each.external_id for each in sent if each.external_id]
        records = self._retrieve(self._terms.object, ids, self._asked, deadline)
        deal_ids = [str(record["ConvertedOpportunityId"]) for record in records.values() if _has_deal(record)]
        deals: dict[str, dict[str, Any]] = {}
        if self._outcomes.has_deals:
            for start in range(0, len(deal_ids), PAGE_SIZE):
                deals |= self._retrieve("Opportunity", deal_ids[start : start + PAGE_SIZE], list(_OF_DEALS), deadline)
        return [self._held(each, records.get(_short(each.external_id)), deals) for each in sent]

    def count(self, deadline: float) -> int | None:
        """How many records of ours the org has."""
        query = f"SELECT COUNT() FROM {self._terms.object} WHERE {self._terms.external_id_field} != null"
        path = f"{self._terms.data_path}/query?{urlencode({'q': query})}"
        answered = self._session.ask("GET", path, deadline)
        total = answered.get("totalSize") if isinstance(answered, dict) else None
        return total if isinstance(total, int) else None

    def usage(self, deadline: float) -> tuple[int, int] | None:
        """(used, limit) of the org's calls in 24 hours."""
        answered = self._session.ask("GET", f"{self._terms.data_path}/limits", deadline)
        daily = answered.get("DailyApiRequests") if isinstance(answered, dict) else None
        if not isinstance(daily, dict) or not isinstance(daily.get("Max"), int):
            return None
        return max(daily["Max"] - int(daily.get("Remaining", 0)), 0), daily["Max"]

    def _retrieve(self, kind: str, ids: list[str], fields: list[str], deadline: float) -> dict[str, dict[str, Any]]:
        """Records by their id (of 15 characters)."""
        if not ids:
            return {}
        path = f"{self._terms.data_path}/composite/sobjects/{kind}"
        answered = self._session.ask("POST", path, deadline, {"ids": ids, "fields": fields})
        if not isinstance(answered, list):
            raise CallFailed(unreadable("the answer is no list of records"))
        found = [each for each in answered if isinstance(each, dict) and each.get("Id") and not each.get("IsDeleted")]
        return {_short(each["Id"]): each for each in found}

    def _held(self, sent: SentRecord, record: dict[str, Any] | None, deals: dict[str, dict[str, Any]]) -> Held:
        if record is None or str(record.get(self._terms.external_id_field, "")).lower() != str(sent.lead_id):
            return Held(sent.lead_id, is_there=False)
        deal = deals.get(_short(record.get("ConvertedOpportunityId")))
        owner = (deal or record).get("OwnerId") or record.get(self._owner_field)
        ending = self._ending(record, deal)
        return Held(sent.lead_id, True, record, None if owner is None else str(owner), ending)

    def _ending(self, record: dict[str, Any], deal: dict[str, Any] | None) -> Ending | None:
        now = self._wall_now()
        if deal is not None:
            if deal.get("IsClosed") is not True:
                return None
            is_won = deal.get("IsWon") is True
            closed_at = day_of(deal.get("CloseDate"), now)
            return Ending("won" if is_won else "lost", closed_at, amount_of(deal.get("Amount")) if is_won else None)
        result = self._outcomes.result_by_status.get(str(record.get(self._outcomes.status_field)))
        return None if result is None else Ending(result, day_of(record.get("LastModifiedDate"), now))


def _has_deal(record: dict[str, Any]) -> bool:
    return record.get("IsConverted") is True and bool(record.get("ConvertedOpportunityId"))


def _short(their_id: Any) -> str:
    """Ids come with 15 characters, or with 3 more that only repeat their case."""
    return str(their_id or "")[:15]
