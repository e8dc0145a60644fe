"""The records of an org: fields, ids, external ids, validation, duplicate rules, assignment. No HTTP here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiqleads_pipeline.sandbox.exchange import stamp

_SYSTEM = "Id CreatedDate LastModifiedDate SystemModstamp CreatedById LastModifiedById IsDeleted"
_CONVERTED = "IsConverted ConvertedDate ConvertedOpportunityId ConvertedContactId ConvertedAccountId"
_READ_ONLY = frozenset(f"{_SYSTEM} {_CONVERTED} IsClosed IsWon".split())
# Object: (id prefix, fields, required ones)
_OBJECTS = {
    "Lead": (
        "00Q",
        "OwnerId FirstName LastName Salutation Name Company Title Email Phone MobilePhone Fax Website Street City "
        "State StateCode PostalCode Country CountryCode Description LeadSource Status Rating Industry AnnualRevenue "
        f"NumberOfEmployees HasOptedOutOfEmail DoNotCall IsUnreadByOwner {_CONVERTED}",
        ("LastName", "Company"),
    ),
    "Contact": (
        "003",
        "OwnerId AccountId FirstName LastName Name Title Email Phone MobilePhone Description LeadSource MailingStreet "
        "MailingCity MailingState MailingPostalCode MailingCountry HasOptedOutOfEmail DoNotCall",
        ("LastName",),
    ),
    "Account": (
        "001",
        "OwnerId Name Website Phone Industry AnnualRevenue NumberOfEmployees Description BillingStreet BillingCity "
        "BillingState BillingPostalCode BillingCountry",
        ("Name",),
    ),
    "Opportunity": (
        "006",
        "OwnerId AccountId Name StageName Amount CloseDate Probability IsClosed IsWon LeadSource Description",
        ("Name", "StageName", "CloseDate"),
    ),
    "Task": ("00T", "OwnerId WhoId WhatId Subject Status Priority ActivityDate Description", ()),
    "User": ("005", "Name Email Username IsActive", ("Name",)),
}
_LENGTHS = {
    "FirstName": 40, "LastName": 80, "Company": 255, "Title": 128, "Email": 80, "Phone": 40, "MobilePhone": 40,
    "Website": 255, "City": 40, "State": 80, "PostalCode": 20, "Country": 80, "Street": 255, "Description": 32000,
    "Industry": 255, "LeadSource": 255, "Name": 255,
}  # fmt: skip
_NUMBERS = frozenset({"AnnualRevenue", "NumberOfEmployees", "Amount", "Probability"})
_FLAGS = frozenset({"HasOptedOutOfEmail", "DoNotCall", "IsUnreadByOwner"})
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
API_USER, DEFAULT_OWNER, RULE_OWNER = "005000000000001AAA", "005000000000001AAA", "005000000000002AAA"
ASSIGNMENT_RULE = "01Q000000000001AAA"
_MAX_CUSTOM = 255


@dataclass(frozen=True)
class Fault:
    """Why a record was not saved."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """As in a SaveResult."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}


@dataclass(frozen=True)
class Options:
    """What headers ask for."""

    allow_duplicates: bool = False
    assignment: str | None = None  # an assignment rule's id, TRUE or FALSE


