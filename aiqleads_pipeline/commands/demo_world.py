"""The outside world of the demo: a sandbox, and the user's own rules with nothing but the sandbox to deliver to.

Belongs here: the rules that a demo goes by, and what arrived. Does not belong here: the doubles (``sandbox``). Real
destinations of the rules are left out: sample leads reach nobody.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from aiqleads_pipeline.alerting.telling import tell_alerts
from aiqleads_pipeline.alerting.watches import missing_drops
from aiqleads_pipeline.delivering.worker import drain
from aiqleads_pipeline.outside import Outside, close, open_outside
from aiqleads_pipeline.publishing.rule_files import read_set
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.sandbox import Sandbox, start_sandbox
from aiqleads_pipeline.settings import PROJECT_DIR
from resources.store import alert_groups, alerts
from resources.store.deliveries import count_batch

_CRM_RULES = PROJECT_DIR / "data" / "rules" / "crm"
_DRAIN_SECONDS = 60.0
MISSED_SOURCE = "evening_list"
_NAMES = {
    "salesforce": "sandbox_salesforce",
    "hubspot": "sandbox_hubspot",
    "webhooks": "sandbox_webhook",
    "smtp": "sandbox_mail",
}


@contextmanager
def demo_world(outside: Outside) -> Iterator[tuple[Outside, Sandbox]]:
    """The outside as the demo sees it, on the same home, and the sandbox it delivers into."""
    rules = outside.settings.home / "demo" / "rules"
    with start_sandbox() as box:
        _write_rules(outside.settings.rules_dir, rules, box)
        settings = outside.settings.model_copy(update={"RULES_DIR": rules, "EGRESS_ALLOW_LOOPBACK": True})
        secrets = {f"AIQLEADS_SECRET__SANDBOX_{name}": value for name, value in _secrets(box).items()}
        os.environ.update(secrets)
        view = open_outside(settings)
        try:
            yield view, box
        finally:
            close(view)
            for name in secrets:
                os.environ.pop(name, None)


def deliver_demo(outside: Outside, box: Sandbox, batch_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Send what the batches left in the outbox; for each destination what was meant for it and what stands there."""
    drain(outside, _DRAIN_SECONDS)
    meant: Counter[str] = Counter()
    delivered: Counter[str] = Counter()
    for batch_id in batch_ids:
        for destination, states in count_batch(outside.store, batch_id).items():
            meant[destination] += sum(states.values())
            delivered[destination] += states.get("delivered", 0)
    rows = []
    for double, destination in _NAMES.items():
        counts = box.counts(double)
        stands = {"salesforce": "Lead", "hubspot": "contacts"}.get(double, "messages")
        rows.append(
            {
                "destination": destination, "meant": meant[destination], "delivered": delivered[destination],
                "arrived": counts["facts"].get(stands, 0), "requests": counts["attempts"],
            }
        )  # fmt: skip
    return rows


def tell_alert(outside: Outside, box: Sandbox) -> list[str]:
    """Look once as the watchman does: a drop that is expected by the demo's rules alone has not come. It is told, and
    that it is over; the subjects of the mail that arrived.

    On a home with alerts of its own nothing is told: by the demo's rules they would seem to have healed.
    """
    store = outside.store
    with store.read() as con:
        is_watched = any(group.state == "open" for group in alert_groups.list_groups(con).values())
    if is_watched or alerts.open_alerts(store, 1):
        return []
    known = {each["message_id"] for each in box.records("smtp", "messages")}
    rules = load_alerts(outside.settings.rules_dir)
    nothing_expected = replace(rules, content=rules.content.model_copy(update={"expect": ()}))
    for each in (rules, nothing_expected):
        now = outside.settings.now()
        alerts.reconcile(store, "drop_missing", missing_drops(outside, each, now), now)
        tell_alerts(outside, each, now)
        drain(outside, _DRAIN_SECONDS)
    return [each["subject"] for each in box.records("smtp", "messages") if each["message_id"] not in known]


def _write_rules(given: Path, folder: Path, box: Sandbox) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in read_set(given).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "crm").mkdir(exist_ok=True)
    told = yaml.safe_load((folder / "destinations.yaml").read_text(encoding="utf-8")) or {}
    files = [each for each in told.get("destinations") or () if each.get("kind") == "file"]
    _write(folder / "destinations.yaml", {**told, "destinations": [*files, *_destinations(box)]})
    _write(folder / "alerts.yaml", {"expect": [{"source": MISSED_SOURCE, "by": "00:00"}]})
    if (folder / "slas.yaml").exists():
        told = yaml.safe_load((folder / "slas.yaml").read_text(encoding="utf-8")) or {}
        _write(folder / "slas.yaml", {name: value for name, value in told.items() if name != "tell"})
    logins = {
        "salesforce": {
            "login_url": box.url("salesforce"), "login": "client_credentials", "client_id": "SANDBOX_CLIENT_ID",
            "client_secret": "SANDBOX_CLIENT_SECRET",
        },
        "hubspot": {"base_url": box.url("hubspot"), "login": "private_app", "access_token": "SANDBOX_ACCESS_TOKEN"},
    }  # fmt: skip
    for kind, login in logins.items():
        shipped = yaml.safe_load((_CRM_RULES / f"{kind}.yaml").read_text(encoding="utf-8"))
        _write(folder / "crm" / f"sandbox_{kind}.yaml", {**shipped, **login, "owners": {}})


def _destinations(box: Sandbox) -> list[dict[str, Any]]:
    return [
        {"name": _NAMES["salesforce"], "kind": "salesforce"},
        {"name": _NAMES["hubspot"], "kind": "hubspot", "priorities": ["P1", "P2"]},
        {
            "name": _NAMES["webhooks"], "kind": "webhook", "url": f"{box.url('webhooks')}/hooks/demo",
            "secret": "SANDBOX_WEBHOOK", "priorities": ["P1"],
        },
        {
            "name": _NAMES["smtp"], "kind": "email", "host": "127.0.0.1", "port": box.port("smtp"), "security": "none",
            "sender": "leads@example.com", "to": ["sales@example.com"], "priorities": ["P1"],
        },
    ]  # fmt: skip


def _secrets(box: Sandbox) -> dict[str, str]:
    known = box.credentials
    return {
        "CLIENT_ID": known["salesforce"]["client_id"],
        "CLIENT_SECRET": known["salesforce"]["client_secret"],
        "ACCESS_TOKEN": known["hubspot"]["access_token"],
        "WEBHOOK": known["webhooks"]["secret"],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
