"""The drills of the doors: what was told "accepted" lives, once, whatever happens beside it. A seed repeats them.

python -m benchmarks.doors_drill kill  [--seconds 60] [--clients 32] [--seed 1]   kill -9 under clients that retry
python -m benchmarks.doors_drill meet  [--people 10000] [--seed 1]    the same person by two services and a file
python -m benchmarks.doors_drill sync  [--posts 200] [--seed 1]       synced, then answered: by strace
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy import text

from aiqleads_pipeline.doors.plain import plain_keys
from benchmarks.drill.syncing import find_unsynced, traced
from resources.store import keys
from resources.store.database import Store
from resources.store.identities import claim_identities
from resources.store.intake import LeadIds

JSON = {"Content-Type": "application/json"}
BLOCK_PEOPLE = 50


@contextmanager
def serving(home: Path, port: int = 0, database_url: str | None = None) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """``aiqleads serve`` on a home; its port and process, which may have been killed by the end."""
    environment = {**os.environ, "AIQLEADS_HOME": str(home), "PIPELINE_CONFIG__RATE_LIMIT_MAX": "100000000"}
    if database_url:
        environment["AIQLEADS_DATABASE_URL"] = database_url
    process = subprocess.Popen(
        [sys.executable, "-m", "aiqleads_pipeline.cli", "serve", "--port", str(port)],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        said = next(line for line in process.stderr if line.startswith("API "))
        found = int(said.rsplit(":", 1)[1])
        while not _is_ready(found):
            time.sleep(0.05)
        yield found, process
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def new_key(store: Store, client: str) -> str:
    """A key for a client."""
    return keys.create_key(store, client, "client", datetime.now(UTC)).api_key


def ask(port: int, method: str, path: str, document: Any = None, **headers: str) -> tuple[int, Any]:
    """One request; its status and document."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = None if document is None else json.dumps(document)
        connection.request(
            method, path, body, JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


@dataclass
class Killing:
    """What came of ``kill``: kills struck, leads told "accepted", and what is wrong with them."""

    kills: int = 0
    told: dict[str, str] = field(default_factory=dict)  # by e-mail, as the clients' own logs say
    faults: list[str] = field(default_factory=list)


def kill_under_load(
    home: Path, store: Store, seconds: float, clients: int, seed: int, url: str | None = None
) -> Killing:
    """Clients post leads of their own and retry each until they are told; meanwhile the service is killed and started
    again at random moments. Then what they were told is held against the store."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    rng, found, ending = random.Random(seed), Killing(), threading.Event()
    key = new_key(store, "killed")
    with ThreadPoolExecutor(clients) as pool:
        senders = [pool.submit(_send_until, ending, port, key, number) for number in range(clients)]
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                with serving(home, port, url) as (_, process):
                    time.sleep(rng.uniform(0.05, 1.5))
                    process.send_signal(signal.SIGKILL)
                    found.kills += 1
        finally:
            ending.set()
            with serving(home, port, url):  # whoever was cut off is told at last
                for sender in senders:
                    found.told |= sender.result()
    found.faults = _faults(store, found.told)
    return found


def _send_until(ending: threading.Event, port: int, key: str, sender: int) -> dict[str, str]:
    told: dict[str, str] = {}
    number = 0
    while not ending.is_set():
        number += 1
        email = f"p{number}@sender{sender}-kill.com"
        while True:
            try:
                status, document = ask(
                    port, "POST", "/v1/leads", {"email": email, "last_name": "Birch"},
                    X_API_Key=key, Idempotency_Key=email,
                )  # fmt: skip
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.02)
                continue
            if status == 202:
                told[email] = document["lead_id"]
                break
            if status not in (503, 409) or document["code"] == "duplicate_lead":
                told[email] = f"{status} {document.get('code')}"  # nobody else knows this person
                break
            time.sleep(0.02)
    return told


def _faults(store: Store, told: dict[str, str]) -> list[str]:
    with store.read() as con:
        rows = con.execute(text("SELECT content::json ->> 'email' AS email, lead_id::text FROM aiqleads.intake")).all()
    stored = {email: lead_id for email, lead_id in rows if "-kill.com" in email}
    twice = [email for email, count in Counter(email for email, _ in rows).items() if count > 1]
    return (
        [
            f"{email} was told {lead_id}, there is {stored.get(email)}"
            for email, lead_id in told.items()
            if stored.get(email) != lead_id
        ]
        + [f"{email} is there twice" for email in twice]
        + [f"{email} is there, nobody was told" for email in stored.keys() - told.keys()]
    )


def meet(ports: Sequence[int], store: Store, people: int, seed: int) -> list[str]:
    """Send each person to two services and an import at once; what is wrong: not one survivor, or one that the others
    do not point to."""
    rng = random.Random(seed)
    tag = f"{rng.getrandbits(40):x}"
    rows = [{"email": f"p{n}@meet{tag}.com", "last_name": "Birch"} for n in range(people)]
    blocks = [rows[start : start + BLOCK_PEOPLE] for start in range(0, people, BLOCK_PEOPLE)]
    start = threading.Barrier(len(ports) + 1)

    def by_door(number: int) -> list[tuple[str, str | None]]:
        key, told = new_key(store, f"door{number}"), []
        for block in blocks:
            start.wait()
            _, answer = ask(ports[number], "POST", "/v1/leads/batch", block, X_API_Key=key)
            told += [(result.get("lead_id", ""), result.get("existing_lead_id")) for result in answer["results"]]
        return told

    def by_file() -> list[tuple[str, str | None]]:
        ids, told = LeadIds(), []
        for block in blocks:
            claims = _claims(ids, block)
            start.wait()
            repeats = claim_identities(store, None, claims, chunk_leads=BLOCK_PEOPLE // 4).to_pylist()
            existing = {row["lead_id"]: str(row["existing_lead_id"]) for row in repeats}
            mine = list(dict.fromkeys(UUID(value) for value in claims["lead_id"].to_pylist()))
            told += [(str(lead_id), existing.get(lead_id)) for lead_id in mine]
        return told

    with ThreadPoolExecutor(len(ports) + 1) as pool:
        doors = [pool.submit(by_door, number) for number in range(len(ports))]
        file = pool.submit(by_file)
        all_told = [*(door.result() for door in doors), file.result()]
    faults = []
    for row, told in zip(rows, zip(*all_told, strict=True), strict=True):
        survivors = [lead_id for lead_id, existing in told if existing is None]
        pointed = [existing for _, existing in told if existing is not None]
        if len(survivors) != 1 or pointed != survivors * len(ports):
            faults.append(f"{row['email']}: survivors {survivors}, the others point to {pointed}")
    return faults


def _claims(ids: LeadIds, block: Sequence[dict[str, str]]) -> pa.Table:
    now = datetime.now(UTC)
    rows = [(str(ids.next(now)), *key) for row in block for key in plain_keys(row, "import", None, "UTC", now) or []]
    lead_ids, found, tags, kinds = zip(*rows, strict=True)
    columns = {"key": (found, pa.int64()), "tag": (tags, pa.int32()), "kind": (kinds, pa.int16())}
    return pa.table({"lead_id": pa.array(lead_ids)} | {name: pa.array(*column) for name, column in columns.items()})


def sync_before_answers(home: Path, store: Store, posts: int, url: str | None = None) -> tuple[int, list[str]]:
    """Post leads one after the other while every process is traced: how many were told 202, and which of these answers
    went out before their commit was on the disk."""
    with tempfile.TemporaryDirectory() as folder, serving(home, 0, url) as (port, process):
        key, trace, tag = new_key(store, "synced"), Path(folder, "trace"), os.urandom(5).hex()
        _post(port, key, tag)  # connections are open from here on
        with traced(store, process.pid, trace):
            accepted = sum(_post(port, key, f"{tag}-{number}") == 202 for number in range(posts))
        return accepted, find_unsynced(trace, process.pid, accepted)


def _post(port: int, key: str, name: str) -> int:
    return ask(port, "POST", "/v1/leads", {"email": f"{name}@sync.com", "last_name": "Birch"}, X_API_Key=key)[0]


def _is_ready(port: int) -> bool:
    try:
        return ask(port, "GET", "/readyz")[0] == 200
    except OSError:
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one drill and say what came of it; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drill", choices=("kill", "meet", "sync"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--posts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="aiqleads-drill-") as folder, Store.open(None, Path(folder)) as store:
        store.migrate()
        home = Path(folder)
        if options.drill == "kill":
            killing = kill_under_load(home, store, options.seconds, options.clients, options.seed)
            said, faults = f"{killing.kills} kills, {len(killing.told)} leads told", killing.faults
        elif options.drill == "meet":
            with serving(home) as (one, _), serving(home) as (other, _):
                faults = meet([one, other], store, options.people, options.seed)
            said = f"{options.people} people met three times"
        else:
            accepted, faults = sync_before_answers(home, store, options.posts)
            said = f"{accepted} answers traced"
    print(said)
    print("\n".join(faults[:50]) or "nothing is wrong")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
