"""One record at a time: by id, by external id, and what an object is made of."""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.org import Fault, Options
from aiqleads_pipeline.sandbox.doubles.salesforce.session import DATA, Session, errors, options_of, shown_record
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, route


class Records(Session):
    """``/sobjects``, and what people in the CRM do."""

    @route("GET", f"{DATA}/sobjects/{{object}}/describe/?")
    def describe(self, request: Request, version: str, object: str) -> Reply:
        """The fields of an object."""
        kind = self.kind_of(object)
        fields = [
            {
                "name": name,
                "label": name,
                "externalId": self._org.is_external_id(kind, name),
                "custom": name.endswith("__c"),
            }
            for name in self._org.fields(kind)
        ]
        return in_json({"name": kind, "label": kind, "createable": True, "updateable": True, "fields": fields})

    @route("POST", f"{DATA}/sobjects/{{object}}/?")
    def create(self, request: Request, version: str, object: str) -> Reply:
        """One new record."""
        kind = self.kind_of(object)
        made = self._org.insert(kind, self.values_of(kind, self.body_of(request)), options_of(request))
        if isinstance(made, Fault):
            return errors(400, made.code, made.message, made.fields)
        return in_json({"id": made["Id"], "success": True, "errors": []}, 201, effects=1)

    @route("PATCH", f"{DATA}/sobjects/{{object}}/{{field}}/{{value}}")
    def upsert(self, request: Request, version: str, object: str, field: str, value: str) -> Reply:
        """One record by external id: 201 where it is new, else 200."""
        kind = self.kind_of(object)
        if not self._org.is_external_id(kind, field):
            return errors(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + field)
        record = {**self.body_of(request), field: value}
        saved, created, changed = self._upsert(kind, field, value, record, options_of(request))
        if isinstance(saved, Fault):
            return errors(400, saved.code, saved.message, saved.fields)
        answer = {"id": saved["Id"], "success": True, "errors": [], "created": created}
        return in_json(answer, 201 if created else 200, effects=int(changed), repeats=int(not changed))

    @route("GET", f"{DATA}/sobjects/{{object}}/{{field}}/{{value}}")
    def get_external(self, request: Request, version: str, object: str, field: str, value: str) -> Reply:
        """One record by external id."""
        kind = self.kind_of(object)
        return self._one(kind, self._org.by_external(kind, field, value), request, version)

    @route("GET", f"{DATA}/sobjects/{{object}}/{{id}}")
    def get(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        kind = self.kind_of(object)
        return self._one(kind, self._org.get(kind, id), request, version)

    @route("PATCH", f"{DATA}/sobjects/{{object}}/{{id}}")
    def update(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        kind = self.kind_of(object)
        known = self._org.get(kind, id)
        if known is None:
            return errors(404, "NOT_FOUND", "The requested resource does not exist")
        changed = self._org.update(kind, known, self.values_of(kind, self.body_of(request)), options_of(request))
        if isinstance(changed, Fault):
            return errors(400, changed.code, changed.message, changed.fields)
        return Reply(204, effects=int(changed), repeats=int(not changed))

    @route("DELETE", f"{DATA}/sobjects/{{object}}/{{id}}")
    def delete(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        if not self._org.delete(self.kind_of(object), id):
            return errors(404, "ENTITY_IS_DELETED", "entity is deleted")
        return Reply(204, effects=1)

    def do_create(self, object: str, fields: dict[str, Any]) -> str:
        """A person makes a record."""
        made = self._org.insert(object, fields, Options(allow_duplicates=True))
        if isinstance(made, Fault):
            raise ValueError(made.message)
        return str(made["Id"])

    def do_edit(self, object: str, id: str, fields: dict[str, Any]) -> None:
        """A person (or Salesforce itself) changes a record, read-only fields too."""
        self._org.tables[object][id].update(fields)

    def do_delete(self, object: str, id: str) -> bool:
        """A person deletes a record."""
        return self._org.delete(object, id)

    def _upsert(
        self, kind: str, field: str, value: str, record: dict[str, Any], options: Options
    ) -> tuple[dict[str, Any] | Fault, bool, bool]:
        values = self.values_of(kind, record)
        known = self._org.by_external(kind, field, value)
        if known is None:
            return self._org.insert(kind, values, options), True, True
        changed = self._org.update(kind, known, values, options)
        return (changed, False, False) if isinstance(changed, Fault) else (known, False, changed)

    def _one(self, kind: str, record: dict[str, Any] | None, request: Request, version: str) -> Reply:
        if record is None:
            return errors(404, "NOT_FOUND", "The requested resource does not exist")
        fields = request.query["fields"].split(",") if "fields" in request.query else list(record)
        return in_json(shown_record(kind, record, fields, version))
