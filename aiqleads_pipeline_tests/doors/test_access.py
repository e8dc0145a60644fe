"""Who may: keys and tokens are good, over, revoked, stolen, guessed; and what each of them gets told."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from sqlalchemy import text

from aiqleads_pipeline.doors.access import read_credential
from aiqleads_pipeline.doors.issuers import OutsideIssuer
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.doors.tokens import Tokens
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import Settings, SettingsError
from aiqleads_pipeline_tests.doors.conftest import Service, wait_for
from resources.store import keys, signing
from resources.store.database import Store

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


def test_a_key_is_taken_as_bearer_and_as_x_api_key(service: Service) -> None:
    key = new_key(service, scopes=["leads:read"])
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"}, {"X-API-Key": key}):
        reply = service.ask("GET", ROUTE, headers=headers)
        assert reply.status == 200
        assert reply.json == {
            "client": "acme", "role": "client", "scopes": ["leads:read"], "key_id": key.split(".")[0]
        }  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer aiq_aaaaaaaaaaaa.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"Authorization": "Bearer a.b.c"},
        {"Authorization": "Bearer ..", "Accept": "*/*"},
        {"X-API-Key": "\u00e9"},
        {"X-API-Key": "x" * 9000},
        {"X-API-Key": "eyJhbGciOiJub25lIn0.e30."},
    ],
)
def test_whatever_is_no_key_is_401_and_nothing_of_it_comes_back(headers: dict[str, str]) -> None:
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    try:
        credential = read_credential(pairs)
    except Problem as problem:
        assert (problem.status, problem.code) == (401, "not_authenticated")
        assert problem.headers["WWW-Authenticate"].startswith("Bearer")
    else:
        # It has the form of one; the store and the keys decide.
        assert keys.split_key(credential) is not None or credential.count(".") == 2


def test_two_credentials_are_none(service: Service) -> None:
    key = new_key(service)
    assert service.ask("GET", ROUTE, headers={"Authorization": f"Bearer {key}", "X-API-Key": key}).status == 401


def test_keys_over_foreign_or_wrong_are_refused_alike(service: Service) -> None:
    store = service.store
    over = new_key(service, expires_at=now() - timedelta(seconds=1))
    revoked = new_key(service)
    keys.revoke_key(store, revoked.split(".")[0], now())
    good = new_key(service)
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    bodies = {service.get(ROUTE, key).body for key in (over, revoked, wrong)}
    assert len(bodies) == 1
    assert b"not_authenticated" in bodies.pop()
    assert service.get(ROUTE, good).status == 200


def test_a_revoked_key_stops_within_seconds_though_it_was_trusted(service: Service) -> None:
    key = new_key(service)
    assert service.get(ROUTE, key).status == 200
    token = token_for(service, key)
    assert service.get(ROUTE, token).status == 200
    keys.revoke_key(service.store, key.split(".")[0], now())
    wait_for(lambda: service.get(ROUTE, key).status == 401, seconds=10)
    wait_for(lambda: service.get(ROUTE, token).status == 401, seconds=10)


def test_a_key_is_bound_to_its_networks(service: Service) -> None:
    elsewhere = service.get(ROUTE, new_key(service, networks=["203.0.113.0/24", "2001:db8::/32"]))
    assert (elsewhere.status, elsewhere.code) == (403, "address_not_allowed")
    assert service.get(ROUTE, new_key(service, networks=["127.0.0.0/8"])).status == 200


def test_addresses_are_compared_as_addresses() -> None:
    key = keys.Key("k", "c", "client", (), ("10.0.0.0/8",), bytes(32), now(), None, None, None, None)
    assert key.allows_address("10.1.2.3")
    assert key.allows_address("::ffff:10.1.2.3")
    assert not key.allows_address("11.1.2.3")
    assert not key.allows_address("unknown")


def test_rotation_gives_a_new_key_while_the_old_one_goes_on_for_a_while(store: Store) -> None:
    old = keys.create_key(store, "acme", "client", now(), ["leads:read"], ["10.0.0.0/8"])
    new = keys.rotate_key(store, old.key_id, now(), timedelta(hours=24))
    found_old, found_new = keys.find_key(store, old.key_id), keys.find_key(store, new.key_id)
    assert found_old is not None
    assert found_new is not None
    assert (found_new.client, found_new.scopes, found_new.networks) == ("acme", ("leads:read",), ("10.0.0.0/8",))
    assert found_old.is_good(now() + timedelta(hours=23))
    assert not found_old.is_good(now() + timedelta(hours=25))
    with pytest.raises(keys.KeyNotUsable):
        keys.rotate_key(store, old.key_id, now(), timedelta(hours=24))
    with pytest.raises(keys.UnknownKey):
        keys.revoke_key(store, "aiq_unknown", now())


def test_nothing_in_the_store_opens_a_door(store: Store) -> None:
    new = keys.create_key(store, "acme", "client", now())
    secret = new.api_key.split(".")[1]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    with store.read() as con:
        row = str(con.execute(text("SELECT * FROM aiqleads.api_keys")).mappings().one())
    assert secret not in row
    assert new.key_id in row


def test_guessing_is_slowed_for_the_guesser_and_not_for_who_has_the_key(service: Service) -> None:
    key, other = new_key(service, client="known"), new_key(service, client="fresh")
    assert service.get(ROUTE, key).status == 200
    guesses = [service.get(ROUTE, f"{key.split('.')[0]}.{'A' * 40}{n:03}") for n in range(9)]
    assert [guess.status for guess in guesses[:5]] == [401] * 5
    slowed = next(guess for guess in guesses if guess.status == 429)
    assert slowed.code == "too_many_failures"
    assert 1 <= int(slowed.headers["Retry-After"]) <= 3
    assert service.get(ROUTE, other).status == 429  # the address is held up,
    assert service.get(ROUTE, key).status == 200  # but not who was known here before
    wait_for(lambda: service.get(ROUTE, other).status == 200)


def test_each_further_failure_doubles_the_wait_up_to_a_bound(store: Store) -> None:
    waits = []
    for _ in range(16):
        keys.note_failure(store, ["ip:x", "key:y"])
        waits.append(keys.blocked_seconds(store, ["key:y"]) or 0.0)
    assert [round(wait) for wait in waits[4:10]] == [0, 1, 2, 4, 8, 16]
    assert round(waits[-1]) == keys.MAX_BLOCK_SECONDS
    keys.forget_failures(store)
    assert keys.blocked_seconds(store, ["ip:x"]) is not None


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


def test_keys_by_the_command_line(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIQLEADS_DATABASE_URL", service.store.url)
    monkeypatch.setenv("AIQLEADS_HOME", str(tmp_path))

    def keys_command(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aiqleads_pipeline.cli", "keys", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    made = keys_command("create", "--client", "cli", "--role", "ops", "--scope", "leads:read", "--days", "1", "--json")
    new = json.loads(made.stdout)
    assert set(new) == {"key_id", "api_key"}
    assert service.get(ROUTE, new["api_key"]).json["scopes"] == ["leads:read"]
    listed = [json.loads(line) for line in keys_command("list", "--client", "cli", "--json").stdout.splitlines()]
    assert [(row["key_id"], row["role"], row["state"]) for row in listed] == [(new["key_id"], "ops", "good")]
    assert new["api_key"] not in json.dumps(listed)
    wrong = keys_command("create", "--client", "cli", "--role", "king")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "aiqleads: the role is one of admin, ops, client, viewer\n"
