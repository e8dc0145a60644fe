"""Open leads get new scores: all at night, and those that something was heard of within minutes."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
from sqlalchemy import text

from aiqleads_pipeline.automation.rescoring import build_rescoring_sensor
from aiqleads_pipeline.commands import score
from aiqleads_pipeline.commands.lead import UnknownLead
from aiqleads_pipeline.open_scores import score_open
from aiqleads_pipeline.rescoring import forget_old_scores, open_leads, open_scores_now, rescore
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import rescorings

REPEAT = "Full Name,Email,Company\nPat Fair{i},p{i}@fair{i}-company.com,fair {i} Ltd\n"


def scores_now(firm, *columns):  # type: ignore[no-untyped-def]
    with open_engine(firm.outside.settings) as con:
        firm.outside.lake.attach(con)
        found = open_scores_now(con, firm.outside)
        return {str(row[0]): row[1:] for row in found.project(", ".join(("lead_id", *columns))).fetchall()}


@pytest.fixture(scope="module", autouse=True)
def all_scored(firm):  # type: ignore[no-untyped-def]
    done = rescore(firm.outside)
    assert done.facts["kind"] == "all"
    return done


def test_every_open_lead_has_a_score_and_no_other(firm) -> None:  # type: ignore[no-untyped-def]
    emails = {str(lead_id): email for lead_id, email in firm.rows("enriched_leads", "lead_id", "email")}
    open_emails = {f"p{i}@{source}{i}-company.com" for source in ("fair", "ads") for i in range(80, 120)}
    assert {emails[lead_id] for lead_id in scores_now(firm, "lead_score")} == open_emails


def test_at_night_leads_above_p3_get_words_and_the_same_that_all_would_get(firm, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lead = firm.lead_id("p110@fair110-company.com")
    score.override(firm.outside, lead, "P1", "asked for a call", 5, "ann")
    rescore(firm.outside)
    told = scores_now(firm, "priority", "reasons")
    assert score.end_override(firm.outside, lead)
    assert {priority in ("P1", "P2") for priority, _ in told.values()} == {True, False}
    assert all((words is not None) == (priority in ("P1", "P2")) for priority, words in told.values())
    now = rescorings.last_rescoring(firm.outside.store).until
    with open_engine(firm.outside.settings) as con:
        firm.outside.lake.attach(con)
        leads = open_leads(con, firm.outside)
        scores = score_open(con, firm.outside, leads, now, tmp_path, every_lead=True)
        every = {str(lead_id): words for lead_id, words in scores.project("lead_id, reasons").fetchall()}
    assert every.keys() == told.keys() and all(every.values())
    assert {lead: words for lead, (_, words) in told.items() if words} == {
        lead: every[lead] for lead, (_, words) in told.items() if words
    }


def test_a_lead_that_comes_again_is_scored_within_minutes_and_alone(firm) -> None:  # type: ignore[no-untyped-def]
    lead = firm.lead_id("p90@fair90-company.com")
    before = scores_now(firm, "intent_score", "scored_at")
    summary = firm.process("again.csv", REPEAT.format(i=90), "fair")
    assert summary.duplicates == 1
    done = rescore(firm.outside, only_signalled=True)
    assert lead in {str(row[0]) for row in _batch(firm, done.batch_id, "lead_id")}
    after = scores_now(firm, "intent_score", "scored_at")
    assert after[lead][0] > before[lead][0]
    other = firm.lead_id("p91@fair91-company.com")
    assert after[other] == before[other]


def test_the_sensor_asks_once_for_what_was_heard(firm) -> None:  # type: ignore[no-untyped-def]
    firm.process("again2.csv", REPEAT.format(i=95), "fair")
    sensor = build_rescoring_sensor(firm.outside.settings)
    with dg.build_sensor_context(instance=firm.instance, definitions=firm.defs) as context:
        asked = sensor(context)
        again = sensor(context)
    assert isinstance(asked, dg.RunRequest) and isinstance(again, dg.RunRequest)
    assert asked.run_config["ops"] == {"open_lead_scores": {"config": {"only_signalled": True}}}
    assert asked.run_key == again.run_key
    job = firm.defs.resolve_job_def("rescore_open_leads")
    assert job.execute_in_process(instance=firm.instance, run_config=asked.run_config).success
    last = rescorings.last_rescoring(firm.outside.store)
    assert last is not None and last.kind == "signalled"


def test_nothing_heard_is_nothing_done(firm) -> None:  # type: ignore[no-untyped-def]
    last = rescorings.last_rescoring(firm.outside.store)
    later = last.until + timedelta(hours=1)
    rescorings.note_rescoring(
        firm.outside.store, rescorings.Rescoring("later-signalled", "signalled", later, 0, 0.0), {}
    )
    assert rescore(firm.outside, only_signalled=True).batch_id is None
    rescorings.note_rescoring(
        firm.outside.store, rescorings.Rescoring("later-signalled", "signalled", last.until, 0, 0.0), {}
    )


def test_a_persons_judgement_counts_until_it_ends(firm) -> None:  # type: ignore[no-untyped-def]
    lead = firm.lead_id("p100@ads100-company.com")
    by_rules = scores_now(firm, "priority")[lead][0]
    wanted = "P1" if by_rules != "P1" else "P4"
    score.override(firm.outside, lead, wanted, "met at the fair", 5, "ann")
    rescore(firm.outside, only_signalled=True)
    assert scores_now(firm, "priority", "rules_priority", "override_reason")[lead] == (
        wanted,
        by_rules,
        "met at the fair",
    )
    assert score.end_override(firm.outside, lead)
    assert not score.end_override(firm.outside, lead)
    rescore(firm.outside, only_signalled=True)
    assert scores_now(firm, "priority", "override_reason")[lead] == (by_rules, None)


@pytest.mark.parametrize(
    ("priority", "reason", "days", "told"),
    [("P0", "x", 1, "no priority"), ("P1", "  ", 1, "say why"), ("P1", "x", 0, "--days"), ("P1", "x", 1000, "--days")],
    ids=["priority", "reason", "no days", "for ever"],
)
def test_a_judgement_must_have_a_reason_and_an_end(firm, priority, reason, days, told) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(score.OverrideRefused, match=told):
        score.override(firm.outside, firm.lead_id("p100@ads100-company.com"), priority, reason, days, "ann")


def test_a_score_is_explained_part_by_part(firm) -> None:  # type: ignore[no-untyped-def]
    found = score.explain_score(firm.outside, firm.lead_id("p101@fair101-company.com"))
    assert sum(part["points"] for part in found.now["parts"]) == pytest.approx(found.now["lead_score"], abs=0.001)
    assert all(part["text"] for part in found.now["parts"])
    assert 0 <= found.then["lead_score"] <= 100
    with pytest.raises(UnknownLead):
        score.explain_score(firm.outside, "00000000-0000-8000-8000-000000000000")


def _batch(firm, batch_id, *columns):  # type: ignore[no-untyped-def]
    with open_engine(firm.outside.settings) as con:
        return firm.outside.lake.read(con, "open_lead_scores", batch_id).project(", ".join(columns)).fetchall()


def test_what_a_provider_says_later_is_a_signal(firm) -> None:  # type: ignore[no-untyped-def]
    lead = firm.lead_id("p112@ads112-company.com")
    said = (
        "INSERT INTO aiqleads.enrichment_additions "
        "(lead_id, field, value, provider, confidence_share, cost_usd, answered_at, added_at) "
        "VALUES (:lead, 'city', 'Berlin', 'test', 1, 0, :now, :now)"
    )
    with firm.outside.store.transaction("test") as con:
        con.execute(text(said), {"lead": lead, "now": firm.outside.settings.now()})
    before = scores_now(firm, "completeness_score")[lead][0]
    done = rescore(firm.outside, only_signalled=True)
    assert lead in {str(row[0]) for row in _batch(firm, done.batch_id, "lead_id")}
    assert scores_now(firm, "completeness_score")[lead][0] > before


def test_outcomes_are_a_signal_for_open_leads_of_the_source_that_turned_out_otherwise(firm, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    before = scores_now(firm, "source_reliability_score")
    fair, ads = firm.lead_id("p115@fair115-company.com"), firm.lead_id("p115@ads115-company.com")
    ended = [f"p{i}@ads{i}-company.com" for i in range(105, 112)]
    lines = [f"{email},{'bounced' if i % 2 else 'won'},,\n" for i, email in enumerate(ended)]
    outcomes = "email,result,revenue_usd,closed_at\n" + "".join(lines)
    assert firm.process("outcomes2.csv", outcomes, "outcomes").status == "done"
    with monkeypatch.context() as killed:
        killed.setattr(rescorings, "note_rescoring", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):  # sources are learnt and scores written, but nothing was noted
            rescore(firm.outside, only_signalled=True)
    done = rescore(firm.outside, only_signalled=True)
    assert "ads" in done.facts["moved_sources"]
    after = scores_now(firm, "source_reliability_score")
    assert after[ads] > before[ads]
    assert not after.keys() & {firm.lead_id(email) for email in ended}
    assert fair in after
    with firm.outside.store.read() as con:
        bounced = con.execute(text("SELECT count(*) FROM aiqleads.outcomes WHERE is_bounced AND result = 'returned'"))
        assert bounced.scalar() == len(ended) // 2


def test_old_scores_are_forgotten_and_the_newest_stay(firm) -> None:  # type: ignore[no-untyped-def]
    rescore(firm.outside)
    lake, now = firm.outside.lake, firm.outside.settings.now()
    newest = scores_now(firm, "lead_score")
    known = lake.batches("open_lead_scores")
    assert forget_old_scores(firm.outside, now) == 0
    later = now + timedelta(days=firm.outside.settings.SCORES_DAYS + 1)
    assert forget_old_scores(firm.outside, later) == len(known) - 1
    assert lake.batches("open_lead_scores") == known[-1:]
    assert scores_now(firm, "lead_score") == newest
