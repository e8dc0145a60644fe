"""CRMs as their doubles play them, and destinations built from the shipped rules on a database of their own."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest
import yaml
from pydantic import SecretStr
from sqlalchemy import text

from aiqleads_pipeline.delivering.crm import build_hubspot, build_reader, build_salesforce
from aiqleads_pipeline.delivering.kinds import Around
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.rules.destinations import HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.sandbox import Sandbox, start_sandbox
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from resources.destinations import Outcome, Parcel, Receipt
from resources.http import Breaker, HttpClient
from resources.store.database import Store

GOLDEN = Path(__file__).parent / "golden"
SPACE = UUID("0198a1b2-c3d4-4e5f-8a1b-000000000000")


@pytest.fixture(scope="session")
def crm_outside() -> Iterator[Outside]:
    """A home with a database, for all tests of CRMs: each begins with its tables empty."""
    home = Path(tempfile.mkdtemp(prefix="aiqleads-test-"))
    outside = open_outside(Settings(HOME=home, RULES_DIR=home / "rules", EGRESS_ALLOW_LOOPBACK=True))
    assert outside.store
    yield outside
    close(outside)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def running_box() -> Iterator[Sandbox]:
    with start_sandbox(seed=7) as box:
        yield box


@pytest.fixture
def box(running_box: Sandbox) -> Sandbox:
    """The doubles, as new."""
    running_box.reset()
    return running_box


def lead_body(number: int, **changes: Any) -> dict[str, Any]:
    """The golden lead as another person; ``contact__email="x"`` reaches inside."""
    body: dict[str, Any] = json.loads((GOLDEN / "lead.json").read_text(encoding="utf-8"))
    body["contact"] |= {"email": f"lead{number}@example{number}.com", "last_name": f"Lead{number}"}
    body["company"] |= {"domain": f"example{number % 3}.com", "name": f"Example {number % 3}"}
    body |= {"lead_id": str(uuid5(SPACE, f"lead{number}")), "delivery_id": str(uuid5(SPACE, f"delivery{number}"))}
    for path, value in changes.items():
        *outer, name = path.split("__")
        inner = body
        for step in outer:
            inner = inner[step]
        inner[name] = value
    return body


def parcel(number: int, *, attempt: int = 1, priority: int = 2, **changes: Any) -> Parcel:
    """A lead on its way."""
    body = lead_body(number, **changes)
    ids = UUID(body["delivery_id"]), UUID(body["lead_id"])
    return Parcel(*ids, "crm", attempt, priority, datetime(2026, 11, 23, tzinfo=UTC), body)


@dataclass
class Workshop:
    """Builds destinations that talk to the doubles."""

    box: Sandbox
    outside: Outside
    client: HttpClient

    @property
    def store(self) -> Store:
        """The store that they share."""
        return self.outside.store

    def rules(self, kind: str, **changes: Any) -> None:
        """Write the shipped rules of a kind with some keys changed, for the double."""
        shipped = (PROJECT_DIR / "data/rules/crm" / f"{kind}.yaml").read_text(encoding="utf-8")
        at = {"salesforce": "login_url", "hubspot": "base_url"}[kind]
        told = yaml.safe_load(shipped) | {at: self.box.url(kind)} | changes
        folder = self.outside.settings.rules_dir / "crm"
        folder.mkdir(parents=True, exist_ok=True)
        told = {name: value for name, value in told.items() if value is not None}
        (folder / f"{kind}.yaml").write_text(yaml.safe_dump(told, sort_keys=False), encoding="utf-8")

    def around(self) -> Around:
        """What builders get; secrets are the doubles'."""
        around = Around(self.outside, self.client)
        known = {
            f"{kind}_{name}".upper(): value
            for kind in ("salesforce", "hubspot")
            for name, value in self.box.credentials[kind].items()
        }
        object.__setattr__(around, "secret", lambda name: SecretStr(known[name]))
        return around

    def build(self, kind: str, chunk_size: int | None = None, **changes: Any) -> Any:
        """A destination of a kind."""
        self.rules(kind, **changes)
        if kind == "salesforce":
            rule = SalesforceDestination(name="salesforce", kind="salesforce", chunk_size=chunk_size or 10_000)
            return build_salesforce(rule, self.around())
        return build_hubspot(HubSpotDestination(name="hubspot", kind="hubspot"), self.around())

    def reader(self, kind: str) -> Any:
        """What reads a kind back, by the rules as they were last written."""
        made = {
            "salesforce": SalesforceDestination(name="salesforce", kind="salesforce"),
            "hubspot": HubSpotDestination(name="hubspot", kind="hubspot"),
        }
        return build_reader(made[kind], self.around())


@pytest.fixture
def workshop(box: Sandbox, crm_outside: Outside) -> Iterator[Workshop]:
    tables = "crm_records, crm_mappings, crm_jobs, crm_usage, crm_paces, outbox, delivery_lanes, delivery_attempts"
    with crm_outside.store.engine.begin() as con:
        con.execute(text("TRUNCATE " + ", ".join(f"aiqleads.{name}" for name in tables.split(", "))))
    shutil.rmtree(crm_outside.settings.rules_dir, ignore_errors=True)
    never = Breaker(threshold=1 << 30, open_seconds=1.0, now=lambda: 0.0)
    with HttpClient(allow_loopback=True, breaker=never) as client:
        yield Workshop(box, crm_outside, client)


def told(receipts: list[Receipt]) -> list[str]:
    """What receipts say, shortly."""
    return [
        each.outcome.value if each.outcome is Outcome.DELIVERED else f"{each.outcome}:{each.error_code}"
        for each in receipts
    ]
