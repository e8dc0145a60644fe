"""Sets of rules that were used, previews of drafts, and publications.

Belongs here: keeping them. Does not belong here: what is in a set, and who may publish it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from resources.store.database import statement

if TYPE_CHECKING:
    from resources.store.database import Store


@dataclass(frozen=True)
class Publication:
    """One set of rules coming into force."""

    seq: int
    sha256: str
    previous_sha256: str
    kind: str
    published_at: datetime
    published_by: str
    note: str


def keep_set(store: Store, sha256: str, files: Mapping[str, str], now: datetime) -> None:
    """Keep a set of rules whole; once is enough."""
    with store.transaction("store:keep_rule_set") as con:
        con.execute(statement("rule_sets/keep"), {"sha256": sha256, "files": json.dumps(dict(files)), "now": now})


def find_set(store: Store, sha256: str) -> dict[str, str] | None:
    """The files of a set, or of the only one whose hash begins so; None if there is none, or more than one."""
    with store.read() as con:
        rows = con.execute(statement("rule_sets/find"), {"prefix": sha256}).all()
    return dict(rows[0].files) if len(rows) == 1 else None


def keep_preview(
    store: Store, sha256: str, base_sha256: str, by: str, report: Mapping[str, Any], now: datetime
) -> None:
    """Note that a draft was previewed against the rules that are in force."""
    values = {"sha256": sha256, "base_sha256": base_sha256, "by": by, "report": json.dumps(dict(report)), "now": now}
    with store.transaction("store:keep_rule_preview") as con:
        con.execute(statement("rule_sets/keep_preview"), values)


def has_preview(store: Store, sha256: str, base_sha256: str) -> bool:
    """Whether this very draft was previewed against these very rules."""
    with store.read() as con:
        asked = {"sha256": sha256, "base_sha256": base_sha256}
        return con.execute(statement("rule_sets/find_preview"), asked).first() is not None


def publish(
    store: Store,
    sha256: str,
    previous_sha256: str,
    kind: Literal["publish", "rollback"],
    by: str,
    note: str,
    now: datetime,
    put_in_force: Callable[[], None],
) -> int:
    """Note a publication and put the set in force, one publisher at a time; returns its number.

    ``put_in_force`` is called last before the commit: if it raises, nothing was published.
    """
    values = {
        "sha256": sha256, "previous_sha256": previous_sha256, "kind": kind, "by": by, "note": note, "now": now,
    }  # fmt: skip
    with store.transaction("store:publish_rules") as con:
        con.execute(statement("rule_sets/lock"))
        seq = int(con.execute(statement("rule_sets/publish"), values).scalar_one())
        put_in_force()
        return seq


def publications(store: Store, limit: int = 50) -> list[Publication]:
    """The last publications, the youngest first."""
    with store.read() as con:
        rows = con.execute(statement("rule_sets/list_publications"), {"row_limit": limit})
        return [Publication(**row) for row in rows.mappings()]


def uses(store: Store) -> dict[str, int]:
    """How many batches each set of rules scored."""
    with store.read() as con:
        return {row.sha256: row.batches_count for row in con.execute(statement("rule_sets/count_uses"))}