class Org:
    """All records. A record is its fields by name; a missing one is null."""

    def __init__(self, settings: dict[str, Any], now: Callable[[], datetime]) -> None:
        self._settings, self._now = settings, now
        self.tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in _OBJECTS}
        self._index: dict[tuple[str, str, str], str] = {}  # object, external id field, value: id
        self._emails: dict[tuple[str, str], set[str]] = {}
        self._made: dict[str, int] = dict.fromkeys(_OBJECTS, 0)
        for number, name in ((1, "API User"), (2, "Lead Rule Owner"), (3, "Third Owner")):
            self.insert("User", {"Name": name, "Email": f"owner{number}@sandbox.example", "IsActive": True})

    def object_of(self, name: str) -> str | None:
        """The object's right spelling; names are not case-sensitive."""
        return next((known for known in _OBJECTS if known.lower() == name.lower()), None)

    def field_of(self, kind: str, name: str) -> str | None:
        """The field's right spelling, or nothing."""
        for known in (*_SYSTEM.split(), *_OBJECTS[kind][1].split(), *self._settings["custom_fields"].get(kind, ())):
            if known.lower() == name.lower():
                return str(known)
        is_ours = name.lower().startswith("aiqleads_") and name.lower().endswith("__c")
        if is_ours or name in self._settings["external_ids"].get(kind, ()):
            return name
        return None

    def fields(self, kind: str) -> list[str]:
        """All fields but those that are ours by prefix."""
        return [*_SYSTEM.split(), *_OBJECTS[kind][1].split(), *self._settings["custom_fields"].get(kind, ())]

    def is_external_id(self, kind: str, name: str) -> bool:
        """Whether an upsert can go by it."""
        given = self._settings["external_ids"].get(kind, ())
        return name in given or name.lower() in ("aiqleads_id__c", "aiqleads_key__c", "aiqleads_delivery_id__c")

    def get(self, kind: str, record_id: str) -> dict[str, Any] | None:
        """By id, of 15 or 18 characters."""
        if len(record_id) == 15:
            record_id = next((each for each in self.tables[kind] if each.startswith(record_id)), "")
        return self.tables[kind].get(record_id)

    def by_external(self, kind: str, name: str, value: str) -> dict[str, Any] | None:
        """By external id, which is not case-sensitive."""
        return self.tables[kind].get(self._index.get((kind, name.lower(), value.lower()), ""))

    def insert(self, kind: str, values: dict[str, Any], options: Options | None = None) -> dict[str, Any] | Fault:
        """A new record, or why there is none."""
        fault = self.check(kind, values, is_new=True) or self._duplicate(kind, None, values, options)
        if fault:
            return fault
        self._made[kind] += 1
        record_id, now = f"{_OBJECTS[kind][0]}{self._made[kind]:012d}AAA", stamp(self._now(), "+0000")
        record = {
            "Id": record_id, "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now,
            "CreatedById": API_USER, "LastModifiedById": API_USER, "IsDeleted": False, **values,
        }  # fmt: skip
        if kind == "Lead":
            record = {"Status": "Open - Not Contacted", "IsConverted": False, **record}
            record["OwnerId"] = self._owner(values, options)
        elif kind != "User":
            record.setdefault("OwnerId", DEFAULT_OWNER)
        _derive(kind, record)
        self._index_record(kind, record, record)
        self.tables[kind][record_id] = record
        return record

    def update(
        self, kind: str, record: dict[str, Any], values: dict[str, Any], options: Options | None = None
    ) -> Fault | bool:
        """Change a record: whether anything is other than before, or why it was not saved."""
        fault = self.check(kind, values, is_new=False) or self._duplicate(kind, record, values, options)
        if fault:
            return fault
        if options and options.assignment and kind == "Lead":
            values = {**values, "OwnerId": self._owner({**record, **values}, options)}
        changed = {name: value for name, value in values.items() if record.get(name) != value}
        if not changed:
            return False
        self._unindex(kind, record, changed)
        record.update(changed)
        record["LastModifiedDate"] = record["SystemModstamp"] = stamp(self._now(), "+0000")
        _derive(kind, record)
        self._index_record(kind, record, changed)
        return True

    def delete(self, kind: str, record_id: str) -> bool:
        """Take a record away."""
        record = self.get(kind, record_id)
        if record is None:
            return False
        self._unindex(kind, record, record)
        del self.tables[kind][record["Id"]]
        return True

    def snapshot(self) -> Any:
        """What ``restore`` takes back."""
        tables = {kind: {key: dict(row) for key, row in rows.items()} for kind, rows in self.tables.items()}
        return tables, dict(self._index), {key: set(ids) for key, ids in self._emails.items()}

    def restore(self, snapshot: Any) -> None:
        """As it was then; numbers that were given out stay given."""
        self.tables, self._index, self._emails = snapshot

    def check(self, kind: str, values: dict[str, Any], *, is_new: bool) -> Fault | None:
        """Types, lengths, required fields, unique external ids are the caller's to look up first."""
        for name, value in values.items():
            if name in _READ_ONLY and name not in self._settings["writable"]:
                text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
                return Fault("INVALID_FIELD_FOR_INSERT_UPDATE", text, (name,))
            fault = None if value is None else _check_value(name, value)
            if fault:
                return fault
        required = _OBJECTS[kind][2]
        missing = tuple(name for name in required if (is_new or name in values) and values.get(name) in (None, ""))
        if missing:
            return Fault("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)
        return None

    def _duplicate(
        self, kind: str, record: dict[str, Any] | None, values: dict[str, Any], options: Options | None
    ) -> Fault | None:
        mine = record["Id"] if record else None
        for name, value in values.items():
            if value and self.is_external_id(kind, name):
                holder = self._index.get((kind, name.lower(), str(value).lower()))
                if holder not in (None, mine):
                    text = f"duplicate value found: {name} duplicates value on record with id: {str(holder)[:15]}"
                    return Fault("DUPLICATE_VALUE", text)
        email = values.get("Email")
        if not email or not self._settings["duplicate_rule"] or (options and options.allow_duplicates):
            return None
        if self._emails.get((kind, str(email).lower()), set()) - {mine}:
            return Fault("DUPLICATES_DETECTED", "Use one of these records?")
        return None

    def _owner(self, values: dict[str, Any], options: Options | None) -> str:
        rule = (options.assignment if options else None) or ""
        if rule.upper() == "TRUE" or rule[:15] == ASSIGNMENT_RULE[:15]:
            return RULE_OWNER
        return str(values.get("OwnerId") or DEFAULT_OWNER)

    def _index_record(self, kind: str, record: dict[str, Any], values: dict[str, Any]) -> None:
        for name, value in values.items():
            if value and self.is_external_id(kind, name):
                self._index[(kind, name.lower(), str(value).lower())] = record["Id"]
        if record.get("Email"):
            self._emails.setdefault((kind, str(record["Email"]).lower()), set()).add(record["Id"])

    def _unindex(self, kind: str, record: dict[str, Any], values: dict[str, Any]) -> None:
        for name in values:
            if record.get(name) and self.is_external_id(kind, name):
                self._index.pop((kind, name.lower(), str(record[name]).lower()), None)
        if "Email" in values and record.get("Email"):
            self._emails.get((kind, str(record["Email"]).lower()), set()).discard(record["Id"])


def _check_value(name: str, value: Any) -> Fault | None:
    if isinstance(value, dict | list):
        return Fault("JSON_PARSER_ERROR", f"Cannot deserialize instance of field {name}", (name,))
    if name in _NUMBERS:
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", str(value)):
            return Fault("JSON_PARSER_ERROR", f"Cannot deserialize instance of double from {value!r}", (name,))
        return None
    if name in _FLAGS:
        ok = isinstance(value, bool) or str(value).lower() in ("true", "false", "1", "0")
        return None if ok else Fault("JSON_PARSER_ERROR", f"Cannot deserialize instance of boolean: {name}", (name,))
    if not isinstance(value, str):
        return None
    if name == "Email" and value and not _EMAIL.fullmatch(value):
        return Fault("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {value}", (name,))
    if name == "OwnerId" and not re.fullmatch(r"00[5G]\w{12}(\w{3})?", value):
        return Fault("MALFORMED_ID", f"Owner ID: id value of incorrect type: {value}", (name,))
    limit = _LENGTHS.get(name, 0 if not name.endswith("__c") else 131_072)
    if limit and len(value) > limit:
        label = f"{name}: data value too large: {value[:40]}... (max length={limit})"
        return Fault("STRING_TOO_LONG", label, (name,))
    return None


def _derive(kind: str, record: dict[str, Any]) -> None:
    if kind in ("Lead", "Contact"):
        record["Name"] = " ".join(filter(None, (record.get("FirstName"), record.get("LastName"))))
    if kind == "Opportunity":
        record["IsClosed"] = str(record.get("StageName", "")).startswith("Closed")
        record["IsWon"] = record.get("StageName") == "Closed Won"
