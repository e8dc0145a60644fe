"""The lead contract: every table's columns, types, units and rules, and the registry of reason codes.

Belongs here: facts about the shape of data that two modules must agree on. Does not belong here: how a value is
computed (``stages``), where it is stored (``resources``), what a sales-ops person may edit (``data/rules``).
Casts on write, pandera schemas, Dagster column metadata and the docs all derive from ``TABLES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandera.pandas as pa

TEXT, TEXTS, UUID, INT, REAL, FLAG, TIME, DATE, JSON = (
    "VARCHAR",
    "VARCHAR[]",
    "UUID",
    "BIGINT",
    "DOUBLE",
    "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE",
    "DATE",
    "VARCHAR",  # JSON text; DuckDB's JSON type is VARCHAR in Parquet
)


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type and the rules that every row must meet."""

    name: str
    type: str
    description: str
    required: bool = False
    at_least: float | None = None
    at_most: float | None = None
    one_of: tuple[str, ...] | None = None
    personal: bool = False  # personal data: masked in previews, never in logs or metadata


@dataclass(frozen=True)
class Table:
    """One table of the lake or the store; ``grain`` says what one row stands for, ``key`` what is unique in it."""

    name: str
    grain: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """The columns in their published order."""
        return [column.name for column in self.columns]


def _score(name: str, description: str) -> Column:
    return Column(name, REAL, description, required=True, at_least=0, at_most=100)


def _source_of(field: str, kind: str = TEXT, description: str = "", **rules: object) -> tuple[Column, Column]:
    """A fact and the column that says where it comes from (``given`` or the name of what filled it)."""
    return (
        Column(field, kind, description, **rules),  # type: ignore[arg-type]
        Column(f"{field}_source", TEXT, f"Where `{field}` comes from; null where it is unknown"),
    )


# --- the lead's own columns, all optional but for the rule of reachability ---------------------------------------

LEAD_COLUMNS: tuple[Column, ...] = (
    Column("external_id", TEXT, "The lead's id at its source; unique within the source"),
    Column("lead_source", TEXT, "Where the row itself says it comes from (a CRM's Lead Source)"),
    Column("campaign", TEXT, "Marketing campaign"),
    Column("first_name", TEXT, "Given name", personal=True),
    Column("last_name", TEXT, "Family name", personal=True),
    Column("full_name", TEXT, "Whole name", personal=True),
    Column("job_title", TEXT, "Job title as the person gives it"),
    Column("email", TEXT, "E-mail address, lower case, domain in its ASCII form", personal=True),
    Column("phone", TEXT, "Telephone number as received, cleaned of invisible characters", personal=True),
    Column("linkedin_url", TEXT, "LinkedIn profile", personal=True),
    Column("company_name", TEXT, "Company"),
    Column("website", TEXT, "Company web site: its registrable domain"),
    Column("industry", TEXT, "Industry as the source words it"),
    Column("employee_count", INT, "Employees; the middle where a range was given", at_least=0),
    Column("annual_revenue_usd", REAL, "Yearly revenue in US dollars", at_least=0),
    Column("street", TEXT, "Street address", personal=True),
    Column("city", TEXT, "City"),
    Column("region", TEXT, "State or province, ISO 3166-2 (`US-CA`) where known, else as given"),
    Column("postal_code", TEXT, "Postal code, leading zeros kept"),
    Column("country", TEXT, "Country, ISO 3166-1 alpha-2"),
    Column("message", TEXT, "Free text from the lead", personal=True),
    Column("product_interest", TEXT, "Product asked about"),
    Column("budget_usd", REAL, "Budget in US dollars", at_least=0),
    Column("page_views_count", INT, "Page views", at_least=0),
    Column("email_opens_count", INT, "E-mails opened", at_least=0),
    Column("form_submissions_count", INT, "Forms sent", at_least=0),
    Column("last_activity_at", TIME, "Last activity of the lead"),
    Column("consent", FLAG, "Whether the lead agreed to be contacted"),
    Column("consent_at", TIME, "When it agreed"),
    Column("created_at", TIME, "When the lead came to be at its source"),
)
LEAD_COLUMN_NAMES: tuple[str, ...] = tuple(column.name for column in LEAD_COLUMNS)
REACHABLE_BY = ("email", "phone")
NAMED_BY = ("last_name", "full_name", "company_name")

