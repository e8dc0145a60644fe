"""What was told "accepted" lives: through kills of service and gathering, and on to its route in the pipeline."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from sqlalchemy import text

from aiqleads_pipeline.automation.gathering import gather_waiting
from aiqleads_pipeline.doors.intake import Answer, Request, take_in_requests
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from aiqleads_pipeline_tests.doors.conftest import Service, private_folder, serving, wait_for
from resources.store import drops, keys
from resources.store.database import Store
from resources.store.identities import claim_identities
from resources.store.intake import LeadIds, NewLead
from resources.store.limits import Limit

LIMIT = Limit(1_000_000, 3600)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDS = LeadIds()


def new_lead(person: int, client: str = "acme", kind: int = 2) -> NewLead:
    return NewLead(IDS.next(NOW), client, client, "api", NOW, f'{{"email":"{person}@a.com"}}', [(person, 0, kind)])


def take_in(store: Store, leads: list[NewLead]) -> list[tuple[UUID, UUID | None]]:
    """Each lead in a request of its own; its id and that of the lead it repeats."""
    told: list[tuple[UUID, UUID | None]] = []

    def tell(lead: NewLead) -> Callable[[Any], Answer]:
        def note(repeats: Any) -> Answer:
            return Answer(202 if repeats[0] is None else 409, str(repeats[0] and repeats[0].existing_lead_id).encode())

        return note

    outcomes = take_in_requests(store, LIMIT, [Request(lead.client, [lead], tell(lead)) for lead in leads])
    for lead, outcome in zip(leads, outcomes, strict=True):
        assert isinstance(outcome.answer, Answer)
        existing = None if outcome.answer.status == 202 else UUID(outcome.answer.body.decode())
        told.append((lead.lead_id, existing))
    return told


def count(store: Store, query: str) -> int:
    with store.read() as con:
        return int(con.execute(text(query)).scalar_one())


def key_for(store: Store, client: str) -> str:
    return keys.create_key(store, client, "client", datetime.now(UTC)).api_key


def test_two_doors_and_an_import_meet_over_the_same_people(store: Store) -> None:
    people = range(300)
    start = threading.Barrier(3)

    def by_door(client: str) -> list[tuple[UUID, UUID | None]]:
        start.wait()
        found = []
        for first in range(0, len(people), 20):
            found += take_in(store, [new_lead(person, client) for person in people[first : first + 20]])
        return found

    def by_file() -> list[tuple[UUID, UUID | None]]:
        ids = [IDS.next(NOW) for _ in people]
        claims = pa.table(
            {
                "lead_id": pa.array([str(lead_id) for lead_id in ids]),
                "key": pa.array(list(people), pa.int64()),
                "tag": pa.array([0] * len(ids), pa.int32()),
                "kind": pa.array([2] * len(ids), pa.int16()),
            }
        )
        start.wait()
        repeats = claim_identities(store, None, claims, chunk_leads=40).to_pylist()
        existing = {row["lead_id"]: row["existing_lead_id"] for row in repeats}
        return [(lead_id, existing.get(lead_id)) for lead_id in ids]

    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(by_door, "a"), pool.submit(by_door, "b"), pool.submit(by_file)]
        told = [future.result() for future in futures]
    for person in people:
        of_person = [each[person] for each in told]
        [survivor] = [lead_id for lead_id, existing in of_person if existing is None]
        assert [existing for _, existing in of_person if existing is not None] == [survivor] * 2


def test_gathering_killed_anywhere_loses_and_doubles_nothing(
    database_server: Any, make_database: Callable[[], str]
) -> None:
    url = make_database()
    with private_folder() as home, Store.open(url, home) as store:
        take_in(store, [new_lead(person) for person in range(5)])
        script = (
            "from aiqleads_pipeline.automation.gathering import gather_waiting\n"
            "from aiqleads_pipeline.outside import open_outside\n"
            "gather_waiting(open_outside())"
        )
        environment = {**os.environ, "AIQLEADS_HOME": str(home), "AIQLEADS_DATABASE_URL": url}
        for point in ("before:bucket:archive", "after:bucket:archive", "before:store:gather_intake"):
            crash = {**environment, "AIQLEADS_CRASH_AT": point}
            ended = subprocess.run([sys.executable, "-c", script], env=crash, cwd=PROJECT_DIR, check=False)
            assert ended.returncode == -signal.SIGKILL, point
            assert count(store, "SELECT count(*) FROM aiqleads.intake WHERE batch_id IS NULL") == 5
        outside = Outside(Settings(HOME=home, DATABASE_URL=url))
        outside.__dict__["store"] = store
        [batch_id] = gather_waiting(outside)
        take_in(store, [new_lead(person) for person in range(5, 7)])
        assert gather_waiting(outside) != []
        assert gather_waiting(outside) == []
        assert count(store, "SELECT count(*) FROM aiqleads.intake WHERE batch_id IS NULL OR content IS NOT NULL") == 0
        assert count(store, "SELECT count(*) FROM aiqleads.drops") == 2
        [drop] = drops.drops_of(store, batch_id)
        lines = outside.bucket.local_path(drop.archive_uri, home).read_text().splitlines()
        assert [json.loads(line)["email"] for line in lines] == [f"{person}@a.com" for person in range(5)]


def test_a_batch_takes_no_more_than_it_may(store: Store) -> None:
    with private_folder() as home:
        outside = Outside(Settings(HOME=home, GATHER_LEADS=3, GATHER_SECONDS=60, FIXED_NOW=NOW))
        outside.__dict__["store"] = store
        take_in(store, [new_lead(person) for person in range(8)])
        assert [len(gather_waiting(outside)) for _ in range(3)] == [1, 1, 0]  # the last two wait for others
        waits = "SELECT count(*) FROM aiqleads.intake WHERE batch_id IS NULL"
        assert count(store, waits) == 2
        later = outside.settings.model_copy(update={"GATHER_SECONDS": 0.0, "HOT_DROP_KB": 0})
        slim = Outside(later)
        slim.__dict__["store"] = store
        assert [len(gather_waiting(slim)) for _ in range(3)] == [1, 1, 0]  # one at a time: it fits nowhere


def free_port() -> int:
    """A port for a service that comes back where its clients know it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post_until_answered(port: int, key: str, lead: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
    """Send a lead again and again, as a client does that was cut off, until it is told what became of it."""
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Idempotency-Key": idempotency_key}

    def once() -> dict[str, Any] | None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/v1/leads", json.dumps(lead), headers)
            answer = connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        if answer.status in (503, 409) and document.get("code") != "duplicate_lead":
            return None
        return dict(document)

    return dict(wait_for(once, 60))


def test_killed_under_clients_that_retry_every_202_is_there_once(make_database: Callable[[], str]) -> None:
    url = make_database()
    port = free_port()
    with private_folder() as home, Store.open(url, home) as store:
        key = key_for(store, "retrying")

        def send(sender: int) -> list[dict[str, Any]]:
            return [
                post_until_answered(
                    port, key, {"email": f"p{sender}-{number}@retry.com", "last_name": "Lee"}, f"{sender}-{number}"
                )
                for number in range(15)
            ]

        with ThreadPoolExecutor(8) as pool:
            senders = [pool.submit(send, sender) for sender in range(8)]
            # Killed between commit and answer, before the commit, and at any moment.
            for crash in ("after:store:take_in_leads#5", "before:store:take_in_leads#5"):
                with serving(url, home, "--port", str(port), CRASH_AT=crash) as service:
                    assert service.process.wait(60) == -signal.SIGKILL
            with serving(url, home, "--port", str(port)) as service:
                first = count(store, "SELECT count(*) FROM aiqleads.intake")
                wait_for(lambda: count(store, "SELECT count(*) FROM aiqleads.intake") > first)
                service.stop(signal.SIGKILL)
            with serving(url, home, "--port", str(port)):
                answers = [answer for sender in senders for answer in sender.result()]
        assert {answer["status"] for answer in answers} == {"accepted"}
        accepted = [answer["lead_id"] for answer in answers]
        with store.read() as con:
            stored = con.execute(text("SELECT lead_id::text FROM aiqleads.intake")).scalars().all()
        assert len(accepted) == 120
        assert sorted(accepted) == sorted(stored)


@pytest.fixture(scope="module")
def living() -> Iterator[Service]:
    """The service and the resident runner on a home of their own, with sources that take repeats in their ways."""
    with private_folder() as home:
        rules = home / "rules"
        shutil.copytree(PROJECT_DIR / "data" / "rules", rules)
        lines = "\n  shop:\n    on_duplicate: link\n  shop2:\n    on_duplicate: update\n"
        with (rules / "sources.yaml").open("a", encoding="utf-8") as file:
            file.write(lines)
        with serving(None, home, RULES_DIR=rules) as service:
            environment = {**os.environ, "AIQLEADS_HOME": str(home), "AIQLEADS_RULES_DIR": str(rules)}
            command = [sys.executable, "-m", "aiqleads_pipeline.cli", "runner"]
            runner = subprocess.Popen(command, env=environment)
            try:
                yield service
            finally:
                runner.send_signal(signal.SIGTERM)
                runner.wait(30)


def test_a_lead_comes_to_its_route_under_the_id_it_was_told(living: Service) -> None:
    key = key_for(living.store, "living")
    headers = {"X-API-Key": key, "Content-Type": "application/json"}

    def post(path: str, document: Any) -> Any:
        return living.ask("POST", path, json.dumps(document), headers).json

    told = post("/v1/leads/batch", [
        {"email": "ann@living.com", "last_name": "Birch", "budget_usd": 1.234, "created_at": "13/07/2025",
         "x": {"y": 1}},
        {"email": "bo@living.com", "last_name": "Lee", "created_at": "07/13/2025"},
    ])  # fmt: skip
    ids = [result["lead_id"] for result in told["results"]]
    linked = post("/v1/leads", {"email": "ann@living.com", "last_name": "Birch", "source": "shop"})
    assert (linked["lead_id"], linked["status"]) == (ids[0], "linked")
    updated = post("/v1/leads", {"email": "bo@living.com", "last_name": "Lee", "job_title": "CEO", "source": "shop2"})
    assert (updated["lead_id"], updated["status"]) == (ids[1], "updated")

    def standing(lead_id: str) -> Any:
        found = living.get(f"/v1/leads/{lead_id}", key).json
        return found if found["batch"]["state"] == "done" else None

    for lead_id in ids:
        wait_for(lambda lead_id=lead_id: "batch" in living.get(f"/v1/leads/{lead_id}", key).json)
        found = wait_for(lambda lead_id=lead_id: standing(lead_id), 60)
        assert found["status"] == "routed"
        assert 0 <= found["score"]["lead_score"] <= 100
        assert found["class"]["priority"] in ("P1", "P2", "P3", "P4")
        assert found["route"]["owner"]
        assert [delivery["destination"] for delivery in found["deliveries"]] == ["crm_file"]
        assert "living.com" not in json.dumps(found)
        assert not {"candidates", "passed_over", "account"} & found["route"]["reasons"].keys()  # other owners' names
    kinds = "SELECT string_agg(kind || existing_lead_id, ' ' ORDER BY kind) FROM aiqleads.touches"
    with living.store.read() as con:
        assert con.execute(text(kinds)).scalar_one() == f"link{ids[0]} update{ids[1]}"
        [content] = con.execute(text("SELECT content FROM aiqleads.lead_updates")).scalars()
    assert json.loads(content)["job_title"] == "CEO"
