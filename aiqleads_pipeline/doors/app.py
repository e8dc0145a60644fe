"""The service: all parts behind one gate.

Belongs here: the list of parts, and their lives. A part is a module with some of: ``router`` (FastAPI routes),
``hot_routes(doors)`` (plain ASGI routes by method and path, in front of FastAPI), ``running(doors)`` (a context for as
long as the service runs). A new route is also a line in ``permissions``; one without is refused at the start.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from aiqleads_pipeline.doors import (
    destination_tests,
    health,
    insights,
    leads,
    oauth,
    page,
    posting_specs,
    scrapes,
    touch_callbacks,
    uploads,
    webhooks,
)
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.gate import Gate
from aiqleads_pipeline.doors.openapi import describe_api
from aiqleads_pipeline.doors.permissions import RULES, Routes, Rule
from aiqleads_pipeline.doors.problems import PROBLEM_JSON, ASGIApp, Problem, Receive, Scope, Send
from aiqleads_pipeline.doors.violations import problem_of_validation
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.settings import Settings
from resources.store.errors import StoreError

PARTS: tuple[ModuleType, ...] = (
    health, oauth, leads, scrapes, uploads, page, webhooks, posting_specs, touch_callbacks, insights, destination_tests,
)  # fmt: skip
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


class UnlistedRoute(Exception):
    """A route has no line in ``permissions``: nobody said who may."""


def create_app(settings: Settings, outside: Outside, parts: Sequence[ModuleType] = PARTS) -> ASGIApp:
    """The service as one ASGI application; nothing is opened before its lifespan begins.

    Raises:
        UnlistedRoute: a part has a route that ``permissions`` does not list.
    """
    doors = Doors(settings, outside)
    api = FastAPI(
        title="AIQLeads",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would note addresses as they were asked for
    )
    api.state.doors = doors
    hot: dict[tuple[str, str], ASGIApp] = {}
    there = {("GET", str(api.openapi_url))}
    for part in parts:
        router: APIRouter | None = getattr(part, "router", None)
        if router is not None:
            api.include_router(router)
            there |= {(method, r.path) for r in router.routes if isinstance(r, Route) for method in r.methods or ()}
        make: Callable[[Doors], Mapping[tuple[str, str], ASGIApp]] | None = getattr(part, "hot_routes", None)
        if make is not None:
            hot |= make(doors)
    rules = tuple(rule.under(settings) for rule in _listed(there | set(hot)))
    for kind in (Problem, HTTPException, RequestValidationError):
        api.add_exception_handler(kind, _answer)
    describe_api(api, rules)
    gate: Any = Gate(doors, Routes(rules), api, hot)
    origins = [origin.strip() for origin in settings.CORS_ORIGINS.split(",") if origin.strip()]
    if origins:
        shown = ["Retry-After", "RateLimit", "RateLimit-Policy", "X-Request-Id"]
        gate = CORSMiddleware(
            gate, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=shown
        )
    return _Service(doors, gate, parts)


def create_from_environment() -> ASGIApp:
    """The service of the settings in the environment: what a worker process runs."""
    outside = open_outside()
    return create_app(outside.settings, outside)


class _Service:
    """The application and its life."""

    def __init__(self, doors: Doors, gate: ASGIApp, parts: Sequence[ModuleType]) -> None:
        self.doors, self._gate, self._parts = doors, gate, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._gate(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self.doors.running())
                for part in self._parts:
                    if hasattr(part, "running"):
                        await stack.enter_async_context(part.running(self.doors))
            except (StoreError, OSError) as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _listed(there: set[tuple[str, str]]) -> tuple[Rule, ...]:
    """The rules of the routes there are."""
    unlisted = there - {(rule.method, rule.path) for rule in RULES}
    if unlisted:
        names = ", ".join(f"{method} {path}" for method, path in sorted(unlisted))
        raise UnlistedRoute(f"doors/permissions.py says nothing about {names}")
    return tuple(rule for rule in RULES if (rule.method, rule.path) in there)


async def _answer(_request: Request, error: Exception) -> Response:
    """What a route refuses. What it fails at goes on to the gate, which knows the store's errors."""
    problem = _problem_of(error)
    return Response(problem.body(), problem.status, problem.headers, PROBLEM_JSON.decode())


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return problem_of_validation(error)
    status = error.status_code if isinstance(error, HTTPException) else 400
    return Problem(status, _BY_STATUS.get(status, "malformed_request"))