_LEAD_ID = Column("lead_id", UUID, "The lead; deterministic from the drop's content and the row", required=True)
_BATCH_ID = Column("batch_id", TEXT, "The batch (one drop) it came with; sorts by time", required=True)
_ROW_NUMBER = Column("row_number", INT, "Row within the batch, from 1", required=True, at_least=1)
_SOURCE = Column("source", TEXT, "The source: the folder it was dropped in, or the API client's source", required=True)
_CHANNEL = Column(
    "source_channel", TEXT, "The door it came through", required=True, one_of=("upload", "webhook", "api", "scrape")
)
_RECEIVED_AT = Column("received_at", TIME, "When the drop was registered (UTC)", required=True)
_ORIGIN = (_LEAD_ID, _BATCH_ID, _ROW_NUMBER, _SOURCE, _CHANNEL, _RECEIVED_AT)
_EXTRA = Column("extra", JSON, "JSON object of the columns and values the contract has no place for", personal=True)

RAW_LEADS = Table(
    "raw_leads",
    "row received",
    "Every row as it was received, in text. Rows that can't be read are here too, with the reason.",
    (
        *_ORIGIN,
        *(Column(c.name, TEXT, f"{c.description} (as received)", personal=c.personal) for c in LEAD_COLUMNS),
        _EXTRA,
        Column("line_number", INT, "Line of the file where the row begins, where the format has lines"),
        Column("read_error_code", TEXT, "Why the row can't be read whole; null for a readable row"),
        Column("raw_line", TEXT, "The text of a row that can't be read", personal=True),
    ),
    key=("lead_id",),
)

VALIDATED_LEADS = Table(
    "validated_leads",
    "accepted lead",
    "Accepted leads, typed and normalised; what could not be understood is in `extra` and named in `warnings`.",
    (
        *_ORIGIN,
        *LEAD_COLUMNS,
        Column("email_domain", TEXT, "The part of `email` behind the @"),
        Column("phone_e164", TEXT, "`phone` in E.164 form; null where it is no valid number", personal=True),
        Column("phone_extension", TEXT, "Extension given with the number"),
        _EXTRA,
        Column("warnings", TEXTS, "`column:code` for each value that was repaired or set aside", required=True),
    ),
    key=("lead_id",),
)

REJECTED_LEADS = Table(
    "rejected_leads",
    "violation",
    "Why a row was rejected: one row per violation.",
    (
        _LEAD_ID,
        _BATCH_ID,
        _ROW_NUMBER,
        Column("line_number", INT, "Line of the file, where known"),
        Column("column_name", TEXT, "The contract column at fault; null where the whole row is"),
        Column("code", TEXT, "Reason code, see REASON_CODES", required=True),
        Column("message", TEXT, "What is wrong and what would be right", required=True),
        Column("value", TEXT, "The value as received", personal=True),
        Column("raw", JSON, "JSON of the row as received", required=True, personal=True),
    ),
)

DUPLICATE_LEADS = Table(
    "duplicate_leads",
    "repeated lead",
    "Leads that repeat one already known, which one, and by which rule.",
    (
        _LEAD_ID,
        _BATCH_ID,
        _ROW_NUMBER,
        Column("existing_lead_id", UUID, "The lead it repeats", required=True),
        Column(
            "matched_on",
            TEXT,
            "The rule that matched",
            required=True,
            one_of=("external_id", "email", "phone", "name_company", "fuzzy"),
        ),
        Column("match_score", REAL, "How sure the match is (0-1)", required=True, at_least=0, at_most=1),
    ),
    key=("lead_id",),
)

