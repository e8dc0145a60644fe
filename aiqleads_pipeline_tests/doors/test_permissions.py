"""Every cell of the table route × role × own/other client, generated from its declaration, asked of a real service."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from uuid import uuid4

import pytest

from aiqleads_pipeline.doors.permissions import ROLES, RULES, Role, Routes, Rule
from aiqleads_pipeline_tests.doors.conftest import Reply, Service
from resources.store import keys

OWN, OTHER = "cells-own", "cells-other"
JSON_TYPE = {"Content-Type": "application/json"}
_numbers = itertools.count()


def lead_of(service: Service, client: str) -> str:
    """A lead that a client sent."""
    number = next(_numbers)
    lead = {"email": f"ann@{client}{number}-works.com", "last_name": f"Alder{number}"}
    reply = service.ask(
        "POST", "/v1/leads", json.dumps(lead), JSON_TYPE | {"X-API-Key": key_of(service, "client", client)}
    )
    assert reply.status == 202, reply.body
    return str(reply.json["lead_id"])


def upload_of(service: Service, client: str) -> str:
    """A batch of a file that a client sent and took back: it has ended."""
    headers = {"Content-Type": "text/csv", "X-API-Key": key_of(service, "client", client)}
    reply = service.ask("POST", "/v1/uploads", f"Last Name,Email\nElm,elm@{client}-works.com\n", headers)
    assert reply.status == 202, reply.body
    batch_id = str(reply.json["batch_id"])
    assert service.ask("DELETE", f"/v1/uploads/{batch_id}", headers=headers).status == 200
    return batch_id


def nobodys(_service: Service, _client: str) -> str:
    """An id of a kind that belongs to no client: there is none, and only who may ask is told so."""
    return str(uuid4())


# What stands for each `{parameter}`: an object of a client. A new route with a parameter needs a line here; one whose
# objects belong to no client is asked for one that does not exist.
OBJECTS: dict[str, Callable[[Service, str], str]] = {
    "lead_id": lead_of,
    "batch_id": upload_of,
    "scrape_id": nobodys,
    "destination": nobodys,
    "source": lambda _service, client: client,  # each client has one of its own name
    "name": lambda _service, _client: "source_value",  # a mart is of all clients
}
WITHOUT_OWNER = {"scrape_id", "destination"}


@cache
def _key(url: str, role: str, client: str, scope: str | None) -> str:
    from pathlib import Path

    from resources.store.database import Store

    with Store.open(url, Path("/nonexistent")) as store:
        return keys.create_key(store, client, role, datetime.now(UTC), [scope] if scope else []).api_key


def key_of(service: Service, role: str, client: str = OWN, scope: str | None = None) -> str:
    """A key of a role; each is made once."""
    return _key(service.store.url, role, client, scope)


def ask(service: Service, rule: Rule, key: str | None, whose: str = OWN) -> Reply:
    """The rule's route, for an object of a client where it names one."""
    path = rule.path
    for name in rule.pattern.groupindex:
        path = path.replace(f"{{{name}}}", OBJECTS[name](service, whose) if name in OBJECTS else "x")
    headers = JSON_TYPE | ({"X-API-Key": key} if key else {})
    return service.ask(rule.method, path, "{}" if rule.max_body_kb else None, headers)


def names(rule: Rule) -> str:
    return f"{rule.method} {rule.path}"


GUARDED = [rule for rule in RULES if not rule.is_public]
WITH_OBJECTS = [rule for rule in GUARDED if rule.has_parameters and not WITHOUT_OWNER & set(rule.pattern.groupindex)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("rule", [rule for rule in GUARDED if not rule.is_local], ids=names)
def test_a_role_passes_where_it_is_named_and_nowhere_else(service: Service, rule: Rule, role: Role) -> None:
    reply = ask(service, rule, key_of(service, role))
    if role in rule.reach:
        assert reply.status not in (401, 403, 405), reply.body
        assert reply.status < 500
    else:
        assert (reply.status, reply.code) == (403, "not_allowed")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("rule", WITH_OBJECTS, ids=names)
def test_another_clients_object_is_there_only_for_who_reaches_any(service: Service, rule: Rule, role: Role) -> None:
    own, other = (ask(service, rule, key_of(service, role), whose) for whose in (OWN, OTHER))
    reach = rule.reach.get(role)
    if reach is None:
        assert (own.status, other.status) == (403, 403)
    elif reach == "any":
        assert own.status == other.status
        assert own.status not in (401, 403, 404)
    else:
        assert own.status not in (401, 403, 404), own.body
        assert (other.status, other.code) == (404, "not_found")
        none = service.get(rule.path.partition("{")[0] + str(uuid4()), key_of(service, role))
        assert other.body == none.body  # nothing tells it from one that is not there


@pytest.mark.parametrize("rule", GUARDED, ids=names)
def test_without_a_key_there_is_no_way_in(service: Service, rule: Rule) -> None:
    reply = ask(service, rule, None)
    assert reply.status == (200 if rule.is_local else 401)


@pytest.mark.parametrize("rule", [rule for rule in GUARDED if rule.scope], ids=names)
def test_a_key_with_scopes_opens_only_what_they_name(service: Service, rule: Rule) -> None:
    role = next(iter(rule.reach))
    assert ask(service, rule, key_of(service, role, scope="nothing:else")).code == "not_allowed"
    assert ask(service, rule, key_of(service, role, scope=rule.scope)).status not in (401, 403)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.is_public], ids=names)
def test_a_public_route_asks_for_no_key(service: Service, rule: Rule) -> None:
    assert ask(service, rule, None).status not in (401, 403, 405)


def test_every_line_of_the_table_is_a_route_and_every_route_a_line(service: Service) -> None:
    described = service.get("/openapi.json").json["paths"]
    there = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert there | {("GET", "/openapi.json")} == {(rule.method, rule.path) for rule in RULES}


def test_local_routes_ask_others_for_a_key() -> None:
    metrics = next(rule for rule in RULES if rule.path == "/metrics")
    assert metrics.is_local
    assert not metrics.is_public
    assert set(metrics.reach) == {"admin", "ops", "viewer"}


def test_a_path_is_found_by_its_template_and_a_parameter_is_one_segment() -> None:
    routes = Routes()
    assert routes.find("/v1/leads/abc")["GET"].path == "/v1/leads/{lead_id}"
    for path in ("/v1/leads/", "/v1/leads/a/b", "/V1/leads", "//v1/leads", "/v1/leads/../leads", "/v1", ""):
        assert not routes.find(path), path
    assert routes.find("/v1/leads/batch") == {"POST": routes.find("/v1/leads/batch")["POST"]}
