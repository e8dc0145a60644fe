"""What providers answered, shared by all workers, and who asks for which key just now (single flight).

Belongs here: keeping, finding, claiming, erasing. Keys are kept as SHA-256 of their kind and text. Does not belong
here: how long an answer counts (the rules say so, the caller hands in times) and asking
(``aiqleads_pipeline.enriching``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from resources.store.database import statement
from resources.store.leases import holder_is_dead

if TYPE_CHECKING:
    from resources.store.database import Store


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said about a key. ``unknown``: it doesn't know it; ``withheld``: it must not be used."""

    state: Literal["found", "unknown", "withheld"]
    facts: Mapping[str, Any]
    confidence_share: float
    cost_usd: float
    answered_at: datetime


def key_sha256(key_kind: str, key: str) -> bytes:
    """How a key is kept. Text is compared as its caller normalised it (addresses and domains in lower case)."""
    return hashlib.sha256(f"{key_kind}\n{key}".encode()).digest()


def read_answers(
    store: Store, provider: str, keys: Sequence[bytes], known_since: datetime, unknown_since: datetime
) -> dict[bytes, Answer]:
    """Answers that still count: not older than the times given for known (and withheld) and for unknown keys."""
    asked = {"provider": provider, "keys": list(keys), "known_since": known_since, "unknown_since": unknown_since}
    with store.read() as con:
        rows = con.execute(statement("enrichment/read_answers"), asked)
        return {
            bytes(row.key_sha256): Answer(
                row.state, row.facts, row.confidence_share, row.cost_usd, row.answered_at
            )
            for row in rows
        }  # fmt: skip


def save_answers(store: Store, provider: str, answers: Mapping[bytes, Answer], holder: str, now: datetime) -> None:
    """Keep answers and give their claims back, in one transaction: who waits for a claim finds the answer."""
    keys = sorted(answers)
    rows = [answers[key] for key in keys]
    with store.transaction("store:provider_answers") as con:
        if keys:
            con.execute(
                statement("enrichment/save_answers"),
                {
                    "provider": provider,
                    "answered_at": now,
                    "keys": keys,
                    "states": [row.state for row in rows],
                    "facts": [json.dumps(dict(row.facts), allow_nan=False) for row in rows],
                    "confidences": [row.confidence_share for row in rows],
                    "costs": [row.cost_usd for row in rows],
                },
            )
            con.execute(statement("enrichment/release_claims"), {"provider": provider, "keys": keys, "holder": holder})


def claim_keys(store: Store, provider: str, keys: Collection[bytes], holder: str, seconds: float) -> set[bytes]:
    """Claim keys before asking for them; returns those that nobody else asks for just now.

    A claim ends when it is given back, after its seconds, or with its process (of this host).
    """
    if not keys:
        return set()
    asked: dict[str, Any] = {"provider": provider, "keys": sorted(keys), "holder": holder, "seconds": seconds}
    with store.transaction("store:claim_keys") as con:
        taken = {bytes(row.key_sha256) for row in con.execute(statement("enrichment/claim_keys"), asked)}
        left = sorted(set(keys) - taken)
        if left:
            held = con.execute(statement("enrichment/read_claims"), {"provider": provider, "keys": left}).all()
            dead = {row.holder for row in held if row.holder != holder and holder_is_dead(row.holder)}
            for each in sorted(dead):
                gone = [bytes(row.key_sha256) for row in held if row.holder == each]
                con.execute(
                    statement("enrichment/release_claims"), {"provider": provider, "keys": gone, "holder": each}
                )
                again = con.execute(statement("enrichment/claim_keys"), {**asked, "keys": sorted(gone)})
                taken |= {bytes(row.key_sha256) for row in again}
    return taken


def release_claims(store: Store, provider: str, keys: Collection[bytes], holder: str) -> None:
    """Give claims back without an answer."""
    if keys:
        with store.transaction("store:release_claims") as con:
            given = {"provider": provider, "keys": sorted(keys), "holder": holder}
            con.execute(statement("enrichment/release_claims"), given)


def erase(store: Store, keys: Collection[tuple[str, str]], lead_ids: Collection[UUID] = ()) -> int:
    """Erase what is kept about a person: by its keys (kind, text) at every provider, and by its leads what came later.

    Returns how many rows are gone.
    """
    hashes = sorted({key_sha256(kind, key) for kind, key in keys})
    with store.transaction("store:erase_enrichment") as con:
        answers = con.execute(statement("enrichment/erase_answers"), {"keys": hashes}).all()
        additions = con.execute(statement("enrichment/erase_additions"), {"lead_ids": sorted(lead_ids)}).all()
    return len(answers) + len(additions)


def expire_answers(store: Store, provider: str, answered_before: datetime) -> int:
    """Remove answers of a provider that are too old to count; returns how many."""
    with store.transaction("store:expire_answers") as con:
        asked = {"provider": provider, "answered_before": answered_before}
        return len(con.execute(statement("enrichment/expire_answers"), asked).all())
