"""The lead's own columns, and those that say where a row comes from: the parts of many tables.

Belongs here: columns that more than one table has.
"""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import FLAG, INT, JSON, REAL, TEXT, TIME, UUID, Column

# All optional but for the rule of reachability.
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

LEAD_ID = Column("lead_id", UUID, "The lead; deterministic from the drop's content and the row", required=True)
BATCH_ID = Column("batch_id", TEXT, "The batch (one drop) it came with; sorts by time", required=True)
ROW_NUMBER = Column("row_number", INT, "Row within the batch, from 1", required=True, at_least=1)
SOURCE = Column("source", TEXT, "The source: the folder it was dropped in, or the API client's source", required=True)
CHANNEL = Column(
    "source_channel", TEXT, "The door it came through", required=True, one_of=("upload", "webhook", "api", "scrape")
)
RECEIVED_AT = Column("received_at", TIME, "When the drop was registered (UTC)", required=True)
ORIGIN = (LEAD_ID, BATCH_ID, ROW_NUMBER, SOURCE, CHANNEL, RECEIVED_AT)
EXTRA = Column("extra", JSON, "JSON object of the columns and values the contract has no place for", personal=True)
