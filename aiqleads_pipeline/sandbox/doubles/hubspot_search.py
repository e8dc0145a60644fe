"""Search of a HubSpot portal: groups of filters, sorts, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiqleads_pipeline.sandbox.doubles.hubspot_schema import Refused

_OPERATORS: dict[str, Callable[[str, Mapping[str, Any]], bool]] = {
    "EQ": lambda held, f: held == f.get("value"),
    "NEQ": lambda held, f: held != f.get("value"),
    "IN": lambda held, f: held in f.get("values", []),
    "NOT_IN": lambda held, f: held not in f.get("values", []),
    "HAS_PROPERTY": lambda held, _f: held != "",
    "NOT_HAS_PROPERTY": lambda held, _f: held == "",
    "CONTAINS_TOKEN": lambda held, f: str(f.get("value", "")).strip("*").lower() in held.lower(),
    "GT": lambda held, f: _order(held) > _order(f.get("value")),
    "GTE": lambda held, f: _order(held) >= _order(f.get("value")),
    "LT": lambda held, f: _order(held) < _order(f.get("value")),
    "LTE": lambda held, f: _order(held) <= _order(f.get("value")),
}


def searched(records: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
    """Records that any group of filters fits, sorted, one page.

    Raises:
        Refused: too many filters, or one that there is not.
    """
    groups, limit = body.get("filterGroups", []), int(body.get("limit", 10))
    if len(groups) > 5 or any(len(group.get("filters", [])) > 6 for group in groups) or limit > 200:
        raise Refused("VALIDATION_ERROR", "at most 5 filterGroups of 6 filters and a limit of 200")
    found = [each for each in records if not groups or any(_fits(each["properties"], group) for group in groups)]
    query = str(body.get("query", "")).lower()
    found = [each for each in found if any(query in str(value).lower() for value in each["properties"].values())]
    for sort in reversed(body.get("sorts", [])):
        name = sort["propertyName"] if isinstance(sort, dict) else sort
        falls = isinstance(sort, dict) and sort.get("direction") == "DESCENDING"
        found.sort(key=lambda each: _order(each["properties"].get(name)), reverse=falls)
    start, wanted = int(body.get("after") or 0), body.get("properties")
    page = [
        {
            **each,
            "properties": {name: each["properties"].get(name) for name in wanted} if wanted else each["properties"],
        }
        for each in found[start : start + limit]
    ]
    answer: dict[str, Any] = {"total": len(found), "results": page}
    if start + limit < len(found):
        answer["paging"] = {"next": {"after": str(start + limit)}}
    return answer


def _fits(properties: dict[str, str], group: dict[str, Any]) -> bool:
    for each in group.get("filters", []):
        test = _OPERATORS.get(each.get("operator", ""))
        if test is None:
            raise Refused("VALIDATION_ERROR", f"no operator {each.get('operator')}")
        if not test(properties.get(each["propertyName"], ""), each):
            return False
    return True


def _order(value: Any) -> tuple[float, str]:
    try:
        return float(value), ""
    except (TypeError, ValueError):
        return float("inf"), str(value or "")
