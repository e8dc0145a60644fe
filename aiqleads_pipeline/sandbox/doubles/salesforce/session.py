"""What every call to an org goes through: log-in, sessions, the daily limit, refusals; and what its routes share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from aiqleads_pipeline.sandbox.doubles.salesforce.bulk import Jobs, Refused
from aiqleads_pipeline.sandbox.doubles.salesforce.org import API_USER, Options, Org
from aiqleads_pipeline.sandbox.doubles.salesforce.soql import Query
from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, route

DATA = r"/services/data/v(?P<version>\d+\.0)"


class Session(Double):
    """One org; the routes of subclasses are behind its log-in."""

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
            return errors(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if token[1] is not None:
            token[1] -= 1
        today, used = self._day
        used = used if today == request.now.date() else 0
        if used >= self.settings["daily_api_requests"]:
            return errors(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._day = request.now.date(), used + 1
        self._jobs.fails = request.fails
        return None

    def answer(self, request: Request) -> Reply:
        """Refusals of any depth become Salesforce's list of errors."""
        try:
            return super().answer(request)
        except Refused as refused:
            return self.finish(request, errors(refused.status, refused.code, str(refused)))

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

    @route("GET", f"{DATA}/limits/?")
    def limits(self, request: Request, version: str) -> Reply:
        """The day's limits."""
        most, used = self.settings["daily_api_requests"], self._day[1]
        jobs = len(self._jobs.listed())
        return in_json({
            "DailyApiRequests": {"Max": most, "Remaining": max(most - used, 0)},
            "DailyBulkApiBatches": {"Max": 15000, "Remaining": 15000 - jobs},
            "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000},
        })  # fmt: skip

    def lost_way(self, request: Request, status: int) -> Reply:
        """Salesforce's words."""
        if status == 405:
            return errors(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{request.method}' not allowed.")
        return errors(404, "NOT_FOUND", "The requested resource does not exist")

    def throttled(self, request: Request) -> Reply:
        """Salesforce has no 429 of its own; its edge has."""
        return errors(429, "TOO_MANY_REQUESTS", "Too many requests")

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

    def kind_of(self, name: str) -> str:
        kind = self._org.object_of(name)
        if kind is None:
            raise Refused("NOT_FOUND", "The requested resource does not exist", 404)
        return kind

    def body_of(self, request: Request) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise Refused("UNSUPPORTED_MEDIA_TYPE", "Content-Type header is not supported", 415)
        try:
            body = request.json()
        except ValueError:
            raise Refused("JSON_PARSER_ERROR", "Unexpected character at [line:1, column:1]") from None
        if not isinstance(body, dict):
            raise Refused("JSON_PARSER_ERROR", "The body is to be an object")
        return body

    def values_of(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        values = {}
        for name, value in record.items():
            if name == "attributes" or name.lower() == "id":
                continue
            known = self._org.field_of(kind, name)
            if known is None:
                raise Refused("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")
            values[known] = value
        return values


def options_of(request: Request) -> Options:
    rule = request.headers.get("sforce-duplicate-rule-header", "").replace(" ", "").lower()
    assign = request.headers.get("sforce-auto-assign", "TRUE")
    return Options("allowsave=true" in rule, None if assign.upper() == "FALSE" else assign)


def shown_record(
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


def errors(status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> Reply:
    error: dict[str, Any] = {"message": message, "errorCode": code}
    return in_json([error | {"fields": list(fields)} if fields else error], status)


def _oauth(error: str, description: str) -> Reply:
    return in_json({"error": error, "error_description": description}, 400)