EMAIL_KINDS = ("business", "free", "disposable", "role")
EMAIL_STATUSES = (
    "valid", "invalid", "accept_all", "webmail", "disposable", "spam_trap", "abuse", "do_not_mail",
)  # fmt: skip
SENIORITIES = ("c_level", "vp", "director", "manager", "senior", "staff", "junior")
JOB_FUNCTIONS = (
    "executive", "sales", "marketing", "engineering", "it", "finance", "hr", "operations", "legal", "product",
    "customer_success", "procurement", "medical", "education", "design", "data", "other",
)  # fmt: skip
EMPLOYEE_BANDS = ("1-10", "11-50", "51-200", "201-500", "501-1000", "1001-5000", "5001-10000", "10001+")
REVENUE_BANDS = ("<1M", "1M-10M", "10M-50M", "50M-100M", "100M-500M", "500M-1B", "1B+")
NAICS_SECTORS = {
    "11": "Agriculture, Forestry, Fishing and Hunting",
    "21": "Mining, Quarrying, and Oil and Gas Extraction",
    "22": "Utilities",
    "23": "Construction",
    "31-33": "Manufacturing",
    "42": "Wholesale Trade",
    "44-45": "Retail Trade",
    "48-49": "Transportation and Warehousing",
    "51": "Information",
    "52": "Finance and Insurance",
    "53": "Real Estate and Rental and Leasing",
    "54": "Professional, Scientific, and Technical Services",
    "55": "Management of Companies and Enterprises",
    "56": "Administrative and Support and Waste Management and Remediation Services",
    "61": "Educational Services",
    "62": "Health Care and Social Assistance",
    "71": "Arts, Entertainment, and Recreation",
    "72": "Accommodation and Food Services",
    "81": "Other Services (except Public Administration)",
    "92": "Public Administration",
}
UNKNOWN_INDUSTRY = "unknown"

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

SCORE_PARTS = (
    "completeness", "freshness", "source_reliability", "engagement",
    "segment_fit", "budget_fit", "intent", "historical", "conversion",
)  # fmt: skip
QUALITY_PARTS = SCORE_PARTS[:4]
FIT_PARTS = ("segment_fit", "budget_fit")
INTEREST_PARTS = ("engagement", "intent", "freshness")

SCORED_LEADS = Table(
    "scored_leads",
    "accepted lead",
    "Scores with their parts: `lead_score` is the sum of the `_points` columns, held within 0 and 100.",
    (
        _LEAD_ID,
        _BATCH_ID,
        _score("completeness_score", "How much of what sales needs is there"),
        _score("freshness_score", "How recent the lead's facts are"),
        _score("source_reliability_score", "How good leads of this source turned out to be"),
        _score("engagement_score", "What the lead did lately"),
        _score("quality_score", "Weighted mean of the four above"),
        _score("fit_score", "Who they are: weighted mean of segment and budget fit"),
        _score("interest_score", "What they do: weighted mean of engagement, intent and freshness"),
        _score("segment_fit_score", "How well it fits the ideal customer profile"),
        _score("budget_fit_score", "How well its budget fits"),
        _score("intent_score", "How strongly it signals to buy"),
        _score("historical_score", "How leads like it converted"),
        Column("conversion_prob", REAL, "Probability to convert", required=True, at_least=0, at_most=1),
        _score("lead_score", "The score people see"),
        *(
            Column(f"{part}_points", REAL, f"Points of `lead_score` that {part} brings", required=True)
            for part in SCORE_PARTS
        ),
        Column("weights_code", TEXT, "The segment of scoring.yaml whose weights counted, or `default`", required=True),
        Column("score_method", TEXT, "What gave the probability", required=True, one_of=("model", "rules")),
        Column("score_method_reason", TEXT, "Why the model did not score; null where it did"),
        Column(
            "score_rung",
            TEXT,
            "What gave the probability: the model, the rules, or the usual rate where no rule has anything to go by; "
            "`score_method_reason` says why not the one above",
            required=True,
            one_of=("model", "rules", "prior"),
        ),
        Column("model_version", TEXT, "The model that scored; null under rules"),
        Column(
            "reasons",
            JSON,
            "JSON list of the strongest parts and all others as one: part, points, effect, text; the points add up to "
            "`lead_score`",
            required=True,
        ),
        Column("degraded", TEXTS, "Codes of what had to be done without", required=True),
    ),
    key=("lead_id",),
)

PRIORITIES = ("P1", "P2", "P3", "P4")
SIZE_SEGMENTS = ("micro", "small", "mid_market", "enterprise", "unknown")

CLASSIFIED_LEADS = Table(
    "classified_leads",
    "accepted lead",
    "Industry, size, priority and territory of each lead, and which of them are stated defaults.",
    (
        _LEAD_ID,
        _BATCH_ID,
        Column("industry_code", TEXT, "NAICS 2022 sector", required=True, one_of=(*NAICS_SECTORS, UNKNOWN_INDUSTRY)),
        Column("industry_name", TEXT, "Name of the sector", required=True),
        Column("size_segment", TEXT, "Size segment of the company", required=True, one_of=SIZE_SEGMENTS),
        Column("priority", TEXT, "How soon somebody must act", required=True, one_of=PRIORITIES),
        Column("priority_rule", TEXT, "The row of the decision table that gave the priority", required=True),
        Column("territory", TEXT, "Sales territory", required=True),
        Column(
            "territory_matched_on", TEXT, "account, postal_code, region, country, worldwide or default", required=True
        ),
        Column("defaults_applied", TEXTS, "Which classes are defaults for want of facts", required=True),
        Column("degraded", TEXTS, "Codes of what had to be done without", required=True),
    ),
    key=("lead_id",),
)

