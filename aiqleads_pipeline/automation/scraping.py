"""When sites are scraped: every day, and when somebody asked. Both do nothing while `scrapes.yaml` is off.

Belongs here: asking for runs. Which crawls are open is the store's knowledge (``resources.store.scrapes``), so a second
daemon or a cursor set back asks for nothing twice.
"""

from __future__ import annotations

import dagster as dg

from aiqleads_pipeline.automation.jobs import MAX_RUNTIME_TAG
from aiqleads_pipeline.outside import Outside, open_outside
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.scrapes import ScrapeRules, load_scrapes
from aiqleads_pipeline.settings import Settings, load_settings
from resources.store import scrapes
from resources.store.leases import live_leases

# A run that was asked for and never began is asked for again after this.
AGAIN_SECONDS = 900
_START_SECONDS = 300

scrape_sites = dg.define_asset_job(
    "scrape_sites",
    selection=dg.AssetSelection.assets("scraped_pages"),
    description="Reads the sites of scrapes.yaml; their leads become drops",
)


def build_scrape_schedule(settings: Settings | None) -> dg.ScheduleDefinition:
    """The daily crawl of all enabled sites."""

    @dg.schedule(
        name="scrape_every_day",
        job=scrape_sites,
        cron_schedule="0 5 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Reads the enabled sites of scrapes.yaml; skips while there are none",
    )
    def scrape_every_day(_context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        rules = _rules(settings or load_settings())
        if isinstance(rules, dg.SkipReason):
            return rules
        if not rules.enabled_sites:
            return dg.SkipReason("scrapes.yaml enables no site")
        return dg.RunRequest(tags=_tags(rules))

    return scrape_every_day


def build_scrape_sensor(settings: Settings | None) -> dg.SensorDefinition:
    """Asks for a run when a crawl waits, or when one's worker died."""

    @dg.sensor(
        name="watch_asked_scrapes",
        job=scrape_sites,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Runs the crawls that were asked for by POST /v1/scrapes, and those whose worker died",
    )
    def watch(_context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        outside = open_outside(settings)
        idle = idle_scrapes(outside)
        if not idle:
            return dg.SkipReason("no crawl waits")
        rules = _rules(outside.settings)
        if isinstance(rules, dg.SkipReason):
            return rules
        config = {"ops": {"scraped_pages": {"config": {"all_sites": False}}}}
        slot = int(outside.settings.now().timestamp()) // AGAIN_SECONDS
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"{each.scrape_id}:{each.attempts_count}:{slot}", run_config=config, tags=_tags(rules)
                )
                for each in idle
            ]
        )

    return watch


def idle_scrapes(outside: Outside) -> list[scrapes.Scrape]:
    """Open crawls that nobody alive runs."""
    found = scrapes.open_scrapes(outside.store)
    alive = live_leases(outside.store) if found else set()
    return [each for each in found if f"scrape:{each.site}" not in alive]


def _rules(settings: Settings) -> ScrapeRules | dg.SkipReason:
    try:
        return load_scrapes(settings.rules_dir)
    except RulesError as error:
        return dg.SkipReason(f"the rules have faults: {error}")


def _tags(rules: ScrapeRules) -> dict[str, str]:
    """The bound of a run: all sites one after the other."""
    seconds = sum(site.max_seconds for site in rules.enabled_sites)
    return {MAX_RUNTIME_TAG: str(seconds + _START_SECONDS)}
