"""The tables of leads as they came, what was accepted, and what was not."""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import INT, JSON, REAL, TEXT, TEXTS, UUID, Column, Table
from aiqleads_pipeline.contract.lead import BATCH_ID, EXTRA, LEAD_COLUMNS, LEAD_ID, ORIGIN, ROW_NUMBER

RAW_LEADS = Table(
    "raw_leads",
    "row received",
    "Every row as it was received, in text. Rows that can't be read are here too, with the reason.",
    (
        *ORIGIN,
        *(Column(c.name, TEXT, f"{c.description} (as received)", personal=c.personal) for c in LEAD_COLUMNS),
        EXTRA,
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
        *ORIGIN,
        *LEAD_COLUMNS,
        Column("email_domain", TEXT, "The part of `email` behind the @"),
        Column("phone_e164", TEXT, "`phone` in E.164 form; null where it is no valid number", personal=True),
        Column("phone_extension", TEXT, "Extension given with the number"),
        EXTRA,
        Column("warnings", TEXTS, "`column:code` for each value that was repaired or set aside", required=True),
    ),
    key=("lead_id",),
)

REJECTED_LEADS = Table(
    "rejected_leads",
    "violation",
    "Why a row was rejected: one row per violation.",
    (
        LEAD_ID,
        BATCH_ID,
        ROW_NUMBER,
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
        LEAD_ID,
        BATCH_ID,
        ROW_NUMBER,
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
