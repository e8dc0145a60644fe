"""What routing reads from the store and leaves there: counters, accounts, the review queue, intents of delivery.

Belongs here: one transaction from snapshot to commit. Does not belong here: any decision (``stages.route``).

All functions work inside one ``Store.transaction(name, lease)``, in this order: ``load_snapshot`` (which takes the
lock ``routing``), ``find_accounts``, then the stage, then ``commit_routing``. So no two batches assign from the same
counters, and the snapshot is pinned exactly if what was decided from it is committed: a run that is killed before
takes a new one, a run that is killed after decides the same again. The number of statements does not grow with leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection

from resources.store.bulk import copy_rows
from resources.store.database import statement
from resources.store.fetch import fetch_table
from resources.store.pins import pin

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

PIN = "routing"
_REVIEW_COLUMNS = ("lead_id", "reason_code", "suggestion", "opened_at")
_DELIVERY_COLUMNS = (
    "delivery_id", "lead_id", "batch_id", "destination", "priority", "state", "next_attempt_at", "created_at",
)  # fmt: skip
_FILE_DELIVERY_COLUMNS = (
    "batch_id", "destination", "priority", "first_lead_id", "last_lead_id", "lead_ids", "created_at",
)  # fmt: skip


class Load(Protocol):
    """What a batch adds to the counts: turns of a pool (under the owner ''), or leads given (pool '': not in turns)."""

    @property
    def owner(self) -> str: ...
    @property
    def pool(self) -> str: ...
    @property
    def turns_count(self) -> int: ...
    @property
    def given_count(self) -> int: ...


def routing_lock(con: Connection) -> None:
    """Wait until no other batch is between its snapshot and its commit; held to the end of the transaction."""
    con.execute(statement("routing/lock"))


def load_snapshot(con: Connection, batch_id: str) -> dict[str, Any]:
    """What was given when this batch was routed first, without what the batch gave itself; pinned with the commit.

    Returns:
        JSON: ``seq`` (number of this routing), ``turns`` (by pool), ``given`` and ``closed`` (leads by owner).
    """
    routing_lock(con)
    return pin(con, batch_id, PIN, lambda: _read_snapshot(con, batch_id))


def find_accounts(con: Connection, domains: DuckDBPyRelation | pa.Table, seq: int) -> pa.Table:
    """Whose accounts some companies are, as it was before the routing ``seq`` of the snapshot.

    Args:
        domains: one column ``company_domain``, without nulls; tens to hundreds of thousands are fine.

    Returns:
        ``company_domain, owner, team`` (text), for those companies that are an account.
    """
    import pyarrow as pa

    con.execute(statement("routing/stage_domains"))
    copy_rows(con, "routing_domains", domains, ["company_domain"])
    types = dict.fromkeys(("company_domain", "owner", "team"), pa.string())
    return fetch_table(con, "routing/find_accounts", {"seq": seq}, types)


def commit_routing(
    con: Connection,
    batch_id: str,
    seq: int,
    loads: Sequence[Load],
    accounts: DuckDBPyRelation | pa.Table,
    reviews: DuckDBPyRelation | pa.Table,
    deliveries: DuckDBPyRelation | pa.Table,
    file_deliveries: DuckDBPyRelation | pa.Table,
) -> None:
    """Make the store say what this routing decided, whatever an earlier run of the batch said.

    Counters move by the difference; of the review queue what a person decided stays; of the deliveries what was begun
    stays, and what is no more meant is cancelled.

    Args:
        seq: of the snapshot.
        loads: what the batch gives.
        accounts: ``company_domain, owner, team`` of companies that get an owner; fastest by ascending company.
        reviews: ``lead_id, reason_code, suggestion, opened_at`` of leads that wait (and any other column).
        deliveries: the intents that are due on their own, as ``stages.deliver.part_intents`` parts them.
        file_deliveries: those that go out with the batch's file, as ``stages.deliver.part_intents`` parts them.
    """
    _replace_loads(con, batch_id, loads)
    con.execute(statement("routing/clear_accounts"), {"seq": seq})
    copy_rows(con, "aiqleads.accounts", accounts, ["company_domain", "owner", "team"], {"seq": seq})
    con.execute(statement("routing/stage_reviews"))
    copy_rows(con, "routing_reviews", reviews, _REVIEW_COLUMNS)
    con.execute(statement("routing/remove_reviews"), {"batch_id": batch_id})
    con.execute(statement("routing/upsert_reviews"), {"batch_id": batch_id})
    _write_deliveries(con, batch_id, deliveries, file_deliveries)


def _read_snapshot(con: Connection, batch_id: str) -> dict[str, Any]:
    turns: dict[str, int] = {}
    given: dict[str, int] = {}
    closed: dict[str, int] = {}
    for row in con.execute(statement("routing/read_totals"), {"batch_id": batch_id}):
        if row.owner == "":
            turns[row.pool] = row.turns_count
        else:
            given[row.owner] = given.get(row.owner, 0) + row.given_count
            closed[row.owner] = closed.get(row.owner, 0) + row.closed_count
    seq = con.execute(statement("routing/next_seq"), {"batch_id": batch_id}).scalar_one()
    return {"seq": seq, "turns": turns, "given": given, "closed": closed}


def _replace_loads(con: Connection, batch_id: str, loads: Sequence[Load]) -> None:
    values = {
        "batch_id": batch_id,
        "owners": [load.owner for load in loads],
        "pools": [load.pool for load in loads],
        "turns": [load.turns_count for load in loads],
        "given": [load.given_count for load in loads],
    }
    con.execute(statement("routing/add_to_totals"), values)
    con.execute(statement("routing/clear_loads"), {"batch_id": batch_id})
    con.execute(statement("routing/insert_loads"), values)


def _write_deliveries(
    con: Connection,
    batch_id: str,
    deliveries: DuckDBPyRelation | pa.Table,
    file_deliveries: DuckDBPyRelation | pa.Table,
) -> None:
    """A first run's intents are all new; from the second run on each has a row of its own, to be compared."""
    batch = {"batch_id": batch_id}
    is_first = not con.execute(statement("routing/has_deliveries"), batch).scalar_one()
    if is_first:
        copy_rows(con, "aiqleads.outbox", deliveries, _DELIVERY_COLUMNS)
        copy_rows(con, "aiqleads.batch_deliveries", file_deliveries, _FILE_DELIVERY_COLUMNS)
        return
    con.execute(statement("routing/unfold_deliveries"), batch)
    con.execute(statement("routing/clear_file_deliveries"), batch)
    con.execute(statement("routing/settle_files"), batch)
    con.execute(statement("routing/stage_deliveries"))
    copy_rows(con, "routing_deliveries", deliveries, _DELIVERY_COLUMNS)
    copy_rows(con, "aiqleads.batch_deliveries", file_deliveries, _FILE_DELIVERY_COLUMNS)
    con.execute(statement("routing/stage_file_deliveries"), batch)
    con.execute(statement("routing/clear_file_deliveries"), batch)
    con.execute(statement("routing/cancel_deliveries"), batch)
    con.execute(statement("routing/insert_deliveries"))
