"""Upserts into CRMs: how long they take against what the CRM's own limit of requests allows.

    python -m benchmarks.crm                                100,000 leads to HubSpot's double at twice its limit (80 s)
    python -m benchmarks.crm --leads 12000 --scale 3        the same in a few seconds
    python -m benchmarks.crm --crm salesforce --bulk        through one Bulk 2.0 job per 10,000 leads

The double runs in a process of its own and refuses what comes faster than its limit: 190 requests in 10 seconds, times
``--scale``. A call of ours carries 100 contacts and costs three requests (companies, contacts, associations).
Salesforce limits no seconds: there the rate is told, and how many calls it took. Exits with 1 above ``--most`` times.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from pydantic import SecretStr

from aiqleads_pipeline.delivering.crm import build_hubspot, build_salesforce
from aiqleads_pipeline.delivering.kinds import Around
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.rules.destinations import HubSpotDestination, SalesforceDestination
from aiqleads_pipeline.sandbox import Sandbox, start_sandbox
from aiqleads_pipeline.settings import PROJECT_DIR, Settings
from resources.destinations import Destination, Outcome, Parcel
from resources.http import Breaker, HttpClient

LIMIT_REQUESTS, LIMIT_SECONDS = 190, 10.0
LEADS_PER_COMPANY = 4


@dataclass(frozen=True)
class _Around(Around):
    """What a builder gets, with the double's secrets."""

    secrets: dict[str, str]

    def secret(self, name: str) -> SecretStr:
        return SecretStr(self.secrets[name])


def main() -> int:
    """Measure, print one line, and say by the exit status whether it was fast enough."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crm", choices=("hubspot", "salesforce"), default="hubspot")
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--scale", type=float, default=2.0, help="of the limit of 190 requests in 10 seconds")
    parser.add_argument("--threads", type=int, default=4, help="calls at once, as `concurrency` of a destination")
    parser.add_argument("--bulk", action="store_true", help="Salesforce: Bulk 2.0 jobs of 10,000")
    parser.add_argument("--most", type=float, default=1.5, help="times what the limit allows")
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="aiqleads-bench-crm-"))
    outside = open_outside(Settings(HOME=home, RULES_DIR=home / "rules", EGRESS_ALLOW_LOOPBACK=True))
    try:
        with start_sandbox(seed=1, in_process=True) as box, _client() as client:
            requests = int(LIMIT_REQUESTS * asked.scale)
            box.configure("hubspot", requests_per_window=requests, window_seconds=LIMIT_SECONDS, daily_requests=10**9)
            box.configure("salesforce", daily_api_requests=10**9, duplicate_rule=False)
            _write_rules(box, outside, asked.crm, requests, asked.bulk)
            size = 10_000 if asked.bulk else 100 if asked.crm == "hubspot" else 200
            destination = _build(box, outside, client, asked.crm, size)
            seconds = _deliver(destination, asked.leads, size, asked.threads)
            return _tell(box, asked.crm, asked.leads, seconds, requests, asked.most)
    finally:
        close(outside)
        shutil.rmtree(home, ignore_errors=True)


def _client() -> HttpClient:
    never = Breaker(threshold=1 << 30, open_seconds=1.0, now=lambda: 0.0)
    return HttpClient(allow_loopback=True, breaker=never)


def _write_rules(box: Sandbox, outside: Outside, crm: str, requests: int, is_bulk: bool) -> None:
    file = Path("crm") / f"{crm}.yaml"
    rules = yaml.safe_load((PROJECT_DIR / "data/rules" / file).read_text(encoding="utf-8"))
    if crm == "hubspot":
        rules |= {"base_url": box.url(crm), "pace": {"requests": requests, "seconds": LIMIT_SECONDS}}
    else:
        rules |= {"login_url": box.url(crm), "bulk_from": 2000 if is_bulk else None}
    place = outside.settings.rules_dir / file
    place.parent.mkdir(parents=True)
    place.write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")


def _build(box: Sandbox, outside: Outside, client: HttpClient, crm: str, size: int) -> Destination:
    secrets = {f"{crm}_{name}".upper(): value for name, value in box.credentials[crm].items()}
    around = _Around(outside, client, secrets)
    if crm == "hubspot":
        return build_hubspot(HubSpotDestination(name=crm, kind="hubspot"), around)
    return build_salesforce(SalesforceDestination(name=crm, kind="salesforce", chunk_size=size), around)


def _deliver(destination: Destination, leads: int, size: int, threads: int) -> float:
    """Deliver all, calls at once as a worker makes them; the seconds it took.

    Raises:
        RuntimeError: a lead was refused.
    """

    def send(start: int) -> list[int]:
        left = list(range(start, min(start + size, leads)))
        while left:  # what had no turn in its attempt's time comes again
            receipts = destination.deliver([_parcel(number) for number in left], timeout_seconds=60)
            if refused := [each for each in receipts if each.outcome is Outcome.REFUSED]:
                raise RuntimeError(f"refused: {refused[0].error_code} {refused[0].detail}")
            left = [n for n, each in zip(left, receipts, strict=True) if each.outcome is not Outcome.DELIVERED]
        return left

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(send, range(0, leads, size)):
            pass
    return time.perf_counter() - began


def _parcel(number: int) -> Parcel:
    company = number // LEADS_PER_COMPANY
    body: dict[str, Any] = {
        "reasons": [{"part": "intent", "points": 20.0, "text": "asked for a demo"}],
        "source": "bench", "external_id": f"B-{number}", "team": "emea", "owner": "ann",
        "priority": f"P{number % 4 + 1}", "sla_due_at": "2026-11-24T12:00:00Z", "lead_score": 55.25,
        "contact": {
            "first_name": "Ann", "last_name": f"Bench{number}", "job_title": "Head of Sales", "city": "Berlin",
            "email": f"ann{number}@bench{company}.com", "phone": f"+4930{number:08d}", "country": "DE", "consent": True,
        },
        "company": {
            "name": f"Bench {company} GmbH", "domain": f"bench{company}.com", "industry_code": "51",
            "industry_name": "Information", "employee_count": 120, "annual_revenue_usd": 2_500_000.0,
        },
        "interest": {"message": "Please call me back about the enterprise plan.", "campaign": "autumn"},
    }  # fmt: skip
    ids = UUID(int=(1 << 100) + number), UUID(int=(2 << 100) + number)
    return Parcel(*ids, "crm", 1, number % 4 + 1, datetime(2026, 11, 23, tzinfo=UTC), body)


def _tell(box: Sandbox, crm: str, leads: int, seconds: float, requests: int, most: float) -> int:
    counts = box.counts(crm)
    held = counts["facts"]["contacts" if crm == "hubspot" else "Lead"]
    made, throttled = counts["attempts"], counts["statuses"].get("429", 0)
    line = (
        f"{crm}: {leads:,} leads in {seconds:.1f} s ({leads / seconds:,.0f}/s), {made:,} requests, {throttled} refused"
    )
    if held != leads:
        print(f"{line}; but it holds {held:,} of {leads:,}")
        return 1
    if crm == "salesforce":
        print(line)
        return 0
    allowed = -(-leads // 100) * 3 / requests * LIMIT_SECONDS
    print(f"{line}; the limit of {requests} in 10 s allows it in {allowed:.1f} s: {seconds / allowed:.2f} x")
    return int(seconds > most * allowed)


if __name__ == "__main__":
    sys.exit(main())
