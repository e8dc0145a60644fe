"""`aiqleads keys`: API keys made, listed, rotated, revoked, and clients' limits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiqleads_pipeline.outside import Outside
from resources.store import keys
from resources.store.keys import Key


def describe_keys(outside: Outside, client: str | None = None) -> list[dict[str, Any]]:
    """All keys as facts; of the secret there is nothing to show."""
    now = outside.settings.now()
    return [_facts(key, now) for key in keys.list_keys(outside.store, client)]


def expiry(outside: Outside, days: float | None) -> datetime | None:
    """When a key that lives for so many days ends."""
    return None if days is None else outside.settings.now() + timedelta(days=days)


def _facts(key: Key, now: datetime) -> dict[str, Any]:
    def said(time: datetime | None) -> str | None:
        return None if time is None else time.isoformat(timespec="seconds")

    state = "revoked" if key.revoked_at else "expired" if not key.is_good(now) else "good"
    return {
        "key_id": key.key_id,
        "client": key.client,
        "role": key.role,
        "state": "rotated" if state == "good" and key.rotated_to else state,
        "scopes": list(key.scopes),
        "networks": list(key.networks),
        "created_at": said(key.created_at),
        "expires_at": said(key.expires_at),
        "last_used_at": said(key.last_used_at),
        "rotated_to": key.rotated_to,
    }
