"""A real service, and on demand the runner that `aiqleads up` would have beside it."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import SecretStr

from aiqleads_pipeline.automation.instance import open_instance
from aiqleads_pipeline.automation.runner import tick
from aiqleads_pipeline.definitions import build_defs
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import table_relation
from aiqleads_pipeline_tests.doors.conftest import Reply, Service, private_folder, serving
from resources.store import keys


@dataclass
class UploadWorld:
    """A service with its home, and a runner that looks when it is told to."""

    service: Service
    outside: Outside
    instance: dg.DagsterInstance
    defs: dg.Definitions

    def run(self) -> None:
        """What the resident runner does at a look: all that waits is run."""
        tick(self.defs, self.instance, self.outside)

    def rows(self, table: str, batch_id: str, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of a table of a batch, in the order of rows."""
        with open_engine(self.outside.settings) as con:
            relation = table_relation(con, self.outside, table, batch_id).order("row_number")
            return relation.project(", ".join(columns)).fetchall()


@contextmanager
def upload_world(make_database: Callable[[], str]) -> Iterator[UploadWorld]:
    """The world of one test file."""
    before = dict(os.environ)
    url = make_database()
    with private_folder() as home:
        outside = open_outside(Settings(HOME=home, DATABASE_URL=SecretStr(url)))
        try:
            with serving(url, home) as service, open_instance(outside) as instance:
                yield UploadWorld(service, outside, instance, build_defs(outside.settings))
        finally:
            close(outside)
            os.environ.clear()
            os.environ.update(before)


def sender(service: Service, role: str = "client", client: str | None = None) -> Sender:
    """A client of its own with a key."""
    client = client or f"c{uuid.uuid4().hex[:12]}"
    key = keys.create_key(service.store, client, role, datetime.now(UTC)).api_key
    return Sender(service, client, key)


@dataclass(frozen=True)
class Sender:
    """A client and its key."""

    service: Service
    client: str
    key: str

    def ask(self, method: str, path: str, body: bytes | str | None = None, **headers: str) -> Reply:
        """A request with the key; underscores in header names are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        return self.service.ask(method, path, content, {"X-API-Key": self.key, **named})

    def upload(self, body: bytes | str, query: str = "filename=leads.csv", content_type: str = "text/csv") -> Reply:
        """A raw upload."""
        return self.ask("POST", f"/v1/uploads?{query}", body, Content_Type=content_type)

    def sent(self, body: bytes | str, query: str = "filename=leads.csv") -> str:
        """A raw upload that is taken; its batch."""
        reply = self.upload(body, query)
        assert reply.status == 202, reply.body
        return str(reply.json["batch_id"])

    def upload_form(self, file: bytes | str | None, path: str = "/v1/uploads", **fields: str) -> Reply:
        """An upload as a form; its fields come behind the file."""
        boundary = uuid.uuid4().hex
        parts = []
        if file is not None:
            content = file.encode() if isinstance(file, str) else file
            parts.append(b'Content-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\n' + content)
        parts += [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()
        ]
        body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--".encode()
        return self.ask("POST", path, body, Content_Type=f"multipart/form-data; boundary={boundary}")

    def look(self, batch_id: str) -> dict[str, Any]:
        """Where a batch stands."""
        reply = self.ask("GET", f"/v1/uploads/{batch_id}")
        assert reply.status == 200, reply.body
        return dict(reply.json)

    def errors(self, batch_id: str) -> str:
        """The list of rejected rows."""
        reply = self.ask("GET", f"/v1/uploads/{batch_id}/errors.csv")
        assert reply.status == 200, reply.body
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        return reply.body.decode()


def events_of(body: bytes) -> list[tuple[str, str, dict[str, Any]]]:
    """(event, id, document) of each event of a stream."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def memory_bytes(pid: int) -> int:
    """What a process holds in memory now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")
