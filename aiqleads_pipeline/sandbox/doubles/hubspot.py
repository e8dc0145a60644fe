"""HubSpot: objects of the CRM v3 API, batches, search, associations v4, limits of a private app.

After https://developers.hubspot.com/docs/api-reference/crm-contacts-v3, and its pages on usage and error handling.
Belongs here: routes, credentials, limits. What records are is in ``hubspot_records``.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Any

from aiqleads_pipeline.sandbox.doubles.hubspot_records import Objects
from aiqleads_pipeline.sandbox.doubles.hubspot_schema import SINGULAR, Refused
from aiqleads_pipeline.sandbox.doubles.hubspot_search import searched
from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, route, stamp

_TYPE = r"(?P<type>contacts|companies|deals)"
_OBJECTS = f"/crm/v3/objects/{_TYPE}"
_MAX_BATCH = 100


class HubSpot(Double):
    """One portal."""

    name = "hubspot"
    title = "HubSpot CRM"
    defaults = {
        "requests_per_window": 190, "window_seconds": 10.0, "daily_requests": 250_000, "search_per_second": 5,
        "token_seconds": 1800, "properties": {}, "unique": {},
    }  # fmt: skip
    credentials = {
        "access_token": "pat-na1-sandbox", "client_id": "sandbox-client", "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    }  # fmt: skip

    def forget(self) -> None:
        """An empty portal."""
        self._objects = Objects(self.settings, self.now)
        self._tokens: dict[str, datetime] = {}
        self._calls: deque[datetime] = deque()
        self._searches: deque[datetime] = deque()
        self._day: tuple[Any, int] = (None, 0)
        self._traces = 0

    def admit(self, request: Request) -> Reply | None:
        """Token, then limits: refused calls count too."""
        if request.path == "/oauth/v1/token":
            return None
        if not self._is_known(request.bearer, request.now):
            text = "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"  # noqa: E501
            return self._error(401, "INVALID_AUTHENTICATION", text)
        now, settings = request.now, self.settings
        _forget_before(self._calls, now - timedelta(seconds=settings["window_seconds"]))
        today, count = self._day
        self._day = (now.date(), count + 1 if today == now.date() else 1)
        if self._day[1] > settings["daily_requests"]:
            return self._limited("You have reached your daily limit.", "DAILY")
        if request.path.endswith("/search"):
            _forget_before(self._searches, now - timedelta(seconds=1))
            if len(self._searches) >= settings["search_per_second"]:
                return self._limited("You have reached your secondly limit.", "SECONDLY")
            self._searches.append(now)
            return None
        if len(self._calls) >= settings["requests_per_window"]:
            return self._limited("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")
        self._calls.append(now)
        return None

    def answer(self, request: Request) -> Reply:
        """Refusals of any depth become HubSpot's error."""
        try:
            return super().answer(request)
        except Refused as refused:
            status = 409 if refused.category == "CONFLICT" else 400
            return self.finish(request, self._error(status, refused.category, refused.message, refused.errors))

    def finish(self, request: Request, reply: Reply) -> Reply:
        """Limits in the headers; searches have none."""
        if request.path != "/oauth/v1/token" and not request.path.endswith("/search"):
            reply.headers.update(self._limits())
        return reply

    @route("POST", "/oauth/v1/token")
    def token(self, request: Request) -> Reply:
        """A new access token for a refresh token."""
        form, known = request.form, self.credentials
        if (form.get("client_id"), form.get("client_secret")) != (known["client_id"], known["client_secret"]):
            return in_json({"status": "BAD_CLIENT_ID", "message": "missing or invalid client id"}, 400)
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != known["refresh_token"]:
            return in_json({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, 400)
        token = f"sandbox-token-{len(self._tokens) + 1}"
        self._tokens[token] = request.now + timedelta(seconds=self.settings["token_seconds"])
        answer = {"token_type": "bearer", "access_token": token, "expires_in": self.settings["token_seconds"]}
        return in_json({**answer, "refresh_token": known["refresh_token"]})

    @route("POST", f"{_OBJECTS}/batch/(?P<verb>upsert|create|update|read|archive)")
    def batch(self, request: Request, type: str, verb: str) -> Reply:
        """Up to a hundred records; 207 where some of them failed."""
        started, body = stamp(request.now), self._body(request)
        inputs = body.get("inputs")
        if not isinstance(inputs, list) or not inputs:
            raise Refused("VALIDATION_ERROR", "Some required fields were not set: [inputs]")
        if len(inputs) > _MAX_BATCH:
            text = f"The maximum batch size is {_MAX_BATCH} inputs. {len(inputs)} inputs were provided"
            raise Refused("VALIDATION_ERROR", text)
        results, errors, counts = self._objects.batch(verb, type, body, request.fails)
        if verb == "archive":
            return Reply(204, effects=counts[0])
        answer: dict[str, Any] = {
            "status": "COMPLETE", "results": results, "startedAt": started, "completedAt": stamp(self.now())
        }  # fmt: skip
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        status = 207 if errors else 201 if verb == "create" else 200
        return in_json(answer, status, effects=counts[0], repeats=counts[1])

    @route("POST", f"{_OBJECTS}/search")
    def search(self, request: Request, type: str) -> Reply:
        """Filters, sorts, pages of up to 200."""
        return in_json(searched(self._objects.alive(type), self._body(request)))

    @route("POST", _OBJECTS)
    def create(self, request: Request, type: str) -> Reply:
        """One new record."""
        body = self._body(request)
        self._objects.check(type, [body])
        return in_json(self._objects.shown(type, self._objects.create(type, body["properties"])), 201, effects=1)

    @route("GET", f"{_OBJECTS}/{{id}}")
    def read(self, request: Request, type: str, id: str) -> Reply:
        """One record, by its id or by ``idProperty``."""
        record = self._objects.find(type, id, request.query.get("idProperty"))
        if record is None:
            return self._error(404, "OBJECT_NOT_FOUND", "resource not found")
        wanted = request.query.get("properties", "").split(",") if "properties" in request.query else None
        return in_json(self._objects.shown(type, record, wanted))

    @route("GET", _OBJECTS)
    def listed(self, request: Request, type: str) -> Reply:
        """All records, by pages of up to a hundred."""
        limit = min(int(request.query.get("limit", "10")), _MAX_BATCH)
        after = int(request.query.get("after", "0"))
        rows = [each for each in self._objects.alive(type) if int(each["id"]) > after]
        wanted = request.query.get("properties", "").split(",") if "properties" in request.query else None
        answer: dict[str, Any] = {"results": [self._objects.shown(type, each, wanted) for each in rows[:limit]]}
        if len(rows) > limit:
            answer["paging"] = {"next": {"after": rows[limit - 1]["id"], "link": ""}}
        return in_json(answer)

    @route("PATCH", f"{_OBJECTS}/{{id}}")
    def update(self, request: Request, type: str, id: str) -> Reply:
        """Some properties of one record."""
        record = self._objects.find(type, id, request.query.get("idProperty"))
        if record is None:
            return self._error(404, "OBJECT_NOT_FOUND", "resource not found")
        body = self._body(request)
        self._objects.check(type, [body])
        changed = self._objects.update(type, record, body["properties"])
        return in_json(self._objects.shown(type, record), effects=int(changed), repeats=int(not changed))

    @route("DELETE", f"{_OBJECTS}/{{id}}")
    def archive(self, request: Request, type: str, id: str) -> Reply:
        """To the recycling bin; 204 whether or not it was there."""
        return Reply(204, effects=int(self._objects.archive(type, id)))

    @route("GET", f"/crm/v3/properties/{_TYPE}")
    def properties(self, request: Request, type: str) -> Reply:
        """The properties that a type has."""
        return in_json({"results": self._objects.described(type)})

    @route("GET", "/crm/v3/owners")
    @route("GET", "/crm/v3/owners/")
    def owners(self, request: Request) -> Reply:
        """Three people."""
        people = [{"id": str(70000 + n), "email": f"owner{n}@sandbox.example", "archived": False} for n in (1, 2, 3)]
        return in_json({"results": people})

    @route("POST", r"/crm/v4/associations/(?P<one>\w+)/(?P<other>\w+)/batch/(?P<verb>associate/default|read)")
    def associations(self, request: Request, one: str, other: str, verb: str) -> Reply:
        """Links between records: made, or read."""
        body = self._body(request)
        if verb == "read":
            rows, errors = self._objects.linked(one, other, body.get("inputs", []))
            answer = {"status": "COMPLETE", "results": rows}
            return in_json(
                {**answer, "numErrors": len(errors), "errors": errors} if errors else answer, 207 if errors else 200
            )
        rows, errors, made = self._objects.link(one, other, body.get("inputs", []))
        answer = {"status": "COMPLETE", "results": rows}
        return in_json(
            {**answer, "numErrors": len(errors), "errors": errors} if errors else answer,
            207 if errors else 200, effects=made, repeats=len(rows) - made,
        )  # fmt: skip

    @route("PUT", "/crm/v4/objects/{one}/{id}/associations/default/{other}/{other_id}")
    def associate(self, request: Request, one: str, id: str, other: str, other_id: str) -> Reply:
        """One link."""
        rows, errors, made = self._objects.link(one, other, [{"from": {"id": id}, "to": {"id": other_id}}])
        if errors:
            return self._error(404, "OBJECT_NOT_FOUND", errors[0]["message"])
        return in_json({"status": "COMPLETE", "results": rows}, effects=made, repeats=1 - made)

    def lost_way(self, request: Request, status: int) -> Reply:
        """HubSpot's words."""
        return self._error(status, "OBJECT_NOT_FOUND" if status == 404 else "METHOD_NOT_ALLOWED", "resource not found")

    def throttled(self, request: Request) -> Reply:
        """HubSpot's words of a 429."""
        return self._limited("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING")

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``contacts``, ``companies``, ``deals``, ``associations``."""
        if kind == "associations":
            return self._objects.links()
        if kind not in SINGULAR:
            raise KeyError(kind)
        return self._objects.alive(kind)

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        counts = {kind: len(self._objects.alive(kind)) for kind in SINGULAR}
        return {**counts, "associations": len(self._objects.links()), "requests today": self._day[1]}

    def do_expire_tokens(self) -> int:
        """All tokens of OAuth are over."""
        count = len(self._tokens)
        self._tokens = dict.fromkeys(self._tokens, self.now())
        return count

    def do_create(self, type: str, properties: dict[str, str]) -> str:
        """A person makes a record."""
        return str(self._objects.create(type, properties)["id"])

    def do_edit(self, type: str, id: str, properties: dict[str, str]) -> None:
        """A person changes a record."""
        record = self._objects.find(type, id, None)
        if record is None:
            raise KeyError(id)
        self._objects.update(type, record, properties)

    def do_delete(self, type: str, id: str) -> bool:
        """A person deletes a record."""
        return self._objects.archive(type, id)

    def do_associate(self, one: str, id: str, other: str, other_id: str) -> int:
        """A person links two records."""
        return self._objects.link(one, other, [{"from": {"id": id}, "to": {"id": other_id}}])[2]

    def _body(self, request: Request) -> dict[str, Any]:
        if request.content_type != "application/json":
            raise Refused("VALIDATION_ERROR", "Invalid input: the Content-Type is to be application/json")
        try:
            body = request.json()
        except ValueError:
            raise Refused("VALIDATION_ERROR", "Invalid input JSON on line 1, column 1: it can't be parsed") from None
        if not isinstance(body, dict):
            raise Refused("VALIDATION_ERROR", "Invalid input JSON on line 1, column 1: Cannot deserialize value")
        return body

    def _is_known(self, token: str, now: datetime) -> bool:
        return token == self.credentials["access_token"] or self._tokens.get(token, now) > now

    def _limits(self) -> dict[str, str]:
        settings, used = self.settings, len(self._calls)
        return {
            "x-hubspot-ratelimit-max": str(settings["requests_per_window"]),
            "x-hubspot-ratelimit-remaining": str(max(settings["requests_per_window"] - used, 0)),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(settings["window_seconds"] * 1000)),
            "x-hubspot-ratelimit-daily": str(settings["daily_requests"]),
            "x-hubspot-ratelimit-daily-remaining": str(max(settings["daily_requests"] - self._day[1], 0)),
        }

    def _limited(self, message: str, policy: str) -> Reply:
        self._traces += 1
        answer = {
            "status": "error", "message": message, "errorType": "RATE_LIMIT", "policyName": policy,
            "correlationId": self._trace(), "groupName": "publicapi:private-apps-api-calls-sandbox",
        }  # fmt: skip
        reply = in_json(answer, 429)
        reply.headers.update(self._limits())
        return reply

    def _error(self, status: int, category: str, message: str, errors: list[dict[str, Any]] | None = None) -> Reply:
        self._traces += 1
        answer: dict[str, Any] = {
            "status": "error", "message": message, "correlationId": self._trace(), "category": category
        }  # fmt: skip
        return in_json({**answer, "errors": errors} if errors else answer, status)

    def _trace(self) -> str:
        return f"00000000-0000-4000-8000-{self._traces:012d}"


def _forget_before(times: deque[datetime], moment: datetime) -> None:
    while times and times[0] <= moment:
        times.popleft()
