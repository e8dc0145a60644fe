"""What holds for every request: headers, sizes, times, forms; slow senders are cut off, floods are shed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from aiqleads_pipeline.doors.app import PARTS, UnlistedRoute, create_app
from aiqleads_pipeline.doors.masking import mask, mask_lead
from aiqleads_pipeline.doors.permissions import RULES
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.conftest import Service, private_folder, serving, wait_for
from resources.store import keys

FORM_HEAD = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
# Half of a request, which may take its 40 s at the 100 bytes a second that `strict` wants.
BEGUN = FORM_HEAD + b"Content-Length: 8000\r\n\r\n" + b"x" * 4000


@pytest.fixture(scope="module")
def strict(make_database: Callable[[], str]) -> Iterator[Service]:
    """A service that is quick to lose patience."""
    limits = {
        "API_HEADER_SECONDS": 0.4,
        "API_BODY_SECONDS": 0.4,
        "API_BODY_KB_PER_SECOND": 0.1,
        "API_MAX_REQUESTS": 4,
        "API_MAX_CONNECTIONS": 8,
        "API_HEADER_KB": 4,
        "CORS_ORIGINS": "https://app.example",
    }
    with private_folder() as home, serving(make_database(), home, **limits) as service:
        yield service


def exchange(service: Service, *parts: bytes, then_wait: bool = True) -> bytes:
    """All that comes back for these bytes until the other end closes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        return read_all(connection) if then_wait else b""


