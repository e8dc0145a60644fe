"""One function of identity for all doors: the keys of a lead, who repeats whom in a batch, what the batch claims.

Belongs here: keys and groups. Does not belong here: who holds a key already, which only the store knows
(``resources.store.identities``).
"""

from __future__ import annotations

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.stages.engine import run_sql

EXTERNAL_ID, EMAIL, PHONE, NAME_COMPANY = 1, 2, 3, 4
# Of each kind of key, the name in `matched_on` and how sure a match by it is.
MATCH_RULES = {
    EXTERNAL_ID: ("external_id", 1.0),
    EMAIL: ("email", 1.0),
    PHONE: ("phone", 0.95),
    NAME_COMPANY: ("name_company", 0.85),
}
MOST_ROUNDS = 100  # each round halves the longest chain: 100 rounds are more than any file can need


def identity_keys(con: DuckDBPyConnection, leads: DuckDBPyRelation) -> DuckDBPyRelation:
    """The keys of accepted leads: ``lead_id, row_number, kind SMALLINT, key BIGINT, tag INTEGER``.

    ``leads`` has the VALIDATED_LEADS columns; rows whose ``violations`` are not empty must not be in it. Two leads are
    one if they share a key; for telephone numbers also the tag, unless one of the two tags is 0 (nameless).
    Lazy, and dear to compute: write it before the functions below read it, which they do several times.
    """
    return run_sql(con, "stages/identify/identity_keys", leads=leads)


def group_repeats(con: DuckDBPyConnection, keys: DuckDBPyRelation) -> DuckDBPyRelation:
    """The leads that repeat an earlier one of the batch: ``lead_id, survivor_lead_id, kind, row_number``.

    Whoever is linked by a chain of shared keys is one lead; the row with the lowest number is left.
    """
    _keep(con, run_sql(con, "stages/identify/repeated_keys", identity_keys=keys), "repeated_keys")
    _keep(con, run_sql(con, "stages/identify/links"), "links")
    _keep(con, run_sql(con, "stages/identify/first_labels"), "labels")
    for _ in range(MOST_ROUNDS):
        if not run_sql(con, "stages/identify/open_links").fetchall()[0][0]:
            break
        _keep(con, run_sql(con, "stages/identify/next_labels"), "next_labels")
        con.execute("CREATE OR REPLACE TEMP TABLE labels AS FROM next_labels")
    _keep(con, run_sql(con, "stages/identify/repeats"), "repeats")
    return con.table("repeats")


def claims(con: DuckDBPyConnection, keys: DuckDBPyRelation, groups: DuckDBPyRelation) -> DuckDBPyRelation:
    """What the batch claims: ``lead_id, key, tag, kind``, one row per key and tag, for the lead that is left.

    In the order of ``lead_id, key, tag``; lazy. Call ``group_repeats`` with the same ``keys`` before.
    """
    return run_sql(con, "stages/identify/claims", identity_keys=keys, groups=groups)


def list_duplicates(
    con: DuckDBPyConnection, checked: DuckDBPyRelation, groups: DuckDBPyRelation, held: DuckDBPyRelation
) -> DuckDBPyRelation:
    """DUPLICATE_LEADS: repeats within the batch and leads that the store knows already.

    ``held``: ``lead_id, existing_lead_id, kind`` of claimed leads whose keys another lead holds. A repeat of such a
    lead is a repeat of the existing one.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE match_rules (kind SMALLINT, name VARCHAR, score DOUBLE)")
    con.executemany("INSERT INTO match_rules VALUES (?, ?, ?)", [(k, *rule) for k, rule in MATCH_RULES.items()])
    return run_sql(con, "stages/identify/duplicates", checked=checked, groups=groups, held=held)


def _keep(con: DuckDBPyConnection, relation: DuckDBPyRelation, table: str) -> None:
    """Materialise a relation as a temp table."""
    relation.query("_", f'CREATE OR REPLACE TEMP TABLE "{table}" AS FROM _')
