"""The records of a HubSpot portal: properties, unique values, batches, links. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiqleads_pipeline.sandbox.doubles.hubspot_schema import (
    EMAIL,
    NUMBERS,
    PROPERTIES,
    SHOWN,
    SINGULAR,
    STAGES,
    UNIQUE,
    Refused,
)
from aiqleads_pipeline.sandbox.exchange import stamp


class Objects:
    """All records of a portal. A record is ``{id, properties, createdAt, updatedAt, archived}``."""

    def __init__(self, settings: dict[str, Any], now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self._records: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in SINGULAR}
        self._index: dict[tuple[str, str, str], str] = {}  # type, unique property, value: id
        self._links: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._next = 100

    def alive(self, kind: str) -> list[dict[str, Any]]:
        """All records that are not archived, the oldest first."""
        return [record for record in self._records[kind].values() if not record["archived"]]

    def is_property(self, kind: str, name: str) -> bool:
        """Whether the portal has it: HubSpot's own, ours by prefix, what the settings add."""
        given = self._settings.get("properties", {}).get(kind, ())
        return name in PROPERTIES[kind].split() or name.startswith("aiqleads_") or name in given

    def is_unique(self, kind: str, name: str) -> bool:
        """Whether a value of it can stand once only."""
        given = self._settings.get("unique", {}).get(kind, ())
        ours = name in ("aiqleads_lead_id", "aiqleads_key") or (name.startswith("aiqleads_") and name.endswith("_id"))
        return name in UNIQUE[kind] or ours or name in given

    def described(self, kind: str) -> list[dict[str, Any]]:
        """Definitions of HubSpot's own properties."""
        return [
            {"name": name, "label": name, "type": "number" if name in NUMBERS else "string",
             "hasUniqueValue": self.is_unique(kind, name)}
            for name in PROPERTIES[kind].split()
        ]  # fmt: skip

    def shown(self, kind: str, record: dict[str, Any], wanted: list[str] | None = None) -> dict[str, Any]:
        """A record as answers show it: some usual properties and those asked for; missing ones are null."""
        held, usual = record["properties"], SHOWN[kind]
        names = [*usual, *(name for name in wanted or () if name not in usual and self.is_property(kind, name))]
        return {**record, "properties": {name: held.get(name) for name in names}}

    def find(self, kind: str, value: str, by: str | None) -> dict[str, Any] | None:
        """By id, or by a unique property."""
        if by is None or by == "hs_object_id":
            record = self._records[kind].get(value)
        else:
            record = self._records[kind].get(self._index.get((kind, by, value.lower()), ""))
        return None if record is None or record["archived"] else record

    def check(self, kind: str, inputs: list[Any]) -> None:
        """What makes HubSpot refuse a call as a whole: shapes, types, unknown properties.

        Raises:
            Refused: it does.
        """
        unknown = []
        for number, each in enumerate(inputs):
            properties = each.get("properties") if isinstance(each, dict) else None
            if not isinstance(properties, dict):
                raise Refused("VALIDATION_ERROR", f"Some required fields were not set: [inputs[{number}].properties]")
            for name, value in properties.items():
                if not isinstance(value, str):
                    text = (
                        f"Invalid input JSON on line 1, column {number + 1}: Cannot deserialize value of type "
                        f"`java.lang.String` from {type(value).__name__} (property {name})"
                    )
                    raise Refused("VALIDATION_ERROR", text)
                if not self.is_property(kind, name):
                    unknown.append(name)
        if unknown:
            errors = [
                {"message": f'Property "{name}" does not exist', "code": "PROPERTY_DOESNT_EXIST",
                 "context": {"propertyName": [name]}} for name in dict.fromkeys(unknown)
            ]  # fmt: skip
            raise Refused("VALIDATION_ERROR", f"Property values were not valid: {errors}", errors)

    def create(self, kind: str, properties: dict[str, str]) -> dict[str, Any]:
        """A new record.

        Raises:
            Refused: a value is invalid, or taken where it must be unique.
        """
        self._check_values(properties)
        self._next += 1
        now, record_id = stamp(self._now()), str(self._next)
        self._claim(kind, record_id, properties)
        modified = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
        record = {
            "id": record_id, "createdAt": now, "updatedAt": now, "archived": False,
            "properties": {**properties, "createdate": now, modified: now, "hs_object_id": record_id},
        }  # fmt: skip
        self._records[kind][record_id] = record
        return record

    def update(self, kind: str, record: dict[str, Any], properties: dict[str, str]) -> bool:
        """Set some properties; whether anything changed.

        Raises:
            Refused: as of ``create``.
        """
        self._check_values(properties)
        self._claim(kind, record["id"], properties)
        changed = any(record["properties"].get(name, "") != value for name, value in properties.items())
        for name, value in properties.items():
            old = record["properties"].get(name)
            if old and self.is_unique(kind, name) and old.lower() != value.lower():
                self._index.pop((kind, name, old.lower()), None)
        record["properties"].update(properties)
        if changed:
            record["updatedAt"] = stamp(self._now())
            record["properties"]["lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"] = record[
                "updatedAt"
            ]
        return changed

    def archive(self, kind: str, record_id: str) -> bool:
        """Take a record away; its unique values are free again."""
        record = self.find(kind, record_id, None)
        if record is None:
            return False
        record["archived"] = True
        self._index = {key: value for key, value in self._index.items() if value != record_id or key[0] != kind}
        return True

    def batch(
        self, verb: str, kind: str, body: dict[str, Any], fails: Callable[[str], bool]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], tuple[int, int]]:
        """Results, errors, (what changed, what was so already).

        Raises:
            Refused: the call as a whole.
        """
        inputs = body["inputs"]
        if verb in ("upsert", "create", "update"):
            self.check(kind, inputs)
        if verb != "create":
            self._check_ids(kind, verb, body, inputs)
        results, errors, effects, repeats = [], [], 0, 0
        for each in inputs:
            trace = each.get("objectWriteTraceId")
            try:
                if fails(str(each.get("id") or each.get("properties"))):
                    raise Refused("INTERNAL_ERROR", "There was a problem with the request. Try again later")
                shown, is_effect = self._one(verb, kind, body, each)
            except Refused as refused:
                context = {"objectWriteTraceId": [trace]} if trace else {}
                if "id" in each:
                    context["ids"] = [str(each["id"])]
                errors.append(
                    {"status": "error", "category": refused.category, "message": refused.message, "context": context}
                )
                continue
            effects, repeats = effects + int(is_effect), repeats + int(not is_effect and verb != "read")
            results.append({**shown, "objectWriteTraceId": trace} if trace else shown)
        return results, errors, (effects, repeats)

    def link(self, one: str, other: str, pairs: list[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        """Link records; results, errors, how many links are new."""
        rows, errors, made = [], [], 0
        for pair in pairs:
            here, there = str(pair["from"]["id"]), str(pair["to"]["id"])
            if self.find(one, here, None) is None or self.find(other, there, None) is None:
                missing = here if self.find(one, here, None) is None else there
                errors.append(_missing(f"No object exists with id {missing}", missing))
                continue
            held = self._links.setdefault((one, other), {}).setdefault(here, [])
            if there not in held:
                held.append(there)
                self._links.setdefault((other, one), {}).setdefault(there, []).append(here)
                made += 1
            rows.append({"from": {"id": here}, "to": {"id": there}})
        return rows, errors, made

    def linked(self, one: str, other: str, inputs: list[Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What records are linked to."""
        rows, errors = [], []
        for each in inputs:
            record_id = str(each["id"])
            found = self._links.get((one, other), {}).get(record_id)
            if found:
                rows.append({"from": {"id": record_id}, "to": [
                    {"toObjectId": int(there), "associationTypes": [{"category": "HUBSPOT_DEFINED"}]} for there in found
                ]})  # fmt: skip
            else:
                errors.append(_missing(f"No {other} is associated with {one} {record_id}.", record_id))
        return rows, errors

    def links(self) -> list[dict[str, Any]]:
        """All links, once for each direction that was asked for."""
        return [
            {"from": one, "to": other, "id": here, "to_ids": there}
            for (one, other), held in self._links.items()
            for here, there in held.items()
        ]

    def _one(self, verb: str, kind: str, body: dict[str, Any], each: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        if verb == "create":
            return self.shown(kind, self.create(kind, each["properties"]), list(each["properties"])), True
        by = body.get("idProperty") if verb == "read" else each.get("idProperty")
        record = self.find(kind, str(each["id"]), by)
        if verb == "upsert":
            wanted = list(each["properties"])
            if record is None:
                if by in (None, "hs_object_id"):
                    raise Refused(
                        "OBJECT_NOT_FOUND", f"Could not get some {SINGULAR[kind]} objects, they may be deleted"
                    )
                record = self.create(kind, {**each["properties"], str(by): str(each["id"])})
                return {**self.shown(kind, record, wanted), "new": True}, True
            changed = self.update(kind, record, each["properties"])
            return {**self.shown(kind, record, wanted), "new": False}, changed
        if record is None:
            raise Refused(
                "OBJECT_NOT_FOUND", f"Could not get some {SINGULAR[kind]} objects, they may be deleted or not exist."
            )
        if verb == "read":
            return self.shown(kind, record, body.get("properties") or []), False
        if verb == "archive":
            return {}, self.archive(kind, record["id"])
        return self.shown(kind, record, list(each["properties"])), self.update(kind, record, each["properties"])

    def _check_ids(self, kind: str, verb: str, body: dict[str, Any], inputs: list[Any]) -> None:
        seen: set[tuple[Any, str]] = set()
        twice: list[str] = []
        for number, each in enumerate(inputs):
            by = body.get("idProperty") if verb == "read" else each.get("idProperty")
            if not isinstance(each.get("id"), str) or not each["id"]:
                raise Refused("VALIDATION_ERROR", f"Some required fields were not set: [inputs[{number}].id]")
            if by not in (None, "hs_object_id") and not self.is_unique(kind, by):
                raise Refused("VALIDATION_ERROR", f"The property {by} is not a unique property of {SINGULAR[kind]}")
            key = by, each["id"].lower()
            if key in seen and verb != "read":
                twice.append(each["id"])
            seen.add(key)
        if twice:
            raise Refused("VALIDATION_ERROR", f"Duplicate IDs found in batch input: {twice}. IDs must be unique")

    def _check_values(self, properties: dict[str, str]) -> None:
        faults = []
        if properties.get("email") and not EMAIL.fullmatch(properties["email"]):
            faults.append(("email", "INVALID_EMAIL", f"Email address {properties['email']} is invalid"))
        for name in NUMBERS & properties.keys():
            if properties[name] and not re.fullmatch(r"-?\d+(\.\d+)?", properties[name]):
                faults.append((name, "INVALID_LONG", f"{properties[name]} was not a valid number."))
        if properties.get("lifecyclestage", "") not in STAGES:
            faults.append(("lifecyclestage", "INVALID_OPTION", "it was not one of the allowed options"))
        long = next((name for name, value in properties.items() if len(value) > 65_536), None)
        if long is not None:
            faults.append((long, "VALUE_TOO_LONG", "longer than 65536 characters"))
        if faults:
            shown = [{"isValid": False, "message": text, "error": code, "name": name} for name, code, text in faults]
            raise Refused("VALIDATION_ERROR", f"Property values were not valid: {shown}")

    def _claim(self, kind: str, record_id: str, properties: dict[str, str]) -> None:
        mine = [
            (kind, name, value.lower()) for name, value in properties.items() if value and self.is_unique(kind, name)
        ]
        for key in mine:
            holder = self._index.get(key)
            if holder is not None and holder != record_id:
                noun = SINGULAR[kind].capitalize()
                raise Refused("CONFLICT", f"{noun} already exists. Existing ID: {holder}")
        self._index.update(dict.fromkeys(mine, record_id))


def _missing(message: str, record_id: str) -> dict[str, Any]:
    return {
        "status": "error", "category": "OBJECT_NOT_FOUND", "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": message, "context": {"ids": [record_id], "fromObjectId": [record_id]},
    }  # fmt: skip