def read_all(connection: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            return found
        if not more:
            return found
        found += more


def test_every_answer_says_what_browsers_and_clients_must_know(service: Service) -> None:
    for path, status in (("/healthz", 200), ("/nothing", 404), ("/v1/whoami", 401)):
        reply = service.get(path)
        assert reply.status == status
        said = {name.lower(): value for name, value in reply.headers.items()}
        assert said["x-content-type-options"] == "nosniff"
        assert said["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert said["cache-control"] == "no-store"
        assert said["ratelimit-limit"] == "10000"
        assert said["ratelimit-policy"] == '"leads";q=10000;w=3600'
        assert said["ratelimit"].startswith('"leads";r=')
        assert {"ratelimit-remaining", "ratelimit-reset", "x-request-id"} <= set(said)
        assert not {"server", "access-control-allow-origin"} & set(said)


def test_other_origins_are_let_in_only_by_name(service: Service, strict: Service) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in service.ask("OPTIONS", "/oauth/token", headers=asked).headers
    allowed = strict.ask("OPTIONS", "/oauth/token", headers=asked)
    assert allowed.headers["access-control-allow-origin"] == "https://app.example"
    refused = strict.ask("OPTIONS", "/oauth/token", headers=asked | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


def test_a_problem_says_what_it_is_and_where_that_is_explained(service: Service) -> None:
    problem = service.get("/v1/whoami").json
    assert set(problem) == {"type", "title", "status", "code", "how_to_fix"}
    explained = service.get(problem["type"])
    assert explained.json["code"] == problem["code"] == "not_authenticated"
    assert service.get("/problems/none_such").code == "not_found"


def test_a_path_with_other_methods_says_which(service: Service) -> None:
    reply = service.ask("DELETE", "/oauth/token")
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "method_not_allowed", "POST")
    assert service.ask("GET", "/v1/whoami/").status == 404
    assert service.ask("BREW", "/healthz").status in (400, 405)


@pytest.mark.parametrize("size", [8 * 1024 + 1, 3_000_000])
def test_a_body_over_the_limit_is_refused_by_its_length_before_it_comes(service: Service, size: int) -> None:
    head = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
    said = exchange(service, head, b"x" * 8000, b"x" * 193)
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in said
    assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "body_too_large"


def test_a_body_in_chunks_is_counted_as_it_comes(service: Service) -> None:
    head = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    said = exchange(service, head, *[b"400\r\n" + b"x" * 1024 + b"\r\n"] * 9, b"0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 5000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(600)) + b"\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nX-Never-Ends: " + b"x" * 9000, 431),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET  HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST /oauth/token HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /oauth/token HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST /oauth/token HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP",
            400,
        ),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_ends(strict: Service, sent: bytes, status: int) -> None:
    said = exchange(strict, sent)
    assert int(said[9:12]) in ({status} if status != 400 else {400, 404, 405}), said[:200]
    assert strict.status("/healthz") == 200


def test_a_websocket_is_no_way_in(service: Service) -> None:
    upgrade = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
    said = exchange(
        service, upgrade + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    assert b"101" not in said[:12]


@pytest.mark.parametrize(
    ("sent", "starts"),
    [
        (b"", b""),  # never asks anything: nothing to answer
        (b"GET /healthz HTT", b"HTTP/1.1 408 "),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b"HTTP/1.1 408 "),
        (FORM_HEAD + b"Content-Length: 100\r\n\r\ngrant", b"HTTP/1.1 408 "),
        # Answered before its body was read: one answer, not two.
        (b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant", b"HTTP/1.1 400 "),
    ],
)
def test_who_stops_sending_is_cut_off(strict: Service, sent: bytes, starts: bytes) -> None:
    said = exchange(strict, sent)
    assert said.startswith(starts)
    assert said.count(b"HTTP/1.1 ") == bool(starts)


@pytest.mark.parametrize(
    "head", [b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", FORM_HEAD + b"Content-Length: 900\r\n\r\n"]
)
def test_who_drips_is_cut_off_however_steadily(strict: Service, head: bytes) -> None:
    with socket.create_connection(("127.0.0.1", strict.port), timeout=20) as connection:
        connection.sendall(head)
        answered = threading.Event()

        def drip() -> None:
            while not answered.wait(0.02):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        said = read_all(connection)
        answered.set()
        dripping.join()
    assert said == b"" or said.startswith(b"HTTP/1.1 408 ")  # a reset may swallow the answer


def test_connections_over_the_bound_are_told_so_and_those_in_work_stay(strict: Service) -> None:
    wait_for(lambda: strict.status("/healthz") == 200)
    held = [socket.create_connection(("127.0.0.1", strict.port), timeout=20) for _ in range(8)]
    try:
        for connection in held:
            connection.sendall(BEGUN)
        said = wait_for(lambda: exchange(strict, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in said.lower()
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: strict.status("/healthz") == 200)


def test_idle_connections_keep_nobody_out(strict: Service) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", strict.port), timeout=20)) for _ in range(8)]
        assert strict.get("/healthz").status == 200  # the ninth
        assert read_all(idle[0]) == b""  # the longest idle one made room for it


def test_work_over_the_bound_is_shed_and_one_caller_leaves_room_for_others(strict: Service) -> None:
    key = keys.create_key(strict.store, "other", "client", datetime.now(UTC)).api_key
    assert strict.get("/v1/whoami", key).status == 200
    held = [socket.create_connection(("127.0.0.1", strict.port), timeout=20) for _ in range(3)]
    try:
        for connection in held:
            connection.sendall(BEGUN)
        wait_for(lambda: "aiqleads_requests_at_work 3.0" in strict.get("/metrics").body.decode())
        shed = strict.ask("POST", "/oauth/token", "x")
        assert (shed.status, shed.code, shed.headers["retry-after"]) == (503, "overloaded", "1")
        assert strict.get("/v1/whoami", key).status == 200  # another caller's place is free
        assert strict.get("/readyz").status == 200  # and health is no work
    finally:
        for connection in held:
            connection.close()
    wait_for(lambda: strict.ask("POST", "/oauth/token", "x").status == 400)


def test_a_route_that_nobody_declared_does_not_start(tmp_path: Any) -> None:
    from types import ModuleType

    from fastapi import APIRouter

    part: Any = ModuleType("part")
    part.router = APIRouter()
    part.router.get("/v1/secrets")(lambda: {})
    settings = Settings(HOME=tmp_path)
    with pytest.raises(UnlistedRoute, match="GET /v1/secrets"):
        create_app(settings, Outside(settings), (*PARTS, part))


def test_the_description_names_every_route_and_its_rules(service: Service) -> None:
    described = service.get("/openapi.json").json
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            rule = next(rule for rule in RULES if (rule.method.lower(), rule.path) == (method, path))
            assert ("security" in operation) == (not rule.is_public)
            assert operation["responses"].get("422", {}).get("description") != "Validation Error"  # FastAPI's own
            assert "503" in operation["responses"]
    assert "HTTPValidationError" not in json.dumps(described)


def test_numbers_are_shown_here_and_to_who_may_watch(service: Service) -> None:
    shown = service.get("/metrics").body.decode()
    assert 'aiqleads_requests_total{method="GET",route="/healthz",status="200"}' in shown
    assert "aiqleads_breaker_open 0.0" in shown


@pytest.mark.parametrize(
    "header", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=1"}, {"Host": "evil.example:80"}]
)
def test_numbers_are_not_shown_to_who_comes_by_way_of_this_host(service: Service, header: dict[str, str]) -> None:
    assert service.get("/metrics", **header).status == 401
    key = keys.create_key(service.store, "watch", "viewer", datetime.now(UTC)).api_key
    assert service.get("/metrics", key, **header).status == 200


def test_who_closes_its_sending_side_is_answered(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        said = read_all(connection)
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in said


def test_masked_values_keep_what_is_no_personal_data() -> None:
    assert mask("ann@example.com", "email") == "***@example.com"
    assert mask("+1 415 555 0123", "phone") == "***23"
    assert mask("Ann-Marie van Dyke", "name") == "A. v. D."
    assert mask("Elm Street 5", "text") == "***"
    assert (mask(None, "email"), mask("", "email"), mask("odd", "email"), mask("12", "phone")) == (
        None,
        "",
        "***",
        "***",
    )
    lead = {"email": "a@b.c", "company_name": "Acme", "message": "call me", "score": 7}
    assert mask_lead(lead) == {"email": "***@b.c", "company_name": "Acme", "message": "***", "score": 7}
