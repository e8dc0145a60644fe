"""sObject collections: up to 200 records in a call, each with its own result."""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.bulk import Refused
from aiqleads_pipeline.sandbox.doubles.salesforce.org import Fault
from aiqleads_pipeline.sandbox.doubles.salesforce.records import Records
from aiqleads_pipeline.sandbox.doubles.salesforce.session import DATA, options_of, shown_record
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, route

_MAX_RECORDS, _MAX_READ = 200, 2000
_BUSY = Fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")
_ROLLED_BACK = Fault(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class Collections(Records):
    """``/composite/sobjects``."""

    @route("PATCH", f"{DATA}/composite/sobjects/{{object}}/{{field}}")
    def upsert_many(self, request: Request, version: str, object: str, field: str) -> Reply:
        """Up to 200 records by external id."""
        kind, options = self.kind_of(object), options_of(request)
        if not self._org.is_external_id(kind, field):
            raise Refused("INVALID_FIELD", f"Field name provided, {field} does not match an External ID for {kind}")
        records, is_whole = self._collection(request, kind)
        keys = [str(record.get(field) or "").lower() for record in records]

        def save(number: int, record: dict[str, Any]) -> tuple[Any, bool, bool]:
            key = keys[number]
            if not key:
                return Fault("MISSING_ARGUMENT", f"{field} not specified", (field,)), False, False
            if keys.count(key) > 1:
                return (
                    Fault("DUPLICATE_VALUE", f"Duplicate external id specified: {record[field]}", (field,)),
                    False,
                    False,
                )
            return self._upsert(kind, field, str(record[field]), record, options)

        return self._saved(records, is_whole, save, request, field, says_created=True)

    @route("POST", f"{DATA}/composite/sobjects/?")
    def create_many(self, request: Request, version: str) -> Reply:
        """Up to 200 new records."""
        records, is_whole = self._collection(request, None)

        def save(_number: int, record: dict[str, Any]) -> tuple[Any, bool, bool]:
            kind = self.kind_of(record["attributes"]["type"])
            made = self._org.insert(kind, self.values_of(kind, record), options_of(request))
            return made, True, True

        return self._saved(records, is_whole, save, request, "Id")

    @route("PATCH", f"{DATA}/composite/sobjects/?")
    def update_many(self, request: Request, version: str) -> Reply:
        """Up to 200 records by id."""
        records, is_whole = self._collection(request, None)

        def save(_number: int, record: dict[str, Any]) -> tuple[Any, bool, bool]:
            kind = self.kind_of(record["attributes"]["type"])
            known = self._org.get(kind, str(record.get("id") or record.get("Id") or ""))
            if known is None:
                return Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), False, False
            values = {name: value for name, value in self.values_of(kind, record).items() if name != "Id"}
            changed = self._org.update(kind, known, values, options_of(request))
            return (changed, False, False) if isinstance(changed, Fault) else (known, False, changed)

        return self._saved(records, is_whole, save, request, "id")

    @route("DELETE", f"{DATA}/composite/sobjects/?")
    def delete_many(self, request: Request, version: str) -> Reply:
        """Up to 200 records by id."""
        ids = [each for each in request.query.get("ids", "").split(",") if each]
        _bounded(len(ids), _MAX_RECORDS)
        rows = []
        for record_id in ids:
            gone = any(self._org.delete(kind, record_id) for kind in self._org.tables)
            fault = [] if gone else [Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").shown()]
            rows.append({"id": record_id, "success": gone, "errors": fault})
        return in_json(rows, effects=sum(row["success"] is True for row in rows))

    @route("POST", f"{DATA}/composite/sobjects/{{object}}")
    def read_many(self, request: Request, version: str, object: str) -> Reply:
        """Up to 2,000 records by id."""
        body = self.body_of(request)
        return self._read(object, body.get("ids", []), body.get("fields", []), version)

    @route("GET", f"{DATA}/composite/sobjects/{{object}}")
    def read_several(self, request: Request, version: str, object: str) -> Reply:
        """The same by query parameters."""
        ids, fields = (request.query.get(name, "").split(",") for name in ("ids", "fields"))
        return self._read(object, ids, fields, version)

    def _saved(
        self,
        records: list[dict[str, Any]],
        is_whole: bool,
        save: Any,
        request: Request,
        key: str,
        *,
        says_created: bool = False,
    ) -> Reply:
        before = self._org.snapshot() if is_whole else None
        rows: list[dict[str, Any]] = []
        effects = repeats = 0
        for number, record in enumerate(records):
            saved, created, changed = (
                (_BUSY, False, False) if request.fails(str(record.get(key))) else save(number, record)
            )
            if isinstance(saved, Fault):
                rows.append(
                    {"success": False, "errors": [saved.shown()]} | ({"created": False} if says_created else {})
                )
                continue
            effects, repeats = effects + int(changed), repeats + int(not changed)
            rows.append(
                {"id": saved["Id"], "success": True, "errors": []} | ({"created": created} if says_created else {})
            )
        if before is not None and not all(row["success"] for row in rows):
            self._org.restore(before)
            rows = [row if row["errors"] else {"success": False, "errors": [_ROLLED_BACK.shown()]} for row in rows]
            effects = repeats = 0
        return in_json(rows, effects=effects, repeats=repeats)

    def _collection(self, request: Request, kind: str | None) -> tuple[list[dict[str, Any]], bool]:
        body = self.body_of(request)
        records = body.get("records")
        if not isinstance(records, list) or not records:
            raise Refused("JSON_PARSER_ERROR", "records is missing or empty")
        _bounded(len(records), _MAX_RECORDS)
        for record in records:
            named = record.get("attributes", {}).get("type") if isinstance(record, dict) else None
            if named is None:
                raise Refused("INVALID_INPUT", "Include an entity type in the attributes of each record")
            if kind is not None and self.kind_of(named) != kind:
                raise Refused("INVALID_INPUT", f"All records are to be of the type {kind}")
            self.values_of(self.kind_of(named), record)
        return records, body.get("allOrNone") is True

    def _read(self, object: str, ids: list[str], fields: list[str], version: str) -> Reply:
        kind = self.kind_of(object)
        _bounded(len(ids), _MAX_READ)
        unknown = [name for name in fields if self._org.field_of(kind, name) is None]
        if unknown or not fields:
            raise Refused("INVALID_FIELD", f"No such column {unknown} on entity {kind}")
        rows = (self._org.get(kind, record_id) for record_id in ids)
        return in_json([row and shown_record(kind, row, fields, version) for row in rows])


def _bounded(count: int, most: int) -> None:
    if count > most:
        raise Refused(
            "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {most} records into this call"
        )
