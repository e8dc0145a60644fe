"""What a notice of an alert says: the facts, where to look, and the command to look closer.

Belongs here: bodies of notices. Nothing of a lead but its id is in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.settings import Settings
from resources.store.alert_groups import Group

MOST_LISTED = 20
MOST_DETAIL_CHARS = 300
# The command that looks closer, by code; `{subject}` is what the first alert is about.
COMMANDS = {
    "drop_quarantined": "aiqleads table rejected_leads --batch {subject}",
    "run_failed": "aiqleads doctor",
    "check_failed": "aiqleads doctor",
    "routing_failed": "aiqleads review list",
    "deliveries_dead": "aiqleads deliveries list --destination {subject} --state dead",
    "destination_failing": "aiqleads deliveries test {subject}",
    "destination_off": "aiqleads deliveries test {subject}",
    "provider_refused": "aiqleads providers list",
    "enrichment_partial": "aiqleads providers list",
    "destination_unusable": "aiqleads deliveries test {subject}",
    "sla_overdue": "aiqleads slas list --team {subject}",
}


def command_of(code: str, subject: str) -> str:
    """The command to look closer at an alert."""
    return COMMANDS.get(code, "aiqleads doctor").format(subject=subject)


def run_link(settings: Settings, run_id: str | None) -> str | None:
    """Where a run is seen in Dagster."""
    return f"{webserver_url(settings)}/runs/{run_id}" if run_id else None


def webserver_url(settings: Settings) -> str:
    """Dagster's UI as people reach it."""
    return settings.WEBSERVER_URL.rstrip("/") or f"http://127.0.0.1:{settings.WEBSERVER_PORT}"


def body_of_incident(group: Group, members: Sequence[Mapping[str, Any]], settings: Settings) -> dict[str, Any]:
    """The body of a notice that an incident begins, grows or goes on."""
    ordered = sorted(members, key=lambda each: (each["severity"] != "error", -each["alert_id"]))
    first = ordered[0]
    reason = REASONS.get(first["code"])
    message = reason.message if reason else first["code"]
    count = f"{len(members)} × " if len(members) > 1 else ""
    about = f" ({first['subject']})" if len(members) == 1 else ""
    codes = sorted({each["code"] for each in members})
    return {
        "incident": f"{group.destination}:{group.incident}",
        "group": group.group_key,
        "code": group.code or codes[0],
        "severity": group.severity,
        "is_healed": False,
        "summary": f"{count}{message}{about}"
        if len(codes) == 1
        else f"{len(members)} alerts: {', '.join(codes)}"[:300],
        "what_to_do": reason.how_to_fix if reason else "",
        "command": command_of(first["code"], first["subject"]),
        "link": run_link(settings, first["run_id"]) or webserver_url(settings),
        "alerts": [_shown(each, settings) for each in ordered[:MOST_LISTED]],
        "more_count": max(0, len(members) - MOST_LISTED),
    }


def healed_body(group: Group) -> dict[str, Any]:
    """The body of a notice that an incident ended."""
    reason = REASONS.get(group.code)
    return {
        "incident": f"{group.destination}:{group.incident}",
        "group": group.group_key,
        "code": group.code,
        "severity": group.severity,
        "is_healed": True,
        "summary": reason.message if reason else group.group_key,
        "opened_at": group.opened_at.isoformat(),
    }


def _shown(alert: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    return {
        "code": alert["code"],
        "subject": alert["subject"],
        "severity": alert["severity"],
        "detail": alert["detail"][:MOST_DETAIL_CHARS],
        "times_count": alert["times_count"],
        "opened_at": alert["opened_at"].isoformat(),
        "link": run_link(settings, alert["run_id"]),
    }
