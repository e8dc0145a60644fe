"""Slack's incoming webhooks and PagerDuty's Events API v2 by what their vendors document: receivers that hold us to it.

PagerDuty: developer.pagerduty.com, "Events API v2" (fields and their lengths, 202/400/429/5xx, 512 KB). Slack:
api.slack.com, "Incoming webhooks" and "Block Kit" (200 "ok", 400, 403, 404, 410, 429; 3,000 characters, 50 blocks).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from aiqleads_pipeline.alerting.words import body_of_incident, healed_body
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.http_world import Asked, Reply, Site, reply
from resources.destinations import Outcome, Parcel, Receipt
from resources.http import HttpClient
from resources.notify.pagerduty import PagerDutyDestination
from resources.notify.slack import SlackDestination
from resources.store.alert_groups import Group

KEY = "R" * 32
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass
class Vendor:
    """A receiver with a vendor's rules; ``broken`` says which we broke, ``instead`` answers instead."""

    broken: list[str] = field(default_factory=list)
    instead: bytes | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    incidents: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def hold(self, rule: str, holds: object) -> None:
        if not holds:
            self.broken.append(rule)

    def pagerduty(self, asked: Asked) -> Reply:
        if self.instead:
            return self.instead
        event = json.loads(asked.body)
        self.hold("POST /v2/enqueue", (asked.method, asked.target) == ("POST", "/v2/enqueue"))
        self.hold("a JSON body", asked.headers["content-type"] == "application/json")
        self.hold("at most 512 KB", len(asked.body) <= 512 << 10)
        self.hold("a key of 32 characters", len(event["routing_key"]) == 32)
        self.hold("an action", event["event_action"] in {"trigger", "acknowledge", "resolve"})
        self.hold("a dedup_key of 255", 0 < len(event["dedup_key"]) <= 255)
        if event["event_action"] == "trigger":
            payload = event["payload"]
            self.hold("a summary of 1,024", 0 < len(payload["summary"]) <= 1024)
            self.hold("a source", payload["source"])
            self.hold("a severity", payload["severity"] in {"critical", "error", "warning", "info"})
            self.hold("a time by ISO 8601", ISO.fullmatch(payload["timestamp"]))
            self.hold("details that are an object", isinstance(payload["custom_details"], dict))
            for link in event.get("links", ()):
                self.hold("links with href", link["href"].startswith("http") and set(link) <= {"href", "text"})
        self.events.append(event)
        self.incidents[event["dedup_key"]].append(event["event_action"])
        told = {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}
        return reply(202, json.dumps(told), Content_Type="application/json")

    def slack(self, asked: Asked) -> Reply:
        if self.instead:
            return self.instead
        message = json.loads(asked.body)
        self.hold("a JSON body", asked.headers["content-type"] == "application/json")
        self.hold("text for notifications", 0 < len(message["text"]) <= 40_000)
        self.hold("at most 50 blocks", len(message["blocks"]) <= 50)
        for block in message["blocks"]:
            self.hold("sections of 3,000", block["type"] == "section" and 0 < len(block["text"]["text"]) <= 3000)
            self.hold("mrkdwn", block["text"]["type"] == "mrkdwn")
        self.events.append(message)
        return reply(200, "ok", Content_Type="text/html" if asked.target == "/page" else "text/plain")


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(allow_loopback=True) as made:
        yield made


@pytest.fixture
def pager(vendor: Vendor, client: HttpClient) -> Iterator[PagerDutyDestination]:
    with Site(vendor.pagerduty) as site:
        yield PagerDutyDestination("on_call", f"{site.url}/v2/enqueue", SecretStr(KEY), client)


@pytest.fixture
def chat(vendor: Vendor, client: HttpClient) -> Iterator[SlackDestination]:
    with Site(vendor.slack) as site:
        yield SlackDestination("chat", SecretStr(f"{site.url}/services/T0/B0/x"), client)


def group(key: str = "0:run_failed", number: int = 1, severity: str = "error") -> Group:
    return Group("on_call", key, number, "open", severity, "run_failed", 1, 1, NOW, NOW)


def opened(found: Group, count: int = 1, detail: str = "it broke") -> dict[str, Any]:
    """A notice as it is posted and read again."""
    alert = {
        "alert_id": 1, "code": "run_failed", "subject": "batch-1", "severity": found.severity, "detail": detail,
        "run_id": "r1", "times_count": 1, "opened_at": NOW, "last_seen_at": NOW,
    }  # fmt: skip
    members = [{**alert, "alert_id": n, "subject": f"batch-{n}"} for n in range(count)]
    return {**body_of_incident(found, members, Settings()), "topic": "alert.opened", "created_at": NOW.isoformat()}


def healed(found: Group) -> dict[str, Any]:
    return {**healed_body(found), "topic": "alert.healed", "created_at": NOW.isoformat()}


