"""The REST API of an org: log-in, records, collections, queries, Bulk 2.0 jobs, limits.

After https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/ and the Salesforce Platform APIs
collection. Belongs here: routes, tokens, limits. What records are is in ``org``, jobs in ``bulk``, queries in ``soql``.
"""

from __future__ import annotations

import copy
import re
from datetime import timedelta
from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.bulk import Jobs, Refused, shown
from aiqleads_pipeline.sandbox.doubles.salesforce.org import API_USER, Fault, Options, Org
from aiqleads_pipeline.sandbox.doubles.salesforce.soql import MalformedQuery, Query
from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, in_text, route

_DATA = r"/services/data/v(?P<version>\d+\.0)"
_MAX_RECORDS, _MAX_READ = 200, 2000
_BUSY = Fault("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records")
_ROLLED_BACK = Fault(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)


class Salesforce(Double):
    """One org."""

    name = "salesforce"
    title = "Salesforce"
    defaults = {
        "daily_api_requests": 100_000, "token_seconds": 7200, "token_calls": None, "duplicate_rule": True,
        "bulk_polls": 1, "page_size": 2000, "custom_fields": {}, "external_ids": {}, "writable": [],
    }  # fmt: skip
    credentials = {
        "client_id": "sandbox-client", "client_secret": "sandbox-secret", "refresh_token": "sandbox-refresh",
        "username": "sandbox@example.com", "password": "sandbox-password",
    }  # fmt: skip

    def forget(self) -> None:
        """An empty org with three users."""
        self._org = Org(self.settings, self.now)
        self._jobs = Jobs(self._org, self.settings, self.now)
        self._tokens: dict[str, list[Any]] = {}  # token: [ends, calls left]
        self._cursors: dict[str, tuple[Query, list[dict[str, Any]]]] = {}
        self._day: tuple[Any, int] = (None, 0)
        self._issued = 0

    def admit(self, request: Request) -> Reply | None:
        """Session, then the daily limit."""
        if not request.path.startswith("/services/data/v"):
            return None
        token = self._tokens.get(request.bearer)
        if token is None or token[0] <= request.now or token[1] == 0:
            return _errors(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if token[1] is not None:
            token[1] -= 1
        today, used = self._day
        used = used if today == request.now.date() else 0
        if used >= self.settings["daily_api_requests"]:
            return _errors(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._day = request.now.date(), used + 1
        self._jobs.fails = request.fails
        return None

    def answer(self, request: Request) -> Reply:
        """Refusals of any depth become Salesforce's list of errors."""
        try:
            return super().answer(request)
        except Refused as refused:
            return self.finish(request, _errors(refused.status, refused.code, str(refused)))

    def finish(self, request: Request, reply: Reply) -> Reply:
        """How much of the day is used up."""
        if request.path.startswith("/services/data/v"):
            reply.headers["sforce-limit-info"] = f"api-usage={self._day[1]}/{self.settings['daily_api_requests']}"
        return reply

    @route("POST", "/services/oauth2/token")
    def token(self, request: Request) -> Reply:
        """Client credentials, refresh token, or name and password."""
        form, known = request.form, self.credentials
        if request.content_type != "application/x-www-form-urlencoded":
            return _oauth("invalid_request", "the body is to be a form")
        if form.get("client_id") != known["client_id"]:
            return _oauth("invalid_client_id", "client identifier invalid")
        if form.get("client_secret") != known["client_secret"]:
            return _oauth("invalid_client", "invalid client credentials")
        kind = form.get("grant_type")
        if kind not in ("client_credentials", "refresh_token", "password"):
            return _oauth("unsupported_grant_type", "grant type not supported")
        if kind == "refresh_token" and form.get("refresh_token") != known["refresh_token"]:
            return _oauth("invalid_grant", "expired access/refresh token")
        if kind == "password" and (form.get("username"), form.get("password")) != (
            known["username"],
            known["password"],
        ):
            return _oauth("invalid_grant", "authentication failure")
        self._issued += 1
        access = f"00DSANDBOX0000001!{self._issued:08d}"
        ends = request.now + timedelta(seconds=self.settings["token_seconds"])
        self._tokens[access] = [ends, self.settings["token_calls"]]
        return in_json({
            "access_token": access, "instance_url": self.base_url, "token_type": "Bearer", "signature": "c2FuZGJveA==",
            "id": f"{self.base_url}/id/00DSANDBOX0000001/{API_USER}", "scope": "api",
            "issued_at": str(int(request.now.timestamp() * 1000)),
        })  # fmt: skip

    @route("GET", "/services/data")
    @route("GET", "/services/data/")
    def versions(self, request: Request) -> Reply:
        """The versions it speaks; no log-in needed."""
        return in_json([{"label": f"v{n}", "url": f"/services/data/v{n}.0", "version": f"{n}.0"} for n in (62, 65, 66)])

    @route("GET", f"{_DATA}/limits/?")
    def limits(self, request: Request, version: str) -> Reply:
        """The day's limits."""
        most, used = self.settings["daily_api_requests"], self._day[1]
        jobs = len(self._jobs.listed())
        return in_json({
            "DailyApiRequests": {"Max": most, "Remaining": max(most - used, 0)},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000 - jobs},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
        })  # fmt: skip

    @route("PATCH", f"{_DATA}/composite/sobjects/{{object}}/{{field}}")
    def upsert_many(self, request: Request, version: str, object: str, field: str) -> Reply:
        """Up to 200 records by external id."""
        kind, options = self._kind(object), _options(request)
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

    @route("POST", f"{_DATA}/composite/sobjects/?")
    def create_many(self, request: Request, version: str) -> Reply:
        """Up to 200 new records."""
        records, is_whole = self._collection(request, None)

        def save(_number: int, record: dict[str, Any]) -> tuple[Any, bool, bool]:
            kind = self._kind(record["attributes"]["type"])
            made = self._org.insert(kind, self._values(kind, record), _options(request))
            return made, True, True

        return self._saved(records, is_whole, save, request, "Id")

    @route("PATCH", f"{_DATA}/composite/sobjects/?")
    def update_many(self, request: Request, version: str) -> Reply:
        """Up to 200 records by id."""
        records, is_whole = self._collection(request, None)

        def save(_number: int, record: dict[str, Any]) -> tuple[Any, bool, bool]:
            kind = self._kind(record["attributes"]["type"])
            known = self._org.get(kind, str(record.get("id") or record.get("Id") or ""))
            if known is None:
                return Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), False, False
            values = {name: value for name, value in self._values(kind, record).items() if name != "Id"}
            changed = self._org.update(kind, known, values, _options(request))
            return (changed, False, False) if isinstance(changed, Fault) else (known, False, changed)

        return self._saved(records, is_whole, save, request, "id")

    @route("DELETE", f"{_DATA}/composite/sobjects/?")
    def delete_many(self, request: Request, version: str) -> Reply:
        """Up to 200 records by id."""
        ids = [each for each in request.query.get("ids", "").split(",") if each]
        _bounded(len(ids), _MAX_RECORDS)
        rows = []
        for record_id in ids:
            gone = any(self._org.delete(kind, record_id) for kind in self._org.tables)
            fault = [] if gone else [Fault("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id").shown()]
            rows.append({"id": record_id, "success": gone, "errors": fault})
        return in_json(rows, effects=sum(row["success"] for row in rows))

    @route("POST", f"{_DATA}/composite/sobjects/{{object}}")
    def read_many(self, request: Request, version: str, object: str) -> Reply:
        """Up to 2,000 records by id."""
        body = self._body(request)
        return self._read(object, body.get("ids", []), body.get("fields", []), version)

    @route("GET", f"{_DATA}/composite/sobjects/{{object}}")
    def read_several(self, request: Request, version: str, object: str) -> Reply:
        """The same by query parameters."""
        ids, fields = (request.query.get(name, "").split(",") for name in ("ids", "fields"))
        return self._read(object, ids, fields, version)

    @route("GET", f"{_DATA}/sobjects/{{object}}/describe/?")
    def describe(self, request: Request, version: str, object: str) -> Reply:
        """The fields of an object."""
        kind = self._kind(object)
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

    @route("POST", f"{_DATA}/sobjects/{{object}}/?")
    def create(self, request: Request, version: str, object: str) -> Reply:
        """One new record."""
        kind = self._kind(object)
        made = self._org.insert(kind, self._values(kind, self._body(request)), _options(request))
        if isinstance(made, Fault):
            return _errors(400, made.code, made.message, made.fields)
        return in_json({"id": made["Id"], "success": True, "errors": []}, 201, effects=1)

    @route("PATCH", f"{_DATA}/sobjects/{{object}}/{{field}}/{{value}}")
    def upsert(self, request: Request, version: str, object: str, field: str, value: str) -> Reply:
        """One record by external id: 201 where it is new, else 200."""
        kind = self._kind(object)
        if not self._org.is_external_id(kind, field):
            return _errors(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + field)
        record = {**self._body(request), field: value}
        saved, created, changed = self._upsert(kind, field, value, record, _options(request))
        if isinstance(saved, Fault):
            return _errors(400, saved.code, saved.message, saved.fields)
        answer = {"id": saved["Id"], "success": True, "errors": [], "created": created}
        return in_json(answer, 201 if created else 200, effects=int(changed), repeats=int(not changed))

    @route("GET", f"{_DATA}/sobjects/{{object}}/{{field}}/{{value}}")
    def get_external(self, request: Request, version: str, object: str, field: str, value: str) -> Reply:
        """One record by external id."""
        kind = self._kind(object)
        return self._one(kind, self._org.by_external(kind, field, value), request, version)

    @route("GET", f"{_DATA}/sobjects/{{object}}/{{id}}")
    def get(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        kind = self._kind(object)
        return self._one(kind, self._org.get(kind, id), request, version)

    @route("PATCH", f"{_DATA}/sobjects/{{object}}/{{id}}")
    def update(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        kind = self._kind(object)
        known = self._org.get(kind, id)
        if known is None:
            return _errors(404, "NOT_FOUND", "The requested resource does not exist")
        changed = self._org.update(kind, known, self._values(kind, self._body(request)), _options(request))
        if isinstance(changed, Fault):
            return _errors(400, changed.code, changed.message, changed.fields)
        return Reply(204, effects=int(changed), repeats=int(not changed))

    @route("DELETE", f"{_DATA}/sobjects/{{object}}/{{id}}")
    def delete(self, request: Request, version: str, object: str, id: str) -> Reply:
        """One record by id."""
        if not self._org.delete(self._kind(object), id):
            return _errors(404, "ENTITY_IS_DELETED", "entity is deleted")
        return Reply(204, effects=1)

    @route("GET", f"{_DATA}/(?:query|queryAll)/?")
    def query(self, request: Request, version: str) -> Reply:
        """The first page of a query."""
        org = self._org
        try:
            query = Query(request.query.get("q", ""), org.object_of, org.field_of)
        except MalformedQuery as error:
            return _errors(400, error.code, str(error))
        rows = query.run(list(org.tables[query.kind].values()))
        if query.is_count:
            return in_json({"totalSize": len(rows), "done": True, "records": []})
        return self._page(query, copy.deepcopy(rows), 0, f"01g{len(self._cursors) + 1:012d}", request, version)

    @route("GET", f"{_DATA}/query/(?P<cursor>\\w+)-(?P<start>\\d+)")
    def query_more(self, request: Request, version: str, cursor: str, start: str) -> Reply:
        """A further page."""
        if cursor not in self._cursors:
            return _errors(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        query, rows = self._cursors[cursor]
        return self._page(query, rows, int(start), cursor, request, version)

    @route("POST", f"{_DATA}/jobs/ingest/?")
    def create_job(self, request: Request, version: str) -> Reply:
        """An open job."""
        return in_json(shown(self._jobs.create(self._body(request), version)))

    @route("GET", f"{_DATA}/jobs/ingest/?")
    def list_jobs(self, request: Request, version: str) -> Reply:
        """All jobs."""
        return in_json({"done": True, "records": self._jobs.listed(), "nextRecordsUrl": None})

    @route("PUT", f"{_DATA}/jobs/ingest/{{id}}/batches/?")
    def upload(self, request: Request, version: str, id: str) -> Reply:
        """The job's CSV."""
        if request.content_type != "text/csv":
            return _errors(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type header is not supported: text/csv is")
        self._jobs.upload(self._jobs.get(id), request.body)
        return Reply(201)

    @route("PATCH", f"{_DATA}/jobs/ingest/{{id}}/?")
    def change_job(self, request: Request, version: str, id: str) -> Reply:
        """Close or abort."""
        job = self._jobs.get(id)
        self._jobs.change(job, str(self._body(request).get("state")))
        return in_json(shown(job))

    @route("GET", f"{_DATA}/jobs/ingest/{{id}}/?")
    def get_job(self, request: Request, version: str, id: str) -> Reply:
        """Where a job stands. The double works it off while it is looked at."""
        job = self._jobs.get(id)
        effects, repeats = self._jobs.poll(job)
        return in_json(shown(job), effects=effects, repeats=repeats)

    @route("GET", f"{_DATA}/jobs/ingest/{{id}}/(?P<kind>successfulResults|failedResults|unprocessedrecords)/?")
    def job_results(self, request: Request, version: str, id: str, kind: str) -> Reply:
        """What became of the rows."""
        return in_text(self._jobs.results(self._jobs.get(id), kind), kind="text/csv")

    @route("DELETE", f"{_DATA}/jobs/ingest/{{id}}/?")
    def delete_job(self, request: Request, version: str, id: str) -> Reply:
        """A job that is over."""
        self._jobs.delete(self._jobs.get(id))
        return Reply(204)

    def lost_way(self, request: Request, status: int) -> Reply:
        """Salesforce's words."""
        if status == 405:
            return _errors(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed.")
        return _errors(404, "NOT_FOUND", "The requested resource does not exist")

    def throttled(self, request: Request) -> Reply:
        """Salesforce has no 429 of its own; its edge has."""
        return _errors(429, "TOO_MANY_REQUESTS", "Too many requests")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Records of an object; ``jobs``."""
        return self._jobs.listed() if kind == "jobs" else list(self._org.tables[kind].values())

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        counts = {kind: len(rows) for kind, rows in self._org.tables.items() if rows and kind != "User"}
        return {**counts, "jobs": len(self._jobs.listed()), "requests today": self._day[1]}

    def do_expire_tokens(self) -> int:
        """All sessions are over."""
        for token in self._tokens.values():
            token[0] = self.now()
        return len(self._tokens)

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
        values = self._values(kind, record)
        known = self._org.by_external(kind, field, value)
        if known is None:
            return self._org.insert(kind, values, options), True, True
        changed = self._org.update(kind, known, values, options)
        return (changed, False, False) if isinstance(changed, Fault) else (known, False, changed)

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
        body = self._body(request)
        records = body.get("records")
        if not isinstance(records, list) or not records:
            raise Refused("JSON_PARSER_ERROR", "records is missing or empty")
        _bounded(len(records), _MAX_RECORDS)
        for record in records:
            named = record.get("attributes", {}).get("type") if isinstance(record, dict) else None
            if named is None:
                raise Refused("INVALID_INPUT", "Include an entity type in the attributes of each record")
            if kind is not None and self._kind(named) != kind:
                raise Refused("INVALID_INPUT", f"All records are to be of the type {kind}")
            self._values(self._kind(named), record)
        return records, body.get("allOrNone") is True

    def _values(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        values = {}
        for name, value in record.items():
            if name == "attributes" or name.lower() == "id":
                continue
            known = self._org.field_of(kind, name)
            if known is None:
                raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")
            values[known] = value
        return values

    def _read(self, object: str, ids: list[str], fields: list[str], version: str) -> Reply:
        kind = self._kind(object)
        _bounded(len(ids), _MAX_READ)
        unknown = [name for name in fields if self._org.field_of(kind, name) is None]
        if unknown or not fields:
            raise Refused("INVALID_FIELD", f"No such column {unknown} on entity {kind}")
        rows = (self._org.get(kind, record_id) for record_id in ids)
        return in_json([row and _shown(kind, row, fields, version) for row in rows])

    def _one(self, kind: str, record: dict[str, Any] | None, request: Request, version: str) -> Reply:
        if record is None:
            return _errors(404, "NOT_FOUND", "The requested resource does not exist")
        fields = request.query["fields"].split(",") if "fields" in request.query else list(record)
        return in_json(_shown(kind, record, fields, version))

    def _page(
        self, query: Query, rows: list[dict[str, Any]], start: int, cursor: str, request: Request, version: str
    ) -> Reply:
        size = self.settings["page_size"]
        asked = re.search(r"batchSize=(\d+)", request.headers.get("sforce-query-options", ""))
        if asked:
            size = min(max(int(asked[1]), 200), 2000)
        end = start + size
        people = {user["Id"]: user for user in self._org.tables["User"].values()}
        records = [_shown(query.kind, row, query.fields, version, people) for row in rows[start:end]]
        answer: dict[str, Any] = {"totalSize": len(rows), "done": end >= len(rows), "records": records}
        if end < len(rows):
            self._cursors[cursor] = query, rows
            answer["nextRecordsUrl"] = f"/services/data/v{version}/query/{cursor}-{end}"
        return in_json(answer)

    def _kind(self, name: str) -> str:
        kind = self._org.object_of(name)
        if kind is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", 404)
        return kind

    def _body(self, request: Request) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise Refused("UNSUPPORTED_MEDIA_TYPE", "Content-Type header is not supported", 415)
        try:
            body = request.json()
        except ValueError:
            raise Refused("JSON_PARSER_ERROR", "Unexpected character at [line:1, column:1]") from None
        if not isinstance(body, dict):
            raise Refused("JSON_PARSER_ERROR", "The body is to be an object")
        return body


def _bounded(count: int, most: int) -> None:
    if count > most:
        raise Refused(
            "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {most} records into this call"
        )


def _options(request: Request) -> Options:
    rule = request.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
    assign = request.headers.get("sforce-auto-assign", "TRUE")
    return Options("allowsave=true" in rule, None if assign.upper() == "FALSE" else assign)


def _shown(
    kind: str, row: dict[str, Any], fields: list[str], version: str, people: dict[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    shown_row: dict[str, Any] = {
        "attributes": {"type": kind, "url": f"/services/data/v{version}/sobjects/{kind}/{row['Id']}"}
    }
    for name in fields:
        head, _, rest = name.partition(".")
        if rest:
            other = (people or {}).get(str(row.get(f"{head}Id")), {})
            shown_row.setdefault(head, {"attributes": {"type": "User"}})[rest] = other.get(rest)
        else:
            shown_row[name] = row.get(name)
    return shown_row


def _errors(status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> Reply:
    error: dict[str, Any] = {"message": message, "errorCode": code}
    return in_json([error | {"fields": list(fields)} if fields else error], status)


def _oauth(error: str, description: str) -> Reply:
    return in_json({"error": error, "error_description": description}, 400)
