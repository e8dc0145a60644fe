"""Enrichment by providers: the waterfall over cache, budgets, rates and breakers, and later completion.

Belongs here: whom to ask about what, and what becomes of answers that don't come. Asks the resources, so it stands
above the stages; knows nothing of Dagster. Does not belong here: vendors (``resources.enrichment``), laying answers
over leads (``stages.enrich_by_providers``), what is known without a network (``stages.enrich``).
"""
