"""`scraped_pages`: what the allowed sites say today, as drops of leads. Off unless `scrapes.yaml` says otherwise.

Belongs here: the asset. How a site is crawled is in ``doors.scraping``; what becomes of a drop is as for any other.
"""

from collections import Counter

import dagster as dg

from aiqleads_pipeline.assets.batch_run import BatchRuns, redact
from aiqleads_pipeline.assets.specs import OWNERS
from aiqleads_pipeline.doors.scraping.harvest import ask_all, work_off


class ScrapeConfig(dg.Config):
    """``all_sites``: ask for every enabled site first; else only what was asked for already is worked off."""

    all_sites: bool = True


@dg.asset(group_name="intake", kinds={"http"}, owners=OWNERS)
def scraped_pages(
    context: dg.AssetExecutionContext, config: ScrapeConfig, runs: dg.ResourceParam[BatchRuns]
) -> dg.MaterializeResult:
    """Crawl the sites of scrapes.yaml; their leads become drops under scrapes/<source>/ in the bucket."""
    try:
        if config.all_sites:
            ask_all(runs.outside, requested_by="schedule")
        ended = work_off(runs.outside, context.run.run_id)
    except Exception as error:
        raise dg.Failure(redact(error)) from None  # a message may quote a page
    total: Counter[str] = Counter()
    for scrape in ended:
        total.update({name: count for name, count in scrape.counts.items() if isinstance(count, int)})
    return dg.MaterializeResult(
        metadata={
            "scrapes": len(ended),
            "leads": total["leads"],
            "counts": dg.MetadataValue.json(dict(sorted(total.items()))),
            "by_site": dg.MetadataValue.json(
                {
                    each.site: {
                        **each.counts,
                        "state": each.state,
                        "reason_code": each.reason_code,
                        "drop": each.drop_uri,
                    }
                    for each in ended
                }
            ),
        }
    )
