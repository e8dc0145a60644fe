"""The waterfall on a real store against the sandbox's vendors: order, cache, single flight, money, breaker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import text

from aiqleads_pipeline.enriching.asking import BUDGET, REFUSED, TIME, UNAVAILABLE, ask_keys
from aiqleads_pipeline.enriching.desk import Desk
from aiqleads_pipeline.enriching.reporting import kinds_metadata, raise_alerts
from aiqleads_pipeline.enriching.waterfall import Subject, run_waterfall
from aiqleads_pipeline.sandbox import Sandbox
from resources.store import alerts, enrichment_cache, provider_permits
from resources.store.database import Store

MakeDesk = Callable[..., Desk]
SIZE = {"employee_band": {"order": ["pdl", "apollo"], "stop_at": 0.5}}


def domains(count: int, tag: str = "c") -> list[str]:
    return [f"{tag}{i}.com" for i in range(count)]


def subjects(keys: list[str], *fields: str) -> list[Subject]:
    return [Subject(key, "company", fields or ("employee_band",), {"company_domain": key}) for key in keys]


def far(seconds: float = 20.0) -> float:
    import time

    return time.monotonic() + seconds


def spent(store: Store) -> float:
    with store.read() as con:
        return float(con.execute(text("SELECT coalesce(sum(spent_usd), 0) FROM aiqleads.provider_spend")).scalar_one())


def test_the_second_provider_is_asked_only_for_what_the_first_does_not_know(
    make_desk: MakeDesk, sandbox: Sandbox
) -> None:
    desk = make_desk(SIZE, pdl={"keys_per_call": 100}, apollo={"keys_per_call": 10})
    asked = domains(60)
    outcome = run_waterfall(desk, subjects(asked), 20)
    by = {fact.subject_id: fact.provider for fact in outcome.facts}
    assert set(by.values()) == {"pdl", "apollo"}
    assert outcome.gaps == {}
    second = [each for request in sandbox.requests("apollo") for _, each in parse_qsl(request["query"])]
    assert len(set(second)) == 60 - sum(provider == "pdl" for provider in by.values())
    assert all(
        fact.confidence_share >= 0.5 and fact.answered_at and fact.field == "employee_band" for fact in outcome.facts
    )


def test_answers_are_pinned_by_the_cache_negative_ones_too(make_desk: MakeDesk, sandbox: Sandbox) -> None:
    desk = make_desk(SIZE, pdl={"keys_per_call": 100})
    asked = [*domains(20), "unknown-one.com"]
    first = ask_keys(desk, desk.providers["pdl"], asked, far())
    assert (first.calls_count, first.missing, first.answers["unknown-one.com"].state) == (1, {}, "unknown")
    sandbox.fault("pdl", "error", status=500)
    again = ask_keys(desk, desk.providers["pdl"], asked, far())
    assert (again.calls_count, again.cached_count) == (0, 21)
    assert again.answers == first.answers


def test_workers_that_want_the_same_keys_ask_once(make_desk: MakeDesk, sandbox: Sandbox) -> None:
    desks = [make_desk(SIZE, pdl={"keys_per_call": 5, "cost_usd_per_key": 0.1}) for _ in range(4)]
    for i, desk in enumerate(desks):
        desk.holder = f"{desk.holder}{i}"  # as workers in processes of their own
    sandbox.fault("pdl", "slow", seconds=0.2)
    found: list[Any] = [None] * 4

    def work(i: int) -> None:
        found[i] = ask_keys(desks[i], desks[i].providers["pdl"], domains(30), far())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.calls_count for each in found) == 6
    assert all(each.answers == found[0].answers and len(each.answers) == 30 for each in found)
    keys = [row["params"]["website"] for request in sandbox.requests("pdl") for row in _body(request)["requests"]]
    assert sorted(keys) == sorted(domains(30))


def _body(request: dict[str, Any]) -> Any:
    import json

    body = request["body"]
    return json.loads(body) if isinstance(body, str | bytes) else body


def test_a_claim_ends_with_its_process(store: Store) -> None:
    keys = {enrichment_cache.key_sha256("company_domain", key) for key in domains(3)}
    dead = f"{_host()}:999999999:1:gone"
    assert enrichment_cache.claim_keys(store, "pdl", keys, dead, 3600) == keys
    assert enrichment_cache.claim_keys(store, "pdl", keys, "elsewhere:1:1:me", 3600) == keys
    assert enrichment_cache.claim_keys(store, "pdl", keys, "elsewhere:2:1:me", 3600) == set()


def _host() -> str:
    import socket

    return socket.gethostname()


def test_money_stops_at_the_cap_and_only_what_was_charged_is_spent(
    make_desk: MakeDesk, sandbox: Sandbox, store: Store
) -> None:
    pdl = {"keys_per_call": 10, "cost_usd_per_key": 0.1, "usd_per_day": 2.5, "calls_at_once": 4}
    desk = make_desk(SIZE, pdl=pdl)
    results = ask_keys(desk, desk.providers["pdl"], domains(100), far())
    known = sum(answer.state == "found" for answer in results.answers.values())
    assert abs(spent(store) - 0.1 * known) < 1e-6
    assert spent(store) <= 2.5 + 1e-9
    assert set(results.missing.values()) == {BUDGET}
    assert len(results.answers) + len(results.missing) == 100
    calls = sandbox.counts("pdl")["attempts"]
    ask_keys(desk, desk.providers["pdl"], domains(100, "other"), far())
    assert spent(store) <= 2.5 + 1e-9
    assert sandbox.counts("pdl")["attempts"] <= calls + 8


def test_the_breaker_opens_for_all_lets_one_probe_through_and_closes(
    make_desk: MakeDesk, sandbox: Sandbox, store: Store
) -> None:
    breaker = {"least_calls": 3, "window_calls": 6, "open_seconds": 3600.0}
    desk = make_desk(SIZE, pdl={"keys_per_call": 1, "breaker": breaker, "calls_at_once": 1})
    sandbox.fault("pdl", "reset")
    results = ask_keys(desk, desk.providers["pdl"], domains(1000), far())
    assert set(results.missing.values()) == {UNAVAILABLE}
    assert results.calls_count == 3
    state = provider_permits.states(store)["pdl"]
    assert (state.breaker, state.let_through_count) == ("open", 0)
    assert state.wanted_count >= 990
    raise_alerts(desk, None)
    assert [(each["code"], each["severity"]) for each in alerts.open_alerts(store)] == [("breaker_open", "warning")]

    with store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.provider_states SET open_until = now() - interval '1 second'"))
    again = ask_keys(desk, desk.providers["pdl"], domains(1000), far())
    assert again.calls_count == 1  # the probe, in vain: open again, and longer
    state = provider_permits.states(store)["pdl"]
    assert (state.breaker, state.opens_count, state.let_through_count) == ("open", 2, 1)
    assert state.let_through_count <= 0.01 * state.wanted_count

    sandbox.clear_faults()
    with store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.provider_states SET open_until = now() - interval '1 second'"))
    healed = ask_keys(desk, desk.providers["pdl"], domains(10), far())
    assert (len(healed.answers), provider_permits.states(store)["pdl"].breaker) == (10, "closed")
    raise_alerts(desk, None)
    assert alerts.open_alerts(store) == []


def test_only_one_of_many_is_the_probe(store: Store, make_desk: MakeDesk) -> None:
    desk = make_desk(SIZE, pdl={})
    wanted = provider_permits.Ask("pdl", 0, 1000, 1000, 1, 5, provider_permits.Caps(), desk.now().date())
    permit = provider_permits.ask(store, wanted)
    assert isinstance(permit, provider_permits.Permit)
    failed = provider_permits.Call("company", 0.1, "failed", 1, "timed_out")
    provider_permits.settle(store, permit, failed, provider_permits.Breaking(least_calls=1, open_seconds=0.001))
    with store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.provider_states SET open_until = now() - interval '1 second'"))
    answers = [provider_permits.ask(store, wanted) for _ in range(20)]
    assert sum(isinstance(each, provider_permits.Permit) for each in answers) == 1


def test_the_rate_is_one_for_all(store: Store, make_desk: MakeDesk) -> None:
    desk = make_desk(SIZE, pdl={})
    wanted = provider_permits.Ask("pdl", 0, 2.0, 1, 60, 5, provider_permits.Caps(), desk.now().date())
    waits = [provider_permits.ask(store, wanted).wait_seconds for _ in range(5)]  # type: ignore[union-attr]
    assert waits == sorted(waits)
    assert 1.5 < waits[-1] <= 2.0
    late = provider_permits.ask(store, provider_permits.Ask("pdl", 0, 2.0, 1, 0.1, 5, wanted.caps, wanted.today))
    assert isinstance(late, provider_permits.Denied)
    assert late.why == "rate"


def test_time_runs_out_without_a_word_lost(make_desk: MakeDesk, sandbox: Sandbox) -> None:
    desk = make_desk(SIZE, pdl={"keys_per_call": 5, "calls_per_second": 1, "burst_calls": 1})
    outcome = run_waterfall(desk, subjects(domains(50)), 0.8)
    assert len(outcome.results["pdl"].answers) == 5
    assert set(outcome.gaps.values()) == {TIME}


def test_who_refuses_is_asked_once_and_the_next_one_fills_in(
    make_desk: MakeDesk, sandbox: Sandbox, store: Store
) -> None:
    sandbox.fault("pdl", "error", status=402)
    desk = make_desk(SIZE, pdl={"keys_per_call": 1, "calls_at_once": 1}, apollo={"keys_per_call": 10})
    outcome = run_waterfall(desk, subjects(domains(20)), 20)
    assert sandbox.counts("pdl")["attempts"] == 1
    assert {fact.provider for fact in outcome.facts} == {"apollo"}
    assert set(outcome.gaps.values()) <= {REFUSED}
    raise_alerts(desk, None)
    assert [each["code"] for each in alerts.open_alerts(store)] == ["provider_refused"]


def test_the_scoreboard_tells_hits_cost_and_breaker(make_desk: MakeDesk, sandbox: Sandbox) -> None:
    desk = make_desk(SIZE, pdl={"keys_per_call": 10, "cost_usd_per_key": 0.1})
    results = ask_keys(desk, desk.providers["pdl"], domains(40), far())
    known = [answer for answer in results.answers.values() if answer.state == "found"]
    told = kinds_metadata(desk)["company"]
    assert told["hit_share"] == round(len(known) / 40, 4)
    assert told["cost_per_filled_field_usd"] == round(0.1 * len(known) / sum(len(each.facts) for each in known), 6)
    assert (told["breaker"], told["p95_seconds"] > 0) == ("pdl: closed", True)


def test_a_person_is_erased_by_address(make_desk: MakeDesk, sandbox: Sandbox, store: Store) -> None:
    desk = make_desk({"email_status": {"order": ["hunter"]}}, hunter={})
    ask_keys(desk, desk.providers["hunter"], ["valid@acme.com", "invalid@acme.com"], far())
    assert enrichment_cache.erase(store, [("email", "valid@acme.com")]) == 1
    with store.read() as con:
        left = con.execute(text("SELECT facts, key_sha256 FROM aiqleads.provider_answers")).all()
    assert [row.facts for row in left] == [{"email_status": "invalid"}]
    assert "acme" not in str(left)
