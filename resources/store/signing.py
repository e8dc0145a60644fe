"""The keys that sign access tokens: made when needed, shared by all workers, forgotten when their tokens are over.

Belongs here: keeping them. Does not belong here: what is signed (``doors.tokens``). They are secrets of the database:
who can read it could as well write himself an API key.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from resources.store.database import Store, statement

KID_PREFIX = "aiq-"


@dataclass(frozen=True)
class SigningKey:
    """One key pair, as a private JWK."""

    kid: str
    private_jwk: dict[str, Any] = field(repr=False)
    created_at: datetime
    signs_until: datetime
    verifies_until: datetime


def verifying_keys(store: Store, now: datetime) -> list[SigningKey]:
    """The keys whose tokens may still be good, the newest first."""
    with store.connect() as con:
        return [SigningKey(*row) for row in con.execute(statement("signing/list_verifying"), {"now": now})]


def signing_key(
    store: Store,
    now: datetime,
    signs_for: timedelta,
    tokens_live_for: timedelta,
    make: Callable[[str], dict[str, Any]],
) -> SigningKey:
    """The key that signs now; ``make(kid)`` gives a new private JWK where the last one's time is over."""
    found = next((key for key in verifying_keys(store, now) if now < key.signs_until), None)
    if found is not None:
        return found
    with store.transaction("store:make_signing_key") as con:
        con.execute(statement("signing/lock"))
        rows = con.execute(statement("signing/list_verifying"), {"now": now})
        for key in (SigningKey(*row) for row in rows):
            if now < key.signs_until:  # another process was faster
                return key
        con.execute(statement("signing/forget"), {"now": now})
        kid = KID_PREFIX + secrets.token_hex(8)
        # A day more than the tokens live: the longest that clocks and settings of hosts may differ.
        verifies_until = now + signs_for + tokens_live_for + timedelta(days=1)
        new = SigningKey(kid, make(kid), now, now + signs_for, verifies_until)
        con.execute(
            statement("signing/insert"),
            {
                "kid": kid,
                "private_jwk": json.dumps(new.private_jwk),
                "now": now,
                "signs_until": new.signs_until,
                "verifies_until": new.verifies_until,
            },
        )
        return new
