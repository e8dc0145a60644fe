"""What the tests of keys and tokens share: new ones, and failures of the test before forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from aiqleads_pipeline_tests.doors.conftest import Service
from resources.store import keys

ROUTE = "/v1/whoami"


def now() -> datetime:
    return datetime.now(UTC)


def new_key(service: Service, role: str = "client", client: str = "acme", **more: Any) -> str:
    return keys.create_key(service.store, client, role, now(), **more).api_key


def token_for(service: Service, api_key: str, **more: str) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": api_key.partition(".")[0],
        "client_secret": api_key,
        **more,
    }
    body = "&".join(f"{name}={value}" for name, value in form.items())
    reply = service.ask("POST", "/oauth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200, reply.body
    return str(reply.json["access_token"])


@pytest.fixture(autouse=True)
def _forgiven(request: pytest.FixtureRequest) -> None:
    """All tests come from one address: failures of the one before are forgotten."""
    if "service" in request.fixturenames:
        with request.getfixturevalue("service").store.transaction("test:forgive") as con:
            con.execute(text("DELETE FROM aiqleads.login_failures"))
