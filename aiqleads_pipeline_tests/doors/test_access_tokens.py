"""Tokens: issued for a key's rights, rotated, forged; and those of an issuer outside."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from aiqleads_pipeline.doors.issuers import OutsideIssuer
from aiqleads_pipeline.doors.tokens import Tokens
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings, SettingsError
from aiqleads_pipeline_tests.doors.access_world import (
    ROUTE,
    _forgiven,  # noqa: F401 (autouse)
    new_key,
    now,
    token_for,
)
from aiqleads_pipeline_tests.doors.conftest import Service
from resources.store import signing
from resources.store.database import Store


def test_a_token_is_issued_by_form_and_by_basic_and_carries_the_keys_rights(service: Service) -> None:
    key = new_key(service, role="viewer", scopes=["leads:read", "leads:write"])
    key_id, secret = key.split(".")
    basic = base64.b64encode(f"{key_id}:{secret}".encode()).decode()
    form_type = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    by_basic = service.ask(
        "POST", "/oauth/token", "grant_type=client_credentials", form_type | {"Authorization": f"Basic {basic}"}
    )
    assert by_basic.json["token_type"] == "Bearer"
    assert by_basic.headers["cache-control"] == "no-store"
    said = service.get(ROUTE, by_basic.json["access_token"]).json
    assert said == {
        "client": "acme", "role": "viewer", "scopes": ["leads:read", "leads:write"], "key_id": key_id
    }  # fmt: skip
    narrowed = service.get(ROUTE, token_for(service, key, scope="leads:read")).json
    assert narrowed["scopes"] == ["leads:read"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ("", 400, "invalid_request"),
        ("grant_type=password", 400, "unsupported_grant_type"),
        ("grant_type=client_credentials", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id=a&client_secret=b", 401, "invalid_client"),
        ("grant_type=client_credentials&client_id={id}&client_secret=" + "A" * 43, 401, "invalid_client"),
        ("grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=all", 400, "invalid_scope"),
        ("grant_type=client_credentials&client_id={id}&client_id={id}&client_secret={secret}", 400, "invalid_request"),
        ("%ff=%fe&grant_type=client_credentials", 401, "invalid_client"),
        ("&".join(f"a{n}=b" for n in range(50)), 400, "invalid_request"),
    ],
)
def test_bad_token_requests(service: Service, form: str, status: int, error: str) -> None:
    key_id, secret = new_key(service, scopes=["leads:read"]).split(".")
    body = form.replace("{id}", key_id).replace("{secret}", secret)
    reply = service.ask("POST", "/oauth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert (reply.status, reply.json) == (status, {"error": error})


@pytest.fixture
def tokens(store: Store) -> Tokens:
    outside = Outside(Settings(HOME=Path("/nonexistent")))
    outside.__dict__["store"] = store
    return Tokens(outside)


def test_tokens_end_rotate_and_can_be_checked_by_the_published_keys(tokens: Tokens) -> None:
    begin = now()
    token, seconds = tokens.issue("acme", "client", "aiq_x", ["leads:read"], begin)
    claims = tokens.verify(token, begin)
    assert claims is not None
    assert (claims.client, claims.role, claims.key_id) == ("acme", "client", "aiq_x")
    assert tokens.verify(token, begin + timedelta(seconds=seconds + 10)) is None
    assert tokens.verify(token, begin - timedelta(seconds=10)) is None
    public = tokens.public_keys(begin)["keys"]
    assert len(public) == 1
    assert "d" not in public[0]
    later = begin + timedelta(days=8)
    newer, _ = tokens.issue("acme", "client", "aiq_x", [], later)
    assert tokens.verify(newer, later) is not None
    assert len(tokens.public_keys(later)["keys"]) == 2  # the old one may still be asked for
    much_later = later + timedelta(days=9)
    tokens.issue("acme", "client", "aiq_x", [], much_later)
    assert len(tokens.public_keys(much_later)["keys"]) == 1


def test_forged_tokens_of_ours_are_refused(tokens: Tokens, store: Store) -> None:
    token, _ = tokens.issue("acme", "client", "aiq_x", [], now())
    header, payload, signature = token.split(".")
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    public = tokens.public_keys(now())["keys"][0]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def encoded(part: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()

    other = ECKey.generate_key("P-256", {"kid": kid})
    confused = OctKey.import_key(json.dumps(public))
    forged = [
        f"{header}.{encoded(claims | {'role': 'admin'})}.{signature}",
        f"{encoded({'alg': 'none', 'kid': kid})}.{payload}.",
        jwt.encode({"alg": "ES256", "kid": kid}, claims, other, algorithms=["ES256"]),
        jwt.encode({"alg": "HS256", "kid": kid}, claims, confused, algorithms=["HS256"]),
        f"{encoded({'alg': 'ES256', 'kid': ['x']})}.{payload}.{signature}",
        f"{encoded({'alg': 'ES256'})}.{payload}.{signature}",
        "[" * 5000 + "." + "." + "x",
    ]
    assert [tokens.verify(each, now()) for each in forged] == [None] * len(forged)
    key = signing.verifying_keys(store, now())[0]
    private = ECKey.import_key(key.private_jwk)
    for wrong in ({"aud": "others"}, {"iss": "others"}, {"exp": "soon"}, {"nbf": claims["nbf"] + 900}):
        signed = jwt.encode({"alg": "ES256", "kid": kid}, claims | wrong, private, algorithms=["ES256"])
        assert tokens.verify(signed, now()) is None, wrong
    del claims["exp"]
    assert tokens.verify(jwt.encode({"alg": "ES256", "kid": kid}, claims, private, algorithms=["ES256"]), now()) is None


@pytest.fixture
def outside_world(tmp_path: Path) -> tuple[Settings, Callable[..., None]]:
    file = tmp_path / "jwks.json"

    def publish(*found: Any) -> None:
        file.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in found]}))

    settings = Settings(OUTSIDE_ISSUER="https://id.example", OUTSIDE_AUDIENCE="leads", OUTSIDE_JWKS=str(file))
    return settings, publish


def test_tokens_of_an_outside_issuer(outside_world: tuple[Settings, Callable[..., None]], monkeypatch: Any) -> None:
    settings, publish = outside_world
    first, second = (RSAKey.generate_key(2048, {"kid": name, "use": "sig"}) for name in ("one", "two"))
    publish(first)
    issuer, time = OutsideIssuer(settings), now()
    good = {"iss": "https://id.example", "aud": ["leads", "x"], "exp": int(time.timestamp()) + 60, "azp": "acme"}

    def token(key: RSAKey, algorithm: str = "RS256", **claims: Any) -> str:
        return jwt.encode({"alg": algorithm, "kid": key.kid}, good | claims, key, algorithms=[algorithm])

    claims = issuer.verify(token(first), time)
    assert claims is not None
    assert (issuer.client_of(claims), issuer.role_of(claims)) == ("acme", "client")
    assert issuer.role_of({"roles": ["admin", "viewer"]}) == "viewer"
    for wrong in ({"role": "admin"}, {"role": None}, {"role": "root"}):
        with pytest.raises((ValueError, TypeError)):
            issuer.role_of(wrong)
    whole = Tokens(Outside(settings))
    assert whole.verify(token(first), time) is not None
    bad = [{"iss": "x"}, {"aud": "x"}, {"exp": 1}, {"nbf": int(time.timestamp()) + 600}, {"role": "admin"}, {"azp": 7}]
    assert [whole.verify(token(first, **each), time) for each in bad] == [None] * len(bad)
    assert whole.verify(token(first, "RS512"), time) is None  # not on the list
    assert issuer.verify(token(second), time) is None
    publish(second)
    assert issuer.verify(token(second), time) is None  # asked a moment ago
    monkeypatch.setattr("aiqleads_pipeline.doors.issuers.AT_MOST_EVERY_SECONDS", 0.0)
    assert issuer.verify(token(second), time) is not None
    assert issuer.verify(token(first), time) is None


class _Jwks(BaseHTTPRequestHandler):
    document = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.document)))
        self.end_headers()
        self.wfile.write(self.document)

    def log_message(self, *_: object) -> None:
        """Nothing is said."""


@pytest.mark.parametrize("may_call", [True, False])
def test_an_issuers_keys_come_by_the_guarded_client_only(may_call: bool) -> None:
    key, time = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}), now()
    handler = type("Jwks", (_Jwks,), {"document": json.dumps({"keys": [key.as_dict(private=False)]}).encode()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        issuer = OutsideIssuer(
            Settings(
                OUTSIDE_ISSUER="https://id.example",
                OUTSIDE_JWKS=f"http://127.0.0.1:{server.server_port}/jwks.json",
                EGRESS_ALLOW_LOOPBACK=may_call,
            )
        )
        claims = {"iss": "https://id.example", "aud": "aiqleads", "exp": int(time.timestamp()) + 60, "sub": "acme"}
        token = jwt.encode({"alg": "ES256", "kid": "one"}, claims, key, algorithms=["ES256"])
        assert (issuer.verify(token, time) is not None) == may_call
        server.shutdown()


@pytest.mark.parametrize(
    "wrong", [{"OUTSIDE_JWKS": ""}, {"OUTSIDE_ALGORITHMS": "RS256,HS256"}, {"OUTSIDE_ALGORITHMS": "none"}]
)
def test_an_outside_issuer_must_be_named_whole_and_safe(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        OutsideIssuer(Settings(OUTSIDE_ISSUER="https://id.example", **({"OUTSIDE_JWKS": "x"} | wrong)))
