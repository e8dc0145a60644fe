"""Scraped leads on the real instance: asked for, crawled by a run, their drop found and routed like any other."""

import json

import dagster as dg
import pytest

from aiqleads_pipeline.automation.scraping import build_scrape_schedule, build_scrape_sensor
from aiqleads_pipeline.automation.sensors import build_sensors
from aiqleads_pipeline_tests.doors.http_world import Site, reply
from aiqleads_pipeline_tests.doors.scrape_pages import JSON_LD
from resources.store import drops, scrapes
from resources.store.leases import held, holder_name

RULES = """
enabled: {enabled}
contact: https://example.com/crawler
sites:
  scraped_members:
    hosts: ["127.0.0.1:{port}"]
    start: ["http://127.0.0.1:{port}/"]
    schema_org: {{}}
    seconds_between_requests: 0
    max_seconds: 100
"""


@pytest.fixture
def place(house, tmp_path):
    """The house with rules of its own that allow one site."""
    answers = {"/": reply(200, JSON_LD, Content_Type="text/html")}
    with Site(lambda asked: answers.get(asked.target, reply(404))) as site:
        rules = tmp_path / "rules"
        rules.mkdir()
        for file in house.outside.settings.rules_dir.glob("*.yaml"):
            (rules / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        (rules / "scrapes.yaml").write_text(RULES.format(port=site.port, enabled="true"))
        yield house.with_settings(RULES_DIR=rules, EGRESS_ALLOW_LOOPBACK=True), site


def tick(house, sensor):
    return sensor(dg.build_sensor_context(instance=house.instance, definitions=house.defs))


def test_an_asked_crawl_becomes_routed_leads(place):
    house, site = place
    settings, store = house.outside.settings, house.outside.store
    watch_asked = build_scrape_sensor(settings)
    watch_drops = {sensor.name: sensor for sensor in build_sensors(settings)}["watch_scrapes"]
    assert isinstance(tick(house, watch_asked), dg.SkipReason)

    asked, _ = scrapes.ask(store, "scraped_members", "test", settings.now())
    (request,) = tick(house, watch_asked).run_requests
    assert request.run_key.startswith(f"{asked.scrape_id}:0:")
    assert request.tags == {"dagster/max_runtime": "400"}
    with held(store, "scrape:scraped_members", holder_name("other"), 30):
        assert isinstance(tick(house, watch_asked), dg.SkipReason)  # somebody is at it
    job = house.defs.resolve_job_def("scrape_sites")
    result = job.execute_in_process(instance=house.instance, run_config=request.run_config, tags=request.tags)
    (materialised,) = result.asset_materializations_for_node("scraped_pages")
    assert (materialised.metadata["scrapes"].value, materialised.metadata["leads"].value) == (1, 2)
    assert isinstance(tick(house, watch_asked), dg.SkipReason)
    assert scrapes.scrape(store, asked.scrape_id).run_id == result.run_id

    drops.discover(house.outside.bucket, store, settings.now(), 0, {}, channel="scrape")
    (run,) = tick(house, watch_drops).run_requests
    house.instance.add_dynamic_partitions("batches", [run.partition_key])
    process = house.defs.resolve_job_def("process_batch")
    assert process.execute_in_process(instance=house.instance, partition_key=run.partition_key).success
    batch = drops.batch(store, run.partition_key)
    assert (batch.state, batch.source, batch.channel) == ("done", "scraped_members", "scrape")
    raw = house.rows("raw_leads", batch.batch_id, "email", "source_channel", "extra", order="email DESC")
    assert [row[:2] for row in raw] == [("jane@acme-tools.com", "scrape"), ("eat@zoes-diner.com", "scrape")]
    extra = json.loads(raw[0][2])
    assert extra["scrape_url"] == f"{site.url}/"
    assert len(extra["scrape_evidence_sha256"]) == 64
    jane = house.rows("validated_leads", batch.batch_id, "email", "employee_count", "region", order="email DESC")[0]
    assert jane == ("jane@acme-tools.com", 125, "US-IL")


def test_the_schedule_asks_for_all_sites_and_skips_while_there_are_none(place):
    house, site = place
    settings = house.outside.settings
    schedule = build_scrape_schedule(settings)
    request = schedule(dg.build_schedule_context(instance=house.instance))
    assert request.run_config == {}
    job = house.defs.resolve_job_def("scrape_sites")
    result = job.execute_in_process(instance=house.instance)
    (materialised,) = result.asset_materializations_for_node("scraped_pages")
    assert materialised.metadata["scrapes"].value == 1
    rules = settings.rules_dir / "scrapes.yaml"
    rules.write_text(RULES.format(port=site.port, enabled="false"))
    assert isinstance(schedule(dg.build_schedule_context(instance=house.instance)), dg.SkipReason)
    rules.write_text("enabled: maybe")
    assert "scrapes.yaml:1" in str(schedule(dg.build_schedule_context(instance=house.instance)).skip_message)
