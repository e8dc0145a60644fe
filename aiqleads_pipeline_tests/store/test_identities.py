"""The identity index: whoever claims first is the lead, all doors agree, and claiming again says the same."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Mapping
from uuid import UUID

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy import Connection, text

from resources.store import identities
from resources.store.bulk import copy_fixed
from resources.store.database import Store
from resources.store.errors import LeaseLost
from resources.store.identities import EMAIL, EXTERNAL_ID, NAME_COMPANY, PHONE, claim_identities, find_leads
from resources.store.leases import Lease, release_lease, take_lease
from resources.store.matching import Values, further_key

Claim = tuple[int, int, int, int]  # lead, key, tag, kind
NAMELESS, SMITH, JONES, DOE = 0, 11, -12, 13
MAIL, OTHER_MAIL, NUMBER, OTHER_NUMBER, FIRM = 100, 101, 200, 201, -300


def claims(*rows: Claim) -> pa.Table:
    leads, keys, tags, kinds = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "lead_id": pa.array([UUID(int=lead).bytes for lead in leads], pa.binary(16)).cast(pa.uuid()),
            "key": pa.array(keys, pa.int64()),
            "tag": pa.array(tags, pa.int32()),
            "kind": pa.array(kinds, pa.int16()),
        }
    )


def answers(table: pa.Table) -> list[tuple[int, int, int]]:
    assert table.schema.types == [pa.uuid(), pa.uuid(), pa.int16()]
    return [(row["lead_id"].int, row["existing_lead_id"].int, row["kind"]) for row in table.to_pylist()]


def claim(store: Store, *rows: Claim, lease: Lease | None = None) -> list[tuple[int, int, int]]:
    return answers(claim_identities(store, lease, claims(*rows)))


def index(store: Store) -> dict[tuple[int, int], int]:
    with store.read() as con:
        rows = con.execute(text("SELECT key, tag, lead_id FROM aiqleads.identity_keys"))
        return {(row.key, row.tag): row.lead_id.int for row in rows}


def lease_of(store: Store, name: str) -> Lease:
    lease = take_lease(store, name, f"elsewhere:1:1:{name}", 60)
    assert lease is not None
    return lease


def test_a_new_lead_takes_its_keys_and_a_repeat_is_told_whom_it_repeats_and_why(store: Store) -> None:
    assert claim(store, (1, MAIL, 0, EMAIL), (1, NUMBER, SMITH, PHONE)) == []
    assert claim(store, (2, MAIL, 0, EMAIL), (3, NUMBER, SMITH, PHONE)) == [(2, 1, EMAIL), (3, 1, PHONE)]
    assert index(store) == {(MAIL, 0): 1, (NUMBER, SMITH): 1}


def test_the_surest_rule_decides_and_the_rest_of_the_keys_go_to_the_survivor(store: Store) -> None:
    claim(store, (1, MAIL, 0, EMAIL), (2, NUMBER, SMITH, PHONE))
    both = [(3, NUMBER, SMITH, PHONE), (3, MAIL, 0, EMAIL), (3, FIRM, 0, NAME_COMPANY)]
    assert claim(store, *both) == [(3, 1, EMAIL)]
    assert claim(store, (4, FIRM, 0, NAME_COMPANY)) == [(4, 1, NAME_COMPANY)]


def test_equally_sure_matches_go_to_the_smallest_lead(store: Store) -> None:
    claim(store, (7, MAIL, 0, EMAIL), (5, OTHER_MAIL, 0, EMAIL))
    assert claim(store, (9, MAIL, 0, EMAIL), (9, OTHER_MAIL, 0, EMAIL)) == [(9, 5, EMAIL)]


@pytest.mark.parametrize(
    ("first", "second", "repeats"),
    [(SMITH, SMITH, True), (SMITH, JONES, False), (SMITH, NAMELESS, True), (NAMELESS, SMITH, True), (0, 0, True)],
)
def test_a_phone_is_one_person_if_the_names_agree_or_one_is_missing(
    store: Store, first: int, second: int, repeats: bool
) -> None:
    claim(store, (1, NUMBER, first, PHONE))
    assert claim(store, (2, NUMBER, second, PHONE)) == ([(2, 1, PHONE)] if repeats else [])


def test_several_names_share_a_phone_and_a_nameless_caller_is_the_first_of_them(store: Store) -> None:
    claim(store, (5, NUMBER, SMITH, PHONE))
    claim(store, (3, NUMBER, JONES, PHONE))
    assert claim(store, (6, NUMBER, JONES, PHONE), (7, NUMBER, NAMELESS, PHONE), (8, NUMBER, DOE, PHONE)) == [
        (6, 3, PHONE),
        (7, 5, PHONE),
    ]
    first, others = NUMBER, [int(further_key(np.array([NUMBER]), np.array([tag]))[0]) for tag in (JONES, DOE)]
    assert index(store) == {(first, SMITH): 5, (others[0], JONES): 3, (others[1], DOE): 8}


def test_leads_of_one_chunk_that_match_are_settled_the_smaller_first(store: Store) -> None:
    assert claim(
        store,
        (1, NUMBER, SMITH, PHONE),
        (2, NUMBER, NAMELESS, PHONE),
        (2, MAIL, 0, EMAIL),
        (3, MAIL, 0, EMAIL),
        (3, OTHER_NUMBER, NAMELESS, PHONE),
        (4, OTHER_NUMBER, DOE, PHONE),
        (5, NUMBER, JONES, PHONE),
        (6, NUMBER, JONES, PHONE),
    ) == [(2, 1, PHONE), (3, 1, EMAIL), (4, 1, PHONE), (6, 5, PHONE)]


def test_a_lead_that_claims_a_phone_with_and_without_a_name_claims_it_with(store: Store) -> None:
    claim(store, (1, NUMBER, SMITH, PHONE), (1, NUMBER, NAMELESS, PHONE))
    assert claim(store, (2, NUMBER, JONES, PHONE), (3, NUMBER, SMITH, PHONE)) == [(3, 1, PHONE)]


def test_claiming_again_says_the_same_whoever_claimed_in_between(store: Store) -> None:
    batch = [(4, NUMBER, NAMELESS, PHONE), (4, MAIL, 0, EMAIL), (5, FIRM, 0, NAME_COMPANY), (6, OTHER_MAIL, 0, EMAIL)]
    claim(store, (3, NUMBER, SMITH, PHONE), (2, FIRM, 0, NAME_COMPANY))
    first = claim(store, *batch, lease=lease_of(store, "batch:a"))
    assert first == [(4, 3, PHONE), (5, 2, NAME_COMPANY)]
    claim(store, (1, NUMBER, JONES, PHONE), (1, MAIL, 0, EMAIL))
    lease = lease_of_again(store, "batch:a")
    assert claim(store, *batch, lease=lease) == first
    assert claim(store, *batch[:2], lease=lease) == [(4, 3, EMAIL)]  # other claims: asked anew


def lease_of_again(store: Store, name: str) -> Lease:
    with store.transaction("store:expire") as con:
        con.execute(text("UPDATE aiqleads.leases SET expires_at = now()"))
    return lease_of(store, name)


def test_a_lead_that_was_accepted_stays_itself(store: Store) -> None:
    claim(store, (5, MAIL, 0, EMAIL))
    claim(store, (1, EXTERNAL_ID, 0, EXTERNAL_ID))
    assert claim(store, (5, MAIL, 0, EMAIL), (5, EXTERNAL_ID, 0, EXTERNAL_ID)) == []


def test_nothing_is_claimed_under_a_lost_lease(store: Store) -> None:
    lease = lease_of(store, "batch:a")
    release_lease(store, lease)
    with pytest.raises(LeaseLost):
        claim(store, (1, MAIL, 0, EMAIL), lease=lease)
    assert index(store) == {}


def test_chunks_are_whole_leads_and_an_error_keeps_those_before(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(lead, lead * 10 + kind, 0, kind) for lead in range(1, 8) for kind in (EXTERNAL_ID, EMAIL)]
    sizes: list[int] = []

    def fail_at_third(con: Connection, table: str, columns: Mapping[str, Values]) -> None:
        sizes.append(len(columns["key"]))
        if len(sizes) == 3:
            raise KeyError
        copy_fixed(con, table, columns)

    monkeypatch.setattr(identities, "copy_fixed", fail_at_third)
    with pytest.raises(KeyError):
        claim_identities(store, None, claims(*rows), chunk_leads=2)
    assert sizes == [4, 4, 4]
    assert set(index(store).values()) == {1, 2, 3, 4}


def test_a_relation_of_duckdb_is_read_whatever_its_uuids_and_must_be_in_order(store: Store) -> None:
    with duckdb.connect() as engine:
        engine.execute(
            "CREATE TABLE c AS FROM (VALUES (9, 2, 0, 2), (9, 1, 0, 1), (1, 2, 0, 2)) AS _(l, key, tag, kind)"
        )
        unordered = engine.sql("SELECT printf('%032x', l)::UUID AS lead_id, key, tag, kind FROM c")
        relation = unordered.order("lead_id, key, tag")
        assert answers(claim_identities(store, None, relation)) == [(9, 1, 2)]
        held = claim_identities(store, None, unordered.filter("lead_id::VARCHAR LIKE '%9'").order("key"))
        assert engine.from_arrow(held).fetchall() == [(UUID(int=9), UUID(int=1), 1)]
        with pytest.raises(ValueError, match="order of their leads"):
            claim_identities(store, None, unordered)


def test_no_claims_no_answers(store: Store) -> None:
    assert claim(store) == []


def test_leads_are_found_by_their_keys(store: Store) -> None:
    claim(store, (1, MAIL, 0, EMAIL), (2, NUMBER, SMITH, PHONE))
    claim(store, (3, NUMBER, JONES, PHONE))
    with store.read() as con:
        found = find_leads(con, pa.array([NUMBER, 999, MAIL, MAIL]))
        assert [(r["key"], r["lead_id"].int) for r in found.to_pylist()] == [(MAIL, 1), (NUMBER, 2)]
        assert find_leads(con, pa.array([], pa.int64())).num_rows == 0


# --- any batches, any order, several at once ------------------------------------------------------------------------


def people(random_: random.Random, batch: int, count: int) -> list[Claim]:
    """Leads that share few e-mails, phones and names, so that nearly everything collides."""
    rows: dict[tuple[int, int], Claim] = {}
    for number in range(count):
        lead = (random_.randrange(1000) << 64) + batch * 1000 + number
        for kind, values in ((EMAIL, 40), (PHONE, 15), (NAME_COMPANY, 60)):
            if random_.random() < 0.7:
                key = kind * 1000 + random_.randrange(values)
                tag = random_.choice([NAMELESS, SMITH, JONES]) if kind == PHONE else 0
                rows.setdefault((key, tag), (lead, key, tag, kind))
    return list(rows.values())


def matches(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] == other[0] and (one[1] == other[1] or 0 in (one[1], other[1]))


def original_keys(rows: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """The index by key as claimed: further names stand under mixed keys."""
    known = [kind * 1000 + value for kind in (EMAIL, PHONE, NAME_COMPANY) for value in range(60)]
    mixed = {int(further_key(np.array([key]), np.array([tag]))[0]): key for key in known for tag in (SMITH, JONES)}
    return {(mixed.get(key, key), tag): lead for (key, tag), lead in rows.items()}


def assert_consistent(store: Store, batches: Iterable[list[Claim]], repeats: Iterable[tuple[int, int, int]]) -> None:
    rows = original_keys(index(store))
    existing = {lead: other for lead, other, _ in repeats}
    everybody = {claim[0] for batch in batches for claim in batch}
    survivors = everybody - set(existing)
    keys = list(rows)
    assert not [(a, b) for i, a in enumerate(keys) for b in keys[i + 1 :] if matches(a, b)]
    assert set(rows.values()) <= survivors
    assert set(existing.values()) <= survivors
    for batch in batches:
        for lead, key, tag, _ in batch:  # every claim is settled: somebody stands for it, and that is no repeat
            assert any(matches((key, tag), row) for row in rows), (lead, key, tag)


@pytest.mark.parametrize("seed", range(12))
def test_whoever_claims_when_survivors_share_no_key_and_repeats_name_a_survivor(store: Store, seed: int) -> None:
    random_ = random.Random(seed)
    batches = [people(random_, number, random_.randint(1, 60)) for number in range(6)]
    found: list[tuple[int, int, int]] = []
    errors: list[BaseException] = []
    ready = threading.Barrier(3)

    def work(mine: list[list[Claim]], chunk_leads: int) -> None:
        try:
            ready.wait()
            for batch in mine:
                found.extend(answers(claim_identities(store, None, claims(*batch), chunk_leads)))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(batches[i::3], random_.randint(1, 30))) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_consistent(store, batches, found)


def test_of_many_who_claim_one_person_at_once_one_wins_and_the_others_name_it(store: Store) -> None:
    found: list[tuple[int, int, int]] = []
    ready = threading.Barrier(5)

    def work(lead: int) -> None:
        ready.wait()
        rows = [(lead, MAIL, 0, EMAIL), (lead, NUMBER, SMITH if lead % 2 else NAMELESS, PHONE)]
        found.extend(claim(store, *rows))

    threads = [threading.Thread(target=work, args=(lead,)) for lead in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = {existing for _, existing, _ in found}
    assert sorted([winner, *(lead for lead, _, _ in found)]) == [1, 2, 3, 4, 5]
