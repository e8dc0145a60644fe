"""OAuth 2.0 client credentials: an API key becomes a short-lived token (RFC 6749, 4.4), and the keys to check it by.

Belongs here: these routes, and who one is. The token's errors are OAuth's own JSON, which its clients expect.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from aiqleads_pipeline.doors.access import ADMISSION, address_of
from aiqleads_pipeline.doors.doors import Doors
from aiqleads_pipeline.doors.problems import Problem

router = APIRouter(tags=["access"])
FORM = "application/x-www-form-urlencoded"
_ERROR: dict[str, Any] = {
    "application/json": {
        "schema": {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
    },
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},  # what the gate refuses
}
_FORM_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "const": "client_credentials"},
                        "client_id": {"type": "string", "description": "The key_id"},
                        "client_secret": {"type": "string", "description": "The key, or its part behind the dot"},
                        "scope": {"type": "string", "description": "Some of the key's scopes"},
                    },
                }
            }
        },
    },
    "responses": {
        "200": {"description": "A token"},
        "400": {"description": "invalid_request, unsupported_grant_type or invalid_scope", "content": _ERROR},
        "401": {"description": "invalid_client", "content": _ERROR},
    },
}


@router.post("/oauth/token", summary="A token for a key", openapi_extra=_FORM_SCHEMA)
async def issue_token(request: Request) -> JSONResponse:
    """Client credentials in the form or by basic authentication; ``scope`` narrows the token."""
    form = await _read_form(request)
    if form is None or form.get("grant_type") is None:
        return _refused(400, "invalid_request")
    if form["grant_type"] != "client_credentials":
        return _refused(400, "unsupported_grant_type")
    credentials = _credentials(request, form)
    if credentials is None:
        return _refused(401, "invalid_client")
    key_id, secret = credentials
    doors: Doors = request.app.state.doors
    # Both the whole key and its secret part are taken as the secret.
    api_key = secret if secret.startswith(f"{key_id}.") else f"{key_id}.{secret}"
    try:
        caller = await doors.authenticator.verify_api_key(api_key, address_of(request.scope))
    except Problem as problem:
        if problem.status != 401:
            raise
        return _refused(401, "invalid_client")
    asked = form.get("scope", "").split()
    if caller.scopes and not set(asked) <= caller.scopes:
        return _refused(400, "invalid_scope")
    scopes = asked or sorted(caller.scopes)
    token, seconds = await doors.workers.run(
        doors.tokens.issue, caller.client, caller.role, key_id, scopes, doors.settings.now()
    )
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
    return JSONResponse(answer | ({"scope": " ".join(scopes)} if scopes else {}), headers={"Pragma": "no-cache"})


@router.get("/.well-known/jwks.json", summary="The keys that our tokens are checked by")
async def show_keys(request: Request) -> JSONResponse:
    """Public keys only, those that signed until lately and the one that signs now."""
    doors: Doors = request.app.state.doors
    found = await doors.workers.run(doors.tokens.public_keys, doors.settings.now())
    return JSONResponse(found, headers={"Cache-Control": "public, max-age=300"})


@router.get("/v1/whoami", summary="Who the service takes you for")
async def show_caller(request: Request) -> dict[str, Any]:
    """The client, role and scopes of the key or token; empty scopes are all that the role may."""
    caller = request.scope[ADMISSION].caller
    return {"client": caller.client, "role": caller.role, "scopes": sorted(caller.scopes), "key_id": caller.key_id}


async def _read_form(request: Request) -> dict[str, str] | None:
    """The form, or None: another type, no text, a name given twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    try:
        pairs = parse_qsl((await request.body()).decode("utf-8"), strict_parsing=True, max_num_fields=20)
    except ValueError:
        return None
    form = dict(pairs)
    return form if len(form) == len(pairs) else None


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str] | None:
    """``(client_id, client_secret)`` by one way, not both."""
    header = request.headers.get("authorization")
    in_form = form.get("client_id"), form.get("client_secret")
    if header is None:
        return (in_form[0], in_form[1]) if in_form[0] and in_form[1] else None
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic" or in_form[1] is not None:
        return None
    try:
        key_id, colon, secret = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (unquote_plus(key_id), unquote_plus(secret)) if colon else None


def _refused(status: int, error: str) -> JSONResponse:
    headers = {"WWW-Authenticate": 'Basic realm="aiqleads"'} if status == 401 else {}
    return JSONResponse({"error": error}, status, headers)
