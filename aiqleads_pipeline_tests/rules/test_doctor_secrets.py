"""Which secrets the rules name, and which of them lack: what is switched off needs none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiqleads_pipeline.commands.doctor_secrets import lacking_secrets, webhooks_not_set_up
from aiqleads_pipeline.rules.book import load_rule_book
from aiqleads_pipeline.rules.destinations import WebhookDestination
from aiqleads_pipeline.rules.secret_names import secrets_named_in
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.settings import PROJECT_DIR

DESTINATIONS = """destinations:
  - {name: crm_file, kind: file}
  - {name: told, kind: webhook, url: "https://example.com/h", secret: [OLD, NEW]}
  - {name: resting, kind: slack, secret: RESTING, enabled: false}
  - {name: crm, kind: hubspot, mapping: hubspot.yaml}
"""
SOURCES = """sources:
  unused: {webhook: {scheme: hubspot, secret: NOWHERE}}
  open: {webhook: {scheme: none}}
  rotating: {webhook: {scheme: github, secret: [GONE, HERE]}}
  half: {webhook: {scheme: meta, secret: HERE, verify_token: {secret: TOKEN}}}
  garbled: {webhook: {scheme: standard, secret: GARBLED}}
"""


@pytest.fixture
def rules_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules that name secrets; of them HERE is set, and GARBLED to something that is no key."""
    for path in (PROJECT_DIR / "data" / "rules").rglob("*.yaml"):
        target = tmp_path / path.relative_to(PROJECT_DIR / "data" / "rules")
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text())
    (tmp_path / "destinations.yaml").write_text(DESTINATIONS)
    (tmp_path / "sources.yaml").write_text(SOURCES)
    (tmp_path / "alerts.yaml").write_text("dead_man: {ping_url_secret: ping}\n")
    monkeypatch.setenv("AIQLEADS_SECRET__HERE", "here")
    monkeypatch.setenv("AIQLEADS_SECRET__GARBLED", "whsec_not base 64")
    return tmp_path


def test_what_is_switched_on_and_lacks_a_secret_is_named(rules_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = load_rule_book(rules_dir)
    tail = "not set, or not of the form that it needs"
    assert lacking_secrets(rules, rules_dir) == [
        f"destination told: AIQLEADS_SECRET__NEW, AIQLEADS_SECRET__OLD {tail}",
        f"destination crm: AIQLEADS_SECRET__HUBSPOT_ACCESS_TOKEN {tail}",
        f"dead_man of alerts.yaml: AIQLEADS_SECRET__PING {tail}",
        f"webhook of source half: AIQLEADS_SECRET__TOKEN {tail}",
        f"webhook of source garbled: AIQLEADS_SECRET__GARBLED {tail}",
    ]
    assert webhooks_not_set_up(rules) == ["unused"]
    for name in ("NEW", "OLD", "HUBSPOT_ACCESS_TOKEN", "PING", "TOKEN"):
        monkeypatch.setenv(f"AIQLEADS_SECRET__{name}", "set")
    monkeypatch.setenv("AIQLEADS_SECRET__GARBLED", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz")
    assert lacking_secrets(rules, rules_dir) == []


def test_the_rules_as_delivered_lack_nothing() -> None:
    shipped = PROJECT_DIR / "data" / "rules"
    rules = load_rule_book(shipped)
    assert lacking_secrets(rules, shipped) == []
    assert webhooks_not_set_up(rules) == ["website", "hubspot", "meta", "google_ads"]


def test_names_are_found_wherever_a_rule_holds_them() -> None:
    webhook = WebhookRules(scheme="meta", secret=("A", "B"), verify_token={"secret": "C"})  # type: ignore[arg-type]
    assert list(secrets_named_in(webhook)) == ["A", "B", "C"]
    hook = WebhookDestination(name="x", kind="webhook", url="https://example.com/x", secret=("D",))
    assert list(secrets_named_in(hook)) == ["D"]
