"""Enrichment that asks nobody: fills `enriched_leads` from committed reference files.

Belongs here: which facts are looked up, and in which order. Does not belong here: the look-ups themselves
(``sql/stages/enrich``), the lists (``data/reference``), or anything that needs a network: providers are called by
``resources.enrichment``, and what they found comes in as a relation.
"""

from __future__ import annotations

from datetime import datetime

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import cast_projection
from aiqleads_pipeline.stages.engine import REFERENCE_DIR, SQL_DIR, load_reference, run_sql

REFERENCES = (
    "country_facts", "region_facts", "phone_heads", "phone_plan", "phone_kinds", "mail_domains", "public_suffixes",
    "domain_endings", "role_mailboxes", "job_words", "industry_words", "industry_names", "industry_codes",
)  # fmt: skip

# Facts of distinct values, as temporary tables: each costly look-up is made once per title, company or domain.
_FACTS = ("industry_words", "domain_facts", "title_facts", "industry_facts", "company_facts", "label_facts")
# Then the leads, as views, one concern after the other; each reads the one before.
_STEPS = ("phones", "places", "people", "companies")


def enrich_leads(
    con: DuckDBPyConnection, validated: DuckDBPyRelation, *, as_of: datetime, enabled: bool = True
) -> DuckDBPyRelation:
    """Accepted leads with everything that can be known about them without a network.

    ``validated`` has the columns of ``VALIDATED_LEADS`` and is read five times: pass a table or a Parquet file. The
    facts of its distinct values are worked out at once, as temporary tables that the next call on the connection
    replaces; the rows themselves stay lazy until the relation is written.

    Given values are never overwritten. A field's ``_source`` says where it comes from and is null where the field is;
    an industry that nothing tells is ``unknown``. ``enrichment_status`` is ``complete`` where all that applies was
    found: company domain, industry and time zone, the kind of a given e-mail, the seniority of a given job title.
    ``as_of`` (the batch's arrival) belongs to the interface of every stage: no fact here depends on the time yet.
    """
    del as_of
    validated.create_view("enrich_leads", replace=True)
    if not enabled:
        return run_sql(con, "stages/enrich/given_leads").project(cast_projection("enriched_leads"))
    load_reference(con, *REFERENCES)
    # Read in place: the groups of rows that a small batch does not need are skipped.
    con.read_parquet(str(REFERENCE_DIR / "us_postal_codes.parquet")).create_view("ref_us_postal_codes", replace=True)
    con.execute("SET VARIABLE enrich_roles = (SELECT list(local_part) FROM ref_role_mailboxes)")
    for name in (*_FACTS, *_STEPS):
        con.execute((SQL_DIR / f"stages/enrich/{name}.sql").read_text(encoding="utf-8"))
    return run_sql(con, "stages/enrich/enriched_leads").project(cast_projection("enriched_leads"))
