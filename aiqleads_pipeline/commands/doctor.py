"""`aiqleads doctor`: what is wrong, the likeliest cause first, and what to do about it.

Belongs here: looking. A finding never holds a secret or a lead's data. What can't be looked at because of an
earlier fault is left out: the first failing line is the cause to mend.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from aiqleads_pipeline.delivering.kinds import NotBuilt, build
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.rules.alerts import load_alerts
from aiqleads_pipeline.rules.crm import check_crms
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.rules.enrichment import load_enrichment
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.scrapes import load_scrapes
from aiqleads_pipeline.rules.slas import load_slas
from aiqleads_pipeline.settings import SettingsError, load_settings, secret
from resources.store import alerts, drops
from resources.store.database import Store
from resources.store.errors import StoreError

LOW_DISK_BYTES = 2 << 30
CLOCK_SKEW_SECONDS = 5
BUSY_SHARE = 0.9
SEVERITIES = ("error", "warning")


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    check: str
    ok: bool
    detail: str
    what_to_do: str = ""


def examine() -> list[Finding]:
    """Look at everything, causes before symptoms; wrong ones first."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [Finding("settings", False, str(error), "Correct the variable and run again.")]
    outside = open_outside(settings)
    found = [Finding("settings", True, f"home {settings.home}")]
    for look in (_rules, _secrets, _telling, _providers, _disk, _bucket, _lake, _database):
        found += look(outside)
    return sorted(found, key=lambda finding: finding.ok)


def _rules(outside: Outside) -> Iterator[Finding]:
    try:
        rules = outside.rules()
        load_scrapes(outside.settings.rules_dir)
        sent = list(outside.rules().destinations.sent)
        load_alerts(outside.settings.rules_dir, sent)
        load_slas(outside.settings.rules_dir, sent)
        check_crms(outside.settings.rules_dir, rules.destinations)
        yield Finding("rules", True, f"{outside.settings.rules_dir} is sound")
    except RulesError as error:
        yield Finding("rules", False, str(error).replace("\n", "; "), "Correct the lines named.")


def _telling(outside: Outside) -> Iterator[Finding]:
    """Where alerts would go if one was opened now."""
    try:
        rules, sent = load_alerts(outside.settings.rules_dir), load_destinations(outside.settings.rules_dir).sent
    except RulesError:
        return  # `rules` names the fault
    told = {
        severity: {name for r in rules.routes if severity in (r.when.severity or SEVERITIES) for name in r.to}
        for severity in SEVERITIES
    }
    names = sorted(set().union(*told.values()))
    if not names:
        what = "a slack, a pagerduty or an email destination with `to`"
        yield Finding("telling", True, f"nobody is told of alerts: destinations.yaml has neither {what}")
        return
    faults = [f"{name} is no destination that is sent to" for name in names if name not in sent]
    for name in names:
        try:
            build(sent[name], outside).close() if name in sent else None
        except NotBuilt as fault:
            faults.append(str(fault))
    where = (f"{severity}s to {', '.join(sorted(told[severity])) or 'nobody'}" for severity in SEVERITIES)
    yield Finding("telling", not faults, "; ".join([*where, *faults]), "Correct destinations.yaml, or set the secret.")


def _secrets(outside: Outside) -> Iterator[Finding]:
    from aiqleads_pipeline.commands.doctor_secrets import lacking_secrets, webhooks_not_set_up

    try:
        rules = outside.rules()
        lacking = lacking_secrets(rules, outside.settings.rules_dir)
    except RulesError:  # told by the finding on rules
        return
    unused = ", ".join(webhooks_not_set_up(rules))
    sound = f"those in use are set; without: webhooks of {unused}" if unused else "those in use are set"
    yield Finding("secrets", not lacking, "; ".join(lacking) or sound, "Set the variables named, and start again.")


def _providers(outside: Outside) -> Iterator[Finding]:
    try:
        rules = load_enrichment(outside.settings.rules_dir)
    except RulesError as error:
        yield Finding("enrichment", False, str(error).replace("\n", "; "), "Correct the lines named.")
        return
    lacking = []
    for provider in rules.enabled_providers.values():
        try:
            secret(provider.secret) if provider.secret else None
        except SettingsError as error:
            lacking.append(str(error))
    asked = f"asks {', '.join(rules.enabled_providers) or 'nobody'}"
    yield Finding("enrichment", not lacking, "; ".join([asked, *lacking]), "Set the variables named.")


def _disk(outside: Outside) -> Iterator[Finding]:
    home = outside.settings.home
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    detail = f"{free / (1 << 30):.1f} GiB free under {home}"
    yield Finding("disk", free > LOW_DISK_BYTES, detail, "Free disk space: below 2 GiB large batches may fail.")


def _bucket(outside: Outside) -> Iterator[Finding]:
    url = outside.settings.bucket_url
    yield from _reachable("bucket", url, "AIQLEADS_BUCKET_URL", outside.bucket.list_objects)


def _lake(outside: Outside) -> Iterator[Finding]:
    url = outside.settings.lake_url
    yield from _reachable("lake", url, "AIQLEADS_LAKE_URL", lambda: outside.lake.exists("raw_leads", "none"))


def _reachable(check: str, url: str, variable: str, look: Callable[[], object]) -> Iterator[Finding]:
    try:
        look()
        is_writable = "://" in url or not Path(url).exists() or os.access(url, os.W_OK)
        yield Finding(check, is_writable, url, f"Let this user write there, or set {variable}.")
    except Exception as error:
        yield Finding(check, False, f"{url}: {type(error).__name__}", f"Check {variable} and who may read it.")


def _database(outside: Outside) -> Iterator[Finding]:
    try:
        store = outside.store
        with store.read() as con:
            row = con.execute(text("SELECT now() AS now, version() AS version")).one()
    except StoreError as error:
        yield Finding("database", False, str(error), "Check AIQLEADS_DATABASE_URL, or the log under <home>/pg.")
        return
    yield Finding("database", True, str(row.version).split(" on ")[0])
    skew = abs((row.now - datetime.now(UTC)).total_seconds())
    used, most = store.connections()
    advice = "Run fewer workers of the API, or raise the database's max_connections."
    yield Finding("connections", used < most * BUSY_SHARE, f"{used} of {most} in use", advice)
    yield Finding("clocks", skew < CLOCK_SKEW_SECONDS, f"database {skew:.1f} s apart", "Run a time service on both.")
    yield from _queues(outside, store)


def _queues(outside: Outside, store: Store) -> Iterator[Finding]:
    waiting = drops.open_batches(store)
    stuck = [b for b in waiting if b.state == "failed"]
    yield Finding(
        "batches",
        not stuck,
        f"{len(waiting) - len(stuck)} open, {len(stuck)} failed"
        + "".join(f"; {b.batch_id}: {b.detail}" for b in stuck[:3]),
        "Open the run in the Dagster UI, mend the cause, and run the partition again.",
    )
    seen = alerts.open_alerts(store)
    yield Finding(
        "alerts",
        not [a for a in seen if a["severity"] == "error"],
        f"{len(seen)} open" + "".join(f"; {a['code']} {a['subject']}: {a['detail']}" for a in seen[:3]),
        "Each names its batch: `aiqleads table rejected_leads --batch ID`, or drop the mended file again.",
    )