ROUTED_LEADS = Table(
    "routed_leads",
    "routed lead",
    "Who gets the lead, by which rule, why that person and why not the others, and until when.",
    (
        _LEAD_ID,
        _BATCH_ID,
        Column("team", TEXT, "Team", required=True),
        Column("owner", TEXT, "Owner: the person's id in teams.yaml", required=True),
        Column("rule_id", TEXT, "Routing rule", required=True),
        Column("owner_method", TEXT, "How the owner was found", required=True, one_of=("account", "rota")),
        Column("priority", TEXT, "Priority at the time of routing", required=True, one_of=PRIORITIES),
        Column("reasons", JSON, "JSON: rule, method, turn, candidates, why the others were passed over", required=True),
        Column("sla_due_at", TIME, "First touch is due by then", required=True),
        Column("routed_at", TIME, "When it was decided", required=True),
    ),
    key=("lead_id",),
)

REVIEW_QUEUE = Table(
    "review_queue",
    "lead that waits for a person",
    "Leads that no rule matched, no owner had room for, or that wait because routing is off (store).",
    (
        _LEAD_ID,
        _BATCH_ID,
        Column(
            "reason_code",
            TEXT,
            "Why it waits",
            required=True,
            one_of=("no_rule", "sent_to_review", "no_capacity", "no_owner", "routing_disabled", "routing_failed"),
        ),
        Column("suggestion", JSON, "JSON: team, owner and rule that would be taken", required=True),
        Column("opened_at", TIME, "Since when it waits", required=True),
        Column("resolved_at", TIME, "When a person decided"),
    ),
    key=("lead_id",),
)

DELIVERIES = Table(
    "deliveries",
    "lead and destination",
    "The outbox: every intent of delivery and what became of it (store).",
    (
        Column("delivery_id", UUID, "Stays the same over retries; the receivers' idempotency key", required=True),
        _LEAD_ID,
        _BATCH_ID,
        Column("destination", TEXT, "Name in destinations.yaml", required=True),
        Column(
            "state",
            TEXT,
            "Where it stands",
            required=True,
            one_of=("pending", "in_flight", "delivered", "dead", "cancelled"),
        ),
        Column("attempts", INT, "Attempts so far", required=True, at_least=0),
        Column("next_attempt_at", TIME, "When it is tried next"),
        Column("last_error_code", TEXT, "Why the last attempt failed"),
        Column("external_id", TEXT, "The record's id at the destination"),
    ),
    key=("delivery_id",),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_LEADS, REJECTED_LEADS, DUPLICATE_LEADS, VALIDATED_LEADS, ENRICHED_LEADS, SCORED_LEADS, CLASSIFIED_LEADS,
        ROUTED_LEADS, REVIEW_QUEUE, DELIVERIES,
    )
}  # fmt: skip
STORE_TABLES = ("review_queue", "deliveries")


@cache
def pandera_schema(table_name: str) -> pa.DataFrameSchema:
    """The pandera schema of a table, for pandas frames read from Parquet with Arrow types.

    Types are held by the cast on write; this guards nullability, ranges, legal values and unique keys.
    """
    import pandera.pandas as pa

    def checks(column: Column) -> list[pa.Check]:
        found = []
        if column.at_least is not None:
            found.append(pa.Check.ge(column.at_least))
        if column.at_most is not None:
            found.append(pa.Check.le(column.at_most))
        if column.one_of is not None:
            found.append(pa.Check.isin(list(column.one_of)))
        return found

    table = TABLES[table_name]
    return pa.DataFrameSchema(
        {c.name: pa.Column(None, checks(c), nullable=not c.required, required=True) for c in table.columns},
        unique=list(table.key) or None,
        strict=True,
        name=table.name,
    )


def cast_projection(table_name: str) -> str:
    """The select list that gives a relation exactly the table's columns, types and order."""
    return ", ".join(f'"{c.name}"::{c.type} AS "{c.name}"' for c in TABLES[table_name].columns)
