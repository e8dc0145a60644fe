"""What a webhook was told "accepted" lives: through a kill and a restart, and on to where each lead ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from aiqleads_pipeline_tests.doors.conftest import Service, private_folder, serving, wait_for
from aiqleads_pipeline_tests.doors.webhook_world import SECRETS, hub, lead, leads_count, post, rules_in, standard
from resources.store import keys, webhook_events
from resources.store.database import Store
from resources.store.webhook_events import EventKey


@contextmanager
def working(url: str, home: Path, rules: Path) -> Iterator[None]:
    """The resident runner of a home."""
    environment = {**os.environ, "AIQLEADS_HOME": str(home), "AIQLEADS_RULES_DIR": str(rules)}
    environment["AIQLEADS_DATABASE_URL"] = url
    runner = subprocess.Popen([sys.executable, "-m", "aiqleads_pipeline.cli", "runner"], env=environment)
    try:
        yield
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(30)


def test_an_event_survives_a_kill_and_its_leads_end_where_they_belong(make_database: Callable[[], str]) -> None:
    url = make_database()
    person = {"email": "gus@lives-works.com", "full_name": "Gus Holm", "country": "SE", "shoe_size": 43}
    events = {
        "routed": json.dumps(person).encode(),
        "duplicate": json.dumps({**person, "email": "GUS@lives-works.com", "note": "again"}).encode(),
        "unreachable": json.dumps({"full_name": "Hal Ivy"}).encode(),
        "test_lead": json.dumps({"email": "t@lives-works.com", "last_name": "T", "is_test": True}).encode(),
        "invalid_json": b'{"email": "j@lives-works.com"',
        "undecodable_text": b'{"email": "\xff"}',
        "odd": b'{"email":"k@lives-works.com","last_name":"\\ud800Kay","x":"\\u0000","y":1e999}',
    }
    with private_folder() as home:
        rules = rules_in(home)
        body = events["routed"]
        with serving(url, home, RULES_DIR=rules, CRASH_AT="after:store:take_in_events", **SECRETS) as service:
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                post(service, "form", body, standard(body, event_id="msg_first"))
            assert service.process.wait(30) == -signal.SIGKILL
        with serving(url, home, RULES_DIR=rules, **SECRETS) as service:
            again = post(service, "form", body, standard(body, event_id="msg_first"))
            assert (again.status, again.json["status"]) == (200, "known")
            lead_ids = {"routed": again.json["leads"][0]["lead_id"]}
            key = keys.create_key(service.store, "hub", "client", datetime.now(UTC)).api_key
            ops = keys.create_key(service.store, "ops", "ops", datetime.now(UTC)).api_key
            with working(url, home, rules):
                found = wait_for(lambda: ended(service, lead_ids["routed"], ops), 60)
                assert (found["status"], found["source"]) == ("routed", "form")
                for name, event in list(events.items())[1:]:
                    reply = post(service, "hub", event, hub(event))
                    assert reply.status == 202
                    [taken] = reply.json["leads"]
                    lead_ids[name] = taken["lead_id"]
                stands = {name: wait_for(lambda i=i: ended(service, i, ops), 60) for name, i in lead_ids.items()}
            lake = str(home / "lake" / "raw_leads" / "**" / "*.parquet")
            raw = duckdb.sql(f"SELECT lead_id::VARCHAR, source_channel, email FROM read_parquet('{lake}')").fetchall()
            assert sorted(lead_id for lead_id, _, _ in raw) == sorted(lead_ids.values())
            assert {channel for _, channel, _ in raw} == {"webhook"}
            assert service.get(f"/v1/leads/{lead_ids['odd']}", key).status == 200  # its client's own
            assert service.get(f"/v1/leads/{lead_ids['routed']}", key).status == 404
    assert {name: stand["status"] for name, stand in stands.items()} == {
        "routed": "routed", "duplicate": "duplicate", "odd": "routed", "unreachable": "rejected",
        "test_lead": "rejected", "invalid_json": "rejected", "undecodable_text": "rejected",
    }  # fmt: skip
    assert stands["duplicate"]["duplicate"]["existing_lead_id"] == lead_ids["routed"]
    for name in ("unreachable", "test_lead", "invalid_json", "undecodable_text"):
        assert [error["code"] for error in stands[name]["errors"]] == [name]
    assert stands["test_lead"]["deliveries"] == []
    assert stands["routed"]["deliveries"] != []


def ended(service: Service, lead_id: str, key: str) -> dict[str, Any] | None:
    """Where a lead stands once its batch is done."""
    found: dict[str, Any] = service.get(f"/v1/leads/{lead_id}", key).json
    return found if found.get("batch", {}).get("state") == "done" else None


def test_events_are_forgotten_when_they_are_old_and_not_before(store: Store) -> None:
    event = EventKey("form", bytes(32))
    with store.transaction("test") as con:
        webhook_events.remember(con, [(event, [])])
    assert webhook_events.forget(store, 60) == 0
    with store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.webhook_events SET received_at = now() - interval '61 seconds'"))
    with store.read() as con:
        assert webhook_events.find_known(con, [event]) == [[]]
    assert webhook_events.forget(store, 60) == 1
    with store.read() as con:
        assert webhook_events.find_known(con, [event]) == [None]


def test_switched_off_they_wait(make_database: Callable[[], str]) -> None:
    with (
        private_folder() as home,
        serving(
            make_database(), home, RULES_DIR=rules_in(home), FEATURE_FLAGS__enableWebhooks="false", **SECRETS
        ) as service,
    ):
        reply = post(service, "open", lead())
        assert (reply.status, reply.code) == (503, "webhooks_disabled")
        assert int(reply.headers["Retry-After"]) > 0
        assert leads_count(service, "open") == 0
