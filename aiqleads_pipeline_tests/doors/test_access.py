"""Who may: keys are good, over, revoked, stolen, guessed; and what each of them gets told."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from aiqleads_pipeline.doors.access import read_credential
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline_tests.doors.access_world import (
    ROUTE,
    _forgiven,  # noqa: F401 (autouse)
    new_key,
    now,
    token_for,
)
from aiqleads_pipeline_tests.doors.conftest import Service, wait_for
from resources.store import keys
from resources.store.database import Store


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
