"""The description of the API at ``/openapi.json``: what FastAPI knows, and what the gate adds to every route.

Belongs here: credentials, problems and scopes as ``permissions`` declares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from aiqleads_pipeline.doors.permissions import Rule

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "how_to_fix"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "how_to_fix": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a token of /oauth/token"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def describe_api(api: FastAPI, rules: Sequence[Rule]) -> None:
    """Let ``api.openapi()`` say all of it."""
    by_route = {(rule.method.lower(), rule.path): rule for rule in rules}

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            found = get_openapi(title=api.title, version=api.version, routes=api.routes)
            components = found.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = _PROBLEM
            components["securitySchemes"] = _SCHEMES
            for path, methods in found["paths"].items():
                for method, operation in methods.items():
                    _complete(operation, by_route[(method, path)])
            for unused in ("HTTPValidationError", "ValidationError"):  # problems take their place
                components["schemas"].pop(unused, None)
            api.openapi_schema = found
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: dict[str, Any], rule: Rule) -> None:
    responses = operation.setdefault("responses", {})
    if "application/json" in responses.get("422", {}).get(
        "content", {}
    ):  # FastAPI's own; what a route says itself stays
        del responses["422"]
    statuses = {"400": "The request can't be read or breaks a rule", "408": "It did not arrive in time"}
    if rule.max_body_kb:
        statuses |= {"413": "The body is too large", "415": "The body is of another type"}
    if rule.has_parameters:
        statuses["404"] = "Nothing here, or nothing of yours"
    if not rule.is_public:
        operation["security"] = [{"bearer": []}, {"api_key": []}]
        statuses |= {"401": "No valid key or token", "403": "The role, scopes or address don't allow it"}
    statuses |= {"429": "Too much of this client", "503": "Not now: see Retry-After"}
    for status, description in statuses.items():
        known = responses.setdefault(status, {"description": description})
        known.setdefault("content", {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}})
