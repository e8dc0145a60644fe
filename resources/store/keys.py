"""API keys: made, found, rotated, revoked; and failed log-ins, which slow whoever guesses.

Belongs here: what is kept of a key. Does not belong here: what a role may do (``doors.permissions``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import Connection, Row

from resources.store.database import Store, statement
from resources.store.errors import StoreError

ROLES = ("admin", "ops", "client", "viewer")
PREFIX = "aiq_"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# Brute force: after this many failures each further one doubles the wait; forgotten after the time without one.
FREE_FAILURES_COUNT, MAX_BLOCK_SECONDS, FORGET_SECONDS = 5, 300, 900


class UnknownKey(StoreError):
    """There is no key of this id."""


class KeyNotUsable(StoreError):
    """The key is revoked or over: it can't be rotated, a new one can be made."""


class BadKeyRequest(StoreError):
    """What was asked for can't be a key: a role or a network that does not exist, an empty client."""


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown, once."""

    key_id: str
    api_key: str


@dataclass(frozen=True)
class Key:
    """A key as it is kept."""

    key_id: str
    client: str
    role: str
    scopes: tuple[str, ...]  # empty: all that the role may
    networks: tuple[str, ...]  # empty: from anywhere
    secret_sha256: bytes
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    rotated_to: str | None

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def allows_address(self, address: str) -> bool:
        """Whether it may be used from this address."""
        if not self.networks:
            return True
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in ip_network(network) for network in self.networks)


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. It has 256 random bits, so that nobody can try them: a slow hash, which protects words
    that people choose, would only make every request slower."""
    return hashlib.sha256(secret.encode()).digest()


def hash_matches(secret: str, secret_sha256: bytes) -> bool:
    """Whether this is the secret of the hash, in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_sha256)


def split_key(api_key: str) -> tuple[str, str] | None:
    """``(key_id, secret)`` of a key as it is sent, or None if it has not the form of one."""
    key_id, dot, secret = api_key.partition(".")
    is_one = key_id.startswith(PREFIX) and dot and 20 <= len(secret) <= 128 and len(key_id) <= 32
    return (key_id, secret) if is_one and "." not in secret else None


def create_key(
    store: Store,
    client: str,
    role: str,
    now: datetime,
    scopes: Sequence[str] = (),
    networks: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> NewKey:
    """A new key. ``networks`` are CIDR ranges it may be used from.

    Raises:
        BadKeyRequest: no such role, no network, no name.
    """
    with store.transaction("store:create_key") as con:
        return _insert(con, client, role, now, _checked(client, role, scopes, networks), expires_at)


def rotate_key(store: Store, key_id: str, now: datetime, overlap: timedelta) -> NewKey:
    """A new key with the rights of another, which goes on for ``overlap``.

    Raises:
        UnknownKey, KeyNotUsable
    """
    with store.transaction("store:rotate_key") as con:
        row = con.execute(statement("keys/lock"), {"key_id": key_id}).first()
        if row is None:
            raise UnknownKey(f"there is no key {key_id}: see `aiqleads keys list`")
        old = _key(row)
        if not old.is_good(now) or old.rotated_to is not None:
            raise KeyNotUsable(f"the key {key_id} is over or rotated already: make one with `aiqleads keys create`")
        rights = {"scopes": json.dumps(old.scopes), "networks": json.dumps(old.networks)}
        new = _insert(con, old.client, old.role, now, rights, None)
        con.execute(
            statement("keys/mark_rotated"), {"key_id": key_id, "rotated_to": new.key_id, "expires_at": now + overlap}
        )
        return new


def revoke_key(store: Store, key_id: str, now: datetime) -> None:
    """End a key for good.

    Raises:
        UnknownKey
    """
    with store.transaction("store:revoke_key") as con:
        if con.execute(statement("keys/revoke"), {"key_id": key_id, "now": now}).first() is None:
            raise UnknownKey(f"there is no key {key_id}: see `aiqleads keys list`")


def find_key(store: Store, key_id: str) -> Key | None:
    """The key of this id, good or not."""
    with store.connect() as con:
        row = con.execute(statement("keys/find"), {"key_id": key_id}).first()
    return None if row is None else _key(row)


def list_keys(store: Store, client: str | None = None) -> list[Key]:
    """All keys, or those of one client, the newest last."""
    with store.connect() as con:
        return [_key(row) for row in con.execute(statement("keys/list"), {"client": client})]


def mark_used(store: Store, key_ids: Sequence[str], now: datetime) -> None:
    """Note the last use of keys: called once a minute or so, never per request."""
    with store.transaction("store:mark_keys_used") as con:
        con.execute(statement("keys/mark_used"), {"key_ids": sorted(key_ids), "now": now})


def blocked_seconds(store: Store, subjects: Sequence[str]) -> float | None:
    """For how long log-ins of any of these subjects are refused; None if they are not."""
    with store.connect() as con:
        found = con.execute(statement("keys/find_blocked"), {"subjects": list(subjects)}).scalar()
    return None if found is None else float(found)


def note_failure(store: Store, subjects: Sequence[str]) -> None:
    """Count a failed log-in against each of these subjects."""
    limits = {
        "free_count": FREE_FAILURES_COUNT,
        "max_seconds": MAX_BLOCK_SECONDS,
        "forget_seconds": FORGET_SECONDS,
    }
    with store.transaction("store:note_login_failure") as con:
        con.execute(statement("keys/note_failure"), {"subjects": sorted(subjects), **limits})


def forget_failures(store: Store) -> None:
    """Remove failures that are no longer held against anybody."""
    with store.transaction("store:forget_login_failures") as con:
        con.execute(statement("keys/forget_failures"), {"forget_seconds": FORGET_SECONDS})


def _checked(client: str, role: str, scopes: Sequence[str], networks: Sequence[str]) -> dict[str, str]:
    if not client.strip() or len(client) > 200 or not client.isprintable():
        raise BadKeyRequest("the client needs a name of 1 to 200 printable characters")
    if role not in ROLES:
        raise BadKeyRequest(f"the role is one of {', '.join(ROLES)}")
    try:
        ranges = [str(ip_network(network)) for network in networks]
    except ValueError:
        raise BadKeyRequest("a network is written as 203.0.113.0/24 or 2001:db8::/32, with no host bits set") from None
    return {"scopes": json.dumps(sorted(set(scopes))), "networks": json.dumps(ranges)}


def _insert(
    con: Connection, client: str, role: str, now: datetime, rights: dict[str, str], expires_at: datetime | None
) -> NewKey:
    key_id = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    row = {"key_id": key_id, "client": client, "role": role, "secret_sha256": hash_secret(secret), "now": now}
    con.execute(statement("keys/insert"), {**row, **rights, "expires_at": expires_at})
    return NewKey(key_id, f"{key_id}.{secret}")


def _key(row: Row[Any]) -> Key:
    fields = row._asdict()
    lists = {name: tuple(fields[name]) for name in ("scopes", "networks")}
    return Key(**{**fields, **lists, "secret_sha256": bytes(fields["secret_sha256"])})
