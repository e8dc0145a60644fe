"""From a crawl that was asked for to a drop in the bucket: what the schedule, the sensor and a person all run.

Belongs here: the lease, the order of durable writes, what a killed crawl leaves. First evidence, then the drop, then
the pages' validators: killed in between, the next attempt reads the pages anew, and leads that come twice are told by
their content or their identity.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from aiqleads_pipeline.doors.scraping.crawl import Crawl, Crawled, Keeper
from aiqleads_pipeline.doors.scraping.robots import PRODUCT
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.scrapes import ScrapeRules, Site, load_scrapes
from resources.bucket import BucketUnavailable
from resources.evidence import Evidence
from resources.http import HttpClient, Limits
from resources.store import alerts, scrapes
from resources.store.errors import LeaseHeld, StoreUnavailable
from resources.store.leases import Lease, held, holder_name
from resources.store.scrapes import Ended, Scrape

log = logging.getLogger(__name__)
CHANNEL = "scrape"
# A page that fails is asked for at the next crawl: asking again at once would break the pace.
LIMITS = Limits(connect_seconds=10, read_seconds=20, total_seconds=60, max_retries=0)


def ask_all(outside: Outside, requested_by: str) -> list[Scrape]:
    """Ask for a crawl of every enabled site; returns the open ones of them.

    Raises:
        RulesError: ``scrapes.yaml`` has faults.
    """
    rules = load_scrapes(outside.settings.rules_dir)
    now = outside.settings.now()
    return [scrapes.ask(outside.store, site.name, requested_by, now)[0] for site in rules.enabled_sites]


def work_off(outside: Outside, run_id: str, make_keeper: Callable[[Keeper], Keeper] | None = None) -> list[Scrape]:
    """Run every open crawl that nobody alive runs, one after the other; returns how they ended.

    Raises:
        Exception: what a crawl failed at, after all others had their turn; it is open still and is tried again.
    """
    rules = load_scrapes(outside.settings.rules_dir)
    ended: list[Scrape] = []
    failure: Exception | None = None
    with HttpClient(
        allow_loopback=outside.settings.EGRESS_ALLOW_LOOPBACK,
        limits=LIMITS,
        user_agent=f"{PRODUCT}/1.0 (+{rules.contact})" if rules.contact else PRODUCT,
    ) as client:
        for scrape in scrapes.open_scrapes(outside.store):
            try:
                if _harvest(outside, client, rules, scrape, run_id, make_keeper):
                    ended.append(scrapes.scrape(outside.store, scrape.scrape_id))
            except LeaseHeld:
                log.info("%s: somebody else reads it, or another site of its host", scrape.site)
            except (StoreUnavailable, BucketUnavailable):
                raise  # it concerns all
            except Exception as error:  # one site must not hold up the others
                log.warning("%s: the crawl failed: %s", scrape.site, type(error).__name__)
                failure = failure or error
    if failure is not None:
        raise failure
    return ended


def _harvest(
    outside: Outside,
    client: HttpClient,
    rules: ScrapeRules,
    scrape: Scrape,
    run_id: str,
    make_keeper: Callable[[Keeper], Keeper] | None,
) -> bool:
    """One crawl under the leases of its site and hosts, so that no host is asked by two; False if it is not open."""
    site = next((each for each in rules.enabled_sites if each.name == scrape.site), None)
    store, now, seconds = outside.store, outside.settings.now, outside.settings.LEASE_SECONDS
    with ExitStack() as leases:
        lease = leases.enter_context(held(store, f"scrape:{scrape.site}", holder_name(run_id), seconds))
        host_leases = [
            leases.enter_context(held(store, f"scrape_host:{host}", holder_name(run_id), seconds))
            for host in sorted(set(site.hosts if site else ()))
        ]
        attempt = scrapes.begin(store, scrape.scrape_id, run_id, now(), lease)
        if attempt is None:
            return False
        if site is None or attempt > outside.settings.pipeline.MAX_RETRIES + 1:
            _give_up(outside, scrape, lease, "scraping_disabled" if site is None else "scrape_gave_up")
            return True
        keeper = Keeper(
            find_page=lambda url: scrapes.find_page(store, scrape.site, url),
            keep_evidence=Evidence(outside.settings.bucket_url).keep,
            still_ours=_checking(lease, *host_leases),
            now=now,
        )
        found = Crawl(site, client, LIMITS, make_keeper(keeper) if make_keeper else keeper).run()
        lease.check()
        uri = _drop(outside, site, scrape, found) if found.leads else None
        counts = dict(sorted(found.counts.items()))
        scrapes.finish(store, scrape, lease, now(), Ended(found.pages, counts, uri, found.reason_code))
        alerts.close_alert(store, "scrape_gave_up", scrape.site, now())
        return True


def _give_up(outside: Outside, scrape: Scrape, lease: Lease, reason_code: str) -> None:
    now = outside.settings.now()
    shutil.rmtree(outside.workdir(f"scrape-{scrape.scrape_id}"), ignore_errors=True)  # what killed attempts left
    scrapes.finish(outside.store, scrape, lease, now, Ended(reason_code=reason_code, has_failed=True))
    if reason_code == "scrape_gave_up":
        alerts.raise_alert(
            outside.store,
            code=reason_code,
            subject=scrape.site,
            severity="error",
            detail=f"the crawl of {scrape.site} died {scrape.attempts_count} times",
            run_id=scrape.run_id,
            now=now,
        )


def _drop(outside: Outside, site: Site, scrape: Scrape, found: Crawled) -> str:
    """Put the leads where drops appear, one JSON object a line; the sensors take it from there."""
    folder = outside.workdir(f"scrape-{scrape.scrape_id}")
    file = folder / f"{site.name}-{scrape.scrape_id}.ndjson"
    try:
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(lead, ensure_ascii=False, sort_keys=True) + "\n" for lead in found.leads)
        return outside.bucket.put(file, CHANNEL, site.lead_source).uri
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _checking(*leases: Lease) -> Callable[[], None]:
    def check() -> None:
        for lease in leases:
            lease.check()

    return check


def with_time(sleep: Callable[[float], None], clock: Callable[[], float]) -> Callable[[Keeper], Keeper]:
    """A keeper whose pace follows another clock: for tests and rehearsals."""
    return lambda keeper: replace(keeper, sleep=sleep, clock=clock)
