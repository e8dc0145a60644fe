"""Whose turn it is: the promise of the rota, for any weights, any batching, any room."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiqleads_pipeline.stages.rota import Ledger, Stretch, give_turns, make_pool, taken_by_owner

pools = st.lists(st.integers(1, 20), min_size=1, max_size=8).map(lambda ws: {f"o{i}": w for i, w in enumerate(ws)})


def owners_of(stretches: list[Stretch]) -> list[str | None]:
    """Who gets each lead, one after the other; None where nobody has room."""
    return [None if s.is_over else s.pool.owner_at(s.first_turn + i) for s in stretches for i in range(s.leads_count)]


@settings(max_examples=300, deadline=None)
@given(pools)
def test_at_every_prefix_each_owner_is_less_than_one_lead_from_the_share(weights: dict[str, int]) -> None:
    pool = make_pool("smb", tuple(weights.items()))
    total = sum(weights.values())
    had: Counter[str] = Counter()
    for n in range(1, 2 * total + 1):
        had[pool.owner_at(n - 1)] += 1
        for owner, weight in weights.items():
            assert abs(had[owner] - Fraction(n * weight, total)) < 1
    assert had == {owner: 2 * weight for owner, weight in weights.items()}


@settings(deadline=None)
@given(pools, st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_it_makes_no_difference_how_leads_are_cut_into_batches(weights: dict[str, int], batches: list[int]) -> None:
    ledger = Ledger()
    by_batch = [owner for size in batches for owner in owners_of(give_turns("smb", weights, size, ledger))]
    assert by_batch == owners_of(give_turns("smb", weights, sum(batches), Ledger()))


@settings(deadline=None)
@given(
    pools,
    st.lists(st.one_of(st.none(), st.integers(0, 25)), min_size=8, max_size=8),
    st.lists(st.integers(0, 60), min_size=1, max_size=5),
)
def test_nobody_gets_more_than_fits_and_nobody_waits_while_somebody_has_room(
    weights: dict[str, int], limits: list[int | None], batches: list[int]
) -> None:
    room = {owner: limit for owner, limit in zip(weights, limits, strict=False) if limit is not None}
    ledger = Ledger(room=dict(room))
    plan = [stretch for size in batches for stretch in give_turns("smb", weights, size, ledger)]
    had = Counter(owners_of(plan))
    assert all(had[owner] <= limit for owner, limit in room.items())
    fits = sum(batches) if len(room) < len(weights) else min(sum(batches), sum(room.values()))
    assert had[None] == sum(batches) - fits
    assert ledger.room == {owner: limit - had[owner] for owner, limit in room.items()}


@settings(deadline=None)
@given(pools, st.lists(st.integers(0, 25), min_size=8, max_size=8), st.integers(0, 150))
def test_each_pool_keeps_the_promise_by_itself_while_others_fill_up(
    weights: dict[str, int], limits: list[int], leads: int
) -> None:
    room = dict(zip(list(weights)[1:], limits, strict=False))
    for stretch in give_turns("smb", weights, leads, Ledger(room=room)):
        shares = dict(stretch.pool.shares)
        assert not set(stretch.full) & set(shares)
        had: Counter[str] = Counter()
        for n in range(1, stretch.leads_count + 1):
            had[stretch.pool.owner_at(stretch.first_turn + n - 1)] += 1
            assert all(abs(had[o] - Fraction(n * w, sum(shares.values()))) < 1 for o, w in shares.items())
        assert taken_by_owner(stretch) == {owner: had[owner] for owner in shares}


@settings(deadline=None)
@given(pools, st.integers(0, 400))
def test_closed_forms_agree_with_counting(weights: dict[str, int], turns: int) -> None:
    pool = make_pool("smb", tuple(weights.items()))
    order = [pool.owner_at(turn) for turn in range(turns)]
    for owner in weights:
        assert pool.turns_before(turns, owner) == order.count(owner)
        mine = [turn for turn, who in enumerate(order) if who == owner]
        assert [pool.turn_of(owner, nth) for nth in range(len(mine))] == mine


def test_a_rota_never_changes_once_turns_were_counted_on_it() -> None:
    """The store remembers turns only: another order here would deal the next leads unfairly."""
    pool = make_pool("smb", (("ana", 3), ("bo", 2), ("cy", 1)))
    assert pool.id == "9bd8a7236dfb272d"
    assert pool.sequence == ("ana", "bo", "ana", "cy", "bo", "ana")


def test_order_in_the_file_and_common_factors_make_no_difference() -> None:
    pool = make_pool("smb", (("ana", 1), ("bo", 2)))
    assert make_pool("smb", (("bo", 4), ("ana", 2))) == pool
    assert make_pool("mid", (("bo", 2), ("ana", 1))).id != pool.id


def test_ties_are_not_broken_by_seniority() -> None:
    first = Counter(make_pool(f"team{i}", (("ana", 1), ("bo", 1), ("cy", 1))).owner_at(0) for i in range(300))
    assert set(first) == {"ana", "bo", "cy"}
    assert min(first.values()) > 60


def test_an_account_takes_what_fits() -> None:
    ledger = Ledger(room={"ana": 2})
    assert [ledger.take("ana", 3), ledger.take("ana", 3), ledger.take("bo", 3)] == [2, 0, 3]
    assert ledger == Ledger(room={"ana": 0})


def test_leads_that_nobody_can_take_are_shared_out_as_a_suggestion_only() -> None:
    ledger = Ledger(room={"ana": 1, "bo": 0})
    taken, over = give_turns("smb", {"ana": 1, "bo": 1}, 4, ledger)
    assert (taken.pool.shares, taken.leads_count, taken.full, taken.is_over) == ((("ana", 1),), 1, ("bo",), False)
    assert (over.pool.shares, over.first_lead, over.leads_count) == ((("ana", 1), ("bo", 1)), 1, 3)
    assert (over.full, over.is_over) == (("ana", "bo"), True)
    assert ledger.turns == {taken.pool.id: 1}


@pytest.mark.parametrize("leads", [1_000_000, 10**12])
def test_the_number_of_leads_costs_nothing(leads: int) -> None:
    [stretch] = give_turns("smb", {"ana": 3, "bo": 1}, leads, Ledger())
    assert taken_by_owner(stretch) == {"ana": leads * 3 // 4, "bo": leads // 4}
