"""What enrichment fills, each field beside its source, and the table it makes."""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import FLAG, REAL, TEXT, TEXTS, Column, Table
from aiqleads_pipeline.contract.incoming import VALIDATED_LEADS
from aiqleads_pipeline.contract.vocabulary import (
    EMAIL_KINDS,
    EMAIL_STATUSES,
    EMPLOYEE_BANDS,
    JOB_FUNCTIONS,
    NAICS_SECTORS,
    REVENUE_BANDS,
    SENIORITIES,
    UNKNOWN_INDUSTRY,
)


def _source_of(field: str, kind: str = TEXT, description: str = "", **rules: object) -> tuple[Column, Column]:
    """A fact and the column that says where it comes from (``given`` or the name of what filled it)."""
    return (
        Column(field, kind, description, **rules),  # type: ignore[arg-type]
        Column(f"{field}_source", TEXT, f"Where `{field}` comes from; null where it is unknown"),
    )


# Fields that enrichment fills, each beside its `_source`. Those that a lead may bring itself have the source `given`.
ENRICHED_FIELDS: tuple[Column, ...] = (
    *_source_of("email_kind", TEXT, "What kind of mailbox it is", one_of=EMAIL_KINDS),
    *_source_of("phone_type", TEXT, "mobile, fixed_line, toll_free, voip ... (libphonenumber's types, lower case)"),
    *_source_of("phone_country", TEXT, "Country of the number, ISO 3166-1 alpha-2"),
    *_source_of("time_zone", TEXT, "IANA time zone of the lead"),
    *_source_of("country_name", TEXT, "English short name of the country"),
    *_source_of("region_name", TEXT, "Name of the region"),
    *_source_of("county", TEXT, "County (US)"),
    *_source_of("latitude_deg", REAL, "Latitude of the postal code", at_least=-90, at_most=90),
    *_source_of("longitude_deg", REAL, "Longitude of the postal code", at_least=-180, at_most=180),
    *_source_of("company_domain", TEXT, "The company's registrable domain; never a free mail host"),
    *_source_of("job_seniority", TEXT, "Seniority read from the job title", one_of=SENIORITIES),
    *_source_of("job_function", TEXT, "Function read from the job title", one_of=JOB_FUNCTIONS),
    *_source_of("industry_code", TEXT, "NAICS 2022 sector", one_of=(*NAICS_SECTORS, UNKNOWN_INDUSTRY)),
    *_source_of("employee_band", TEXT, "Size band", one_of=EMPLOYEE_BANDS),
    *_source_of("revenue_band", TEXT, "Revenue band in US dollars", one_of=REVENUE_BANDS),
    # These come from providers only.
    *_source_of("email_status", TEXT, "Whether mail to the address arrives", one_of=EMAIL_STATUSES),
    *_source_of("has_mail_server", FLAG, "Whether the address's domain takes mail"),
    *_source_of("company_linkedin_url", TEXT, "The company's LinkedIn page"),
    *_source_of("company_twitter_url", TEXT, "The company's page at X (Twitter)"),
    *_source_of("company_facebook_url", TEXT, "The company's Facebook page"),
)
# Contract columns that enrichment may fill where the lead left them empty.
FILLED_LEAD_COLUMNS = ("first_name", "last_name", "company_name", "website", "city", "region", "country")

ENRICHED_LEADS = Table(
    "enriched_leads",
    "accepted lead",
    "Accepted leads with what is known about them; given values are never overwritten.",
    (
        *VALIDATED_LEADS.columns,
        *(
            Column(f"{name}_source", TEXT, f"Where `{name}` comes from: given, or what filled it")
            for name in FILLED_LEAD_COLUMNS
        ),
        *ENRICHED_FIELDS,
        Column("industry_confidence_share", REAL, "How sure `industry_code` is (0-1)", at_least=0, at_most=1),
        Column(
            "enrichment_status", TEXT, "How far enrichment came", required=True, one_of=("complete", "partial", "none")
        ),
        Column("degraded", TEXTS, "Codes of what had to be done without", required=True),
    ),
    key=("lead_id",),
)
