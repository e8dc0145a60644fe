"""A dropped file becomes routed leads: the whole job on a real store, a real lake and a real Dagster instance."""

import shutil

import dagster as dg
import pytest

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.settings import PipelineConfig
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import alerts, drops


def test_every_row_of_a_file_is_accounted_for(house, leads_csv):
    text = leads_csv("oak", 4)
    text += "Ann0,AlderOak,ANN0@oak0-company.com,Other,US,CEO\n"  # the first person again
    text += "No,Body,,,US,CEO\n"  # nothing to reach it by
    text += "ragged,row\n"
    summary = house.process("oak.csv", text, "oak")
    assert (summary.status, summary.received, summary.routed) == ("done", 7, 4)
    assert (summary.rejected, summary.duplicates) == (2, 1)
    rejected = house.rows("rejected_leads", summary.batch_id, "row_number", "column_name", "code")
    assert [row[2] for row in rejected] == ["unreachable", "wrong_column_count"]
    ((row_number, first, rule),) = house.rows(
        "duplicate_leads", summary.batch_id, "row_number", "existing_lead_id", "matched_on"
    )
    leads = dict(house.rows("raw_leads", summary.batch_id, "row_number", "lead_id"))
    assert (row_number, first, rule) == (5, leads[1], "email")


def test_each_table_has_the_columns_of_its_contract(house, leads_csv):
    summary = house.process("ash.csv", leads_csv("ash"), "ash")
    with open_engine(house.outside.settings) as con:
        for name in (name for name in TABLES if name not in STORE_TABLES):
            relation = house.outside.lake.read(con, name, summary.batch_id)
            assert relation.columns == TABLES[name].column_names


def test_a_run_over_its_time_limit_says_so_and_succeeds_with_more_time(house, leads_csv):
    hasty = house.with_settings(pipeline=PipelineConfig(PROCESSING_TIMEOUT=1))
    ran_out = hasty.process("slow.csv", leads_csv("slow", 20_000), "slow")
    assert (ran_out.status, ran_out.reason_code) == ("failed", "run_failed")
    assert "the time limit of 1 s (PROCESSING_TIMEOUT) is over" in ran_out.detail
    again = house.process("slow.csv", leads_csv("slow", 20_000), "slow")
    assert (again.status, again.batch_id, again.received) == ("done", ran_out.batch_id, 20_000)


def test_the_same_bytes_under_another_name_are_a_repeat(house, leads_csv):
    first = house.process("elm.csv", leads_csv("elm"), "elm")
    again = house.process("elm copy.csv", leads_csv("elm"), "elm")
    assert (again.status, again.batch_id, again.routed) == ("repeat", first.batch_id, 5)


def test_a_shuffled_copy_brings_nobody_new_and_counts_as_touches(house, leads_csv):
    header, *lines = leads_csv("yew").splitlines()
    first = house.process("yew.csv", "\n".join([header, *lines]) + "\n", "yew")
    second = house.process("yew2.csv", "\n".join([header, *reversed(lines)]) + "\n", "yew_again")
    assert (second.received, second.duplicates, second.routed) == (5, 5, 0)
    known = {row[0] for row in house.rows("raw_leads", first.batch_id, "lead_id")}
    assert {row[0] for row in house.rows("duplicate_leads", second.batch_id, "existing_lead_id")} == known


def test_running_a_batch_again_changes_nothing(house, leads_csv):
    summary = house.process("fir.csv", leads_csv("fir", 8), "fir")
    tables = ("raw_leads", "duplicate_leads", "validated_leads", "scored_leads", "routed_leads", "deliveries")
    before = {table: house.rows(table, summary.batch_id) for table in tables}
    house.process("between.csv", leads_csv("between", 3), "between")  # moves the rota on
    job = house.defs.resolve_job_def("process_batch")
    assert job.execute_in_process(instance=house.instance, partition_key=summary.batch_id).success
    assert {table: house.rows(table, summary.batch_id) for table in tables} == before


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "not_a_table"),
        (b"age;job\n58;management\n", "no_contact_column"),
        (b"\x1f\x8b\x08\x00cut short", "corrupt_file"),
        (b"\0" * 4096, "not_a_table"),
        (",".join(f"c{i}" for i in range(2000)).encode() + b"\n", "too_many_columns"),
    ],
)
def test_what_is_no_table_of_leads_is_quarantined_with_its_reason(house, content, code):
    summary = house.process(f"{code}.csv", content, f"bad_{code}")
    assert (summary.status, summary.reason_code) == ("quarantined", code)
    run = house.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": summary.batch_id}))[0]
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert any(alert["subject"] == summary.batch_id for alert in alerts.open_alerts(house.outside.store))


def test_a_quarantined_file_is_read_again_when_it_is_dropped_again(house, leads_csv):
    text = leads_csv("rowan").replace("Email", "Kontaktfeld")
    summary = house.process("rowan.csv", text, "rowan")
    assert (summary.status, summary.reason_code) == ("quarantined", "no_contact_column")
    rules = house.outside.settings.home / "rules"
    shutil.copytree(house.outside.settings.rules_dir, rules)
    sources = rules / "sources.yaml"
    sources.write_text("sources:\n  rowan:\n    columns:\n      Kontaktfeld: email\n")
    again = house.with_settings(RULES_DIR=rules).process("rowan.csv", text, "rowan")
    assert (again.status, again.batch_id, again.routed) == ("done", summary.batch_id, 5)
    assert not any(alert["subject"] == summary.batch_id for alert in alerts.open_alerts(house.outside.store))


def test_a_run_shows_counts_checks_and_a_masked_preview(house, leads_csv):
    summary = house.process("larch.csv", leads_csv("larch"), "larch")
    run = house.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": summary.batch_id}))[0]
    events = [entry.dagster_event for entry in house.instance.all_logs(run.run_id) if entry.dagster_event]
    made = {e.asset_key.to_user_string(): e for e in events if e.is_step_materialization}
    assert set(made) == set(TABLES)
    preview = made["raw_leads"].step_materialization_data.materialization.metadata["preview"].value
    assert "a•••" in preview
    evaluations = [e.event_specific_data for e in events if e.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert "every_lead_is_accounted_for" in {check.check_name for check in evaluations}
    assert all(check.passed for check in evaluations)
    log = "\n".join(str(entry) for entry in house.instance.all_logs(run.run_id))
    assert "ann0@larch0-company.com" not in log
    assert drops.batch(house.outside.store, summary.batch_id).run_id == run.run_id
