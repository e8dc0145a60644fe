"""Where alarms go: a Slack-compatible incoming webhook and PagerDuty's Events API v2.

After https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://developer.pagerduty.com/docs/send-alert-event.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from aiqleads_pipeline.sandbox.exchange import Double, Reply, Request, in_json, in_text, route, stamp

ROUTING_KEY = "sandbox0000000000000000000000key"
_SEVERITIES = ("critical", "warning", "error", "info")
_MAX_EVENT = 512 << 10


class Slack(Double):
    """``/services/T000/B000/sandbox``. Not idempotent: what comes twice stands there twice."""

    name = "slack"
    title = "Slack-compatible webhook"
    defaults = {"archived": False, "requests_per_second": 0}
    credentials = {"path": "/services/T000/B000/sandbox"}

    def forget(self) -> None:
        """An empty channel."""
        self._messages: list[dict[str, Any]] = []
        self._second, self._count = 0, 0

    @route("POST", "/services/{team}/{service}/{token}")
    def post(self, request: Request, team: str, service: str, token: str) -> Reply:
        """A message to the channel."""
        if f"/services/{team}/{service}/{token}" != self.credentials["path"]:
            return in_text("invalid_token" if (team, service) == ("T000", "B000") else "no_service", 403)
        if self.settings["archived"]:
            return in_text("channel_is_archived", 410)
        if self._is_too_fast(request.now):
            return self.throttled(request)
        try:
            text = (
                request.form["payload"].encode() if request.content_type.endswith("form-urlencoded") else request.body
            )
            message = json.loads(text)
        except (ValueError, KeyError):
            return in_text("invalid_payload", 400)
        if not isinstance(message, dict):
            return in_text("invalid_payload", 400)
        blocks = message.get("blocks", [])
        if (
            not isinstance(blocks, list)
            or len(blocks) > 50
            or any(not isinstance(block, dict) or "type" not in block for block in blocks)
        ):
            return in_text("invalid_blocks", 400)
        if not message.get("text") and not blocks and not message.get("attachments"):
            return in_text("no_text", 400)
        if len(str(message.get("text", ""))) > 40_000:
            return in_text("msg_too_long", 400)
        self._messages.append({"at": stamp(request.now), **message})
        return in_text("ok", effects=1)

    def throttled(self, request: Request) -> Reply:
        """Slack's words."""
        reply = in_text("rate_limited", 429)
        reply.headers["retry-after"] = "1"
        return reply

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``messages``, in the order they came."""
        if kind != "messages":
            raise KeyError(kind)
        return self._messages

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        text = self._messages[-1].get("text") if self._messages else None  # one of blocks alone has none
        return {"messages": len(self._messages)} | ({"the last": text} if text else {})

    def _is_too_fast(self, now: datetime) -> bool:
        second = int(now.timestamp())
        self._count = self._count + 1 if second == self._second else 1
        self._second = second
        return bool(0 < self.settings["requests_per_second"] < self._count)


class PagerDuty(Double):
    """``/v2/enqueue``: incidents by ``dedup_key``."""

    name = "pagerduty"
    title = "PagerDuty-compatible events"
    credentials = {"routing_key": ROUTING_KEY}

    def forget(self) -> None:
        """No incident."""
        self._incidents: dict[str, dict[str, Any]] = {}
        self._events: list[dict[str, Any]] = []

    @route("POST", "/v2/enqueue")
    def enqueue(self, request: Request) -> Reply:
        """Trigger, acknowledge or resolve."""
        if len(request.body) > _MAX_EVENT:
            return _invalid("Event object exceeds the size limit of 512KB", status=413)
        try:
            event = request.json()
        except ValueError:
            return _invalid("Event object could not be parsed as JSON")
        faults = _faults_of(event)
        if faults:
            return _invalid(*faults)
        key = str(event.get("dedup_key") or f"sandbox-{len(self._events)}")
        self._events.append({"at": stamp(request.now), **event})
        action, incident = event["event_action"], self._incidents.get(key)
        is_effect = False
        if action == "trigger":
            is_effect = incident is None or incident["state"] == "resolved"
            if is_effect or incident is None:
                incident = {"dedup_key": key, "state": "triggered", "triggers": 0, "opened_at": stamp(request.now)}
                self._incidents[key] = incident
            incident.update({"triggers": incident["triggers"] + 1, **event["payload"]})
        elif incident is not None and incident["state"] != "resolved":
            wanted = "resolved" if action == "resolve" else "acknowledged"
            is_effect, incident["state"] = incident["state"] != wanted, wanted
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return in_json(answer, 202, effects=int(is_effect), repeats=int(not is_effect))

    def throttled(self, request: Request) -> Reply:
        """PagerDuty's words."""
        text = "Requests for this service are arriving too quickly.  Please retry later."
        return in_json({"status": "throttle exceeded", "message": text}, 429)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """``incidents`` by dedup key, ``events`` as they came."""
        if kind == "events":
            return self._events
        if kind != "incidents":
            raise KeyError(kind)
        return list(self._incidents.values())

    def facts(self) -> dict[str, Any]:
        """What the page shows."""
        return {"open": sum(each["state"] != "resolved" for each in self._incidents.values())}


def _invalid(*errors: str, status: int = 400) -> Reply:
    return in_json({"status": "invalid event", "message": "Event object is invalid", "errors": list(errors)}, status)


def _faults_of(event: Any) -> list[str]:
    if not isinstance(event, dict):
        return ["Event object is to be an object"]
    action, payload = event.get("event_action"), event.get("payload")
    faults = []
    if event.get("routing_key") != ROUTING_KEY:
        faults.append("'routing_key' is invalid")
    if action not in ("trigger", "acknowledge", "resolve"):
        faults.append("'event_action' is invalid: it is one of trigger, acknowledge, resolve")
    key = event.get("dedup_key")
    if (key is not None and (not isinstance(key, str) or len(key) > 255)) or (action != "trigger" and not key):
        faults.append("'dedup_key' is missing, or longer than 255")
    if action == "trigger":
        if not isinstance(payload, dict):
            return [*faults, "'payload' is missing or blank"]
        for name in ("summary", "source"):
            if not isinstance(payload.get(name), str) or not payload[name]:
                faults.append(f"'payload.{name}' is missing or blank")
        if len(str(payload.get("summary", ""))) > 1024:
            faults.append("'payload.summary' is longer than 1024")
        if payload.get("severity") not in _SEVERITIES:
            faults.append("'payload.severity' is invalid: must be one of critical, warning, error, info")
    return faults