def deliver(destination: Any, *bodies: dict[str, Any], ids: tuple[UUID, ...] = ()) -> list[Receipt]:
    named = ids or tuple(uuid4() for _ in bodies)
    parcels = [Parcel(i, i, destination.name, 1, 1, NOW, body) for i, body in zip(named, bodies, strict=True)]
    receipts: list[Receipt] = destination.deliver(parcels, timeout_seconds=10)
    return receipts


def test_an_incident_is_one_at_pagerduty_from_its_beginning_to_its_end(
    vendor: Vendor, pager: PagerDutyDestination
) -> None:
    first, second = group(), group(number=2)
    receipts = deliver(pager, opened(first), opened(first, 3), healed(first), opened(second), opened(group("0:other")))
    assert {each.outcome for each in receipts} == {Outcome.DELIVERED}
    assert vendor.broken == []
    assert dict(vendor.incidents) == {
        "on_call:0:run_failed#1": ["trigger", "trigger", "resolve"],
        "on_call:0:run_failed#2": ["trigger"],
        "on_call:0:other#1": ["trigger"],
    }
    resolved = next(event for event in vendor.events if event["event_action"] == "resolve")
    assert resolved == {"routing_key": KEY, "event_action": "resolve", "dedup_key": "on_call:0:run_failed#1"}
    payload = vendor.events[0]["payload"]
    assert (payload["severity"], payload["class"], payload["group"]) == ("error", "run_failed", "0:run_failed")
    assert payload["custom_details"]["command"]
    assert vendor.events[0]["links"][0]["href"].endswith("/runs/r1")


def test_a_repeat_after_a_lost_answer_is_the_same_event(vendor: Vendor, pager: PagerDutyDestination) -> None:
    same = uuid4()
    deliver(pager, opened(group()), ids=(same,))
    deliver(pager, opened(group()), ids=(same,))
    assert vendor.events[0] == vendor.events[1]


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_severities_are_pagerdutys(vendor: Vendor, pager: PagerDutyDestination, severity: str) -> None:
    deliver(pager, opened(group(severity=severity)))
    assert [event["payload"]["severity"] for event in vendor.events] == [severity]
    assert vendor.broken == []


def test_what_is_too_long_is_cut_and_no_two_incidents_become_one(vendor: Vendor, pager: PagerDutyDestination) -> None:
    keys = ["0:" + "k" * 300 + end for end in ("a", "b")]
    flood = [{**opened(group(key), 500, "d" * 4000), "summary": "s" * 5000} for key in keys]
    deliver(pager, *flood, healed(group(keys[0])))
    assert vendor.broken == []
    assert sorted(vendor.incidents.values()) == [["trigger"], ["trigger", "resolve"]]


def test_slack_gets_text_and_blocks_in_which_nothing_is_markup(vendor: Vendor, chat: SlackDestination) -> None:
    bad = "<!channel> & <https://evil.example|click> *bold*"
    receipts = deliver(chat, opened(group(), detail=bad), opened(group(), 500, "d" * 4000), healed(group()))
    assert [each.outcome for each in receipts] == [Outcome.DELIVERED] * 3
    assert vendor.broken == []
    shown = [message["blocks"][0]["text"]["text"] for message in vendor.events]
    assert "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;" in shown[0]
    assert "<!" not in shown[0]
    assert "<http://127.0.0.1:3000/runs/r1|Open>" in shown[0]
    assert shown[2].startswith("*:large_green_circle:")


@pytest.mark.parametrize(
    ("answer", "outcome", "code", "pause"),
    [
        pytest.param(reply(429, "rate_limited", Retry_After="30"), "retry", "receiver_throttled", 30.0, id="429"),
        pytest.param(reply(429), "retry", "receiver_throttled", None, id="429 bare"),
        pytest.param(reply(500, "rollup_error"), "retry", "receiver_failed", None, id="500"),
        pytest.param(reply(503, Retry_After="7"), "retry", "receiver_failed", 7.0, id="503"),
        pytest.param(reply(400, "invalid_payload"), "refused", "receiver_refused", None, id="400"),
        pytest.param(reply(413), "refused", "receiver_refused", None, id="413"),
        pytest.param(reply(403, "action_prohibited"), "retry", "receiver_denied", None, id="403"),
        pytest.param(reply(404, "channel_not_found"), "retry", "receiver_denied", None, id="404"),
        pytest.param(reply(410, "channel_is_archived"), "gone", "receiver_gone", None, id="410"),
        pytest.param(reply(302, Location="/page"), "retry", None, None, id="302"),
        pytest.param(reply(200, "<html>Sign in</html>", Content_Type="text/html"), "retry", None, None, id="page"),
    ],
)
def test_what_their_answers_come_to(
    vendor: Vendor,
    pager: PagerDutyDestination,
    chat: SlackDestination,
    answer: bytes,
    outcome: str,
    code: str | None,
    pause: float | None,
) -> None:
    vendor.instead = answer
    for destination in (pager, chat):
        [receipt] = deliver(destination, opened(group()))
        assert (receipt.outcome.value, receipt.retry_after_seconds) == (outcome, pause)
        assert code in (None, receipt.error_code)
        assert KEY not in f"{receipt}"
        assert "/services/" not in f"{receipt}"
