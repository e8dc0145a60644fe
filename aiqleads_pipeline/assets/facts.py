"""The facts that assets return: counts, shares, a masked preview, the funnel as a picture.

Belongs here: metadata for people. Personal data is masked: Dagster's event log is no place for it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from duckdb import DuckDBPyRelation

from aiqleads_pipeline.assets.batch_run import BatchRun
from aiqleads_pipeline.checks import check_results
from aiqleads_pipeline.contract import TABLES

PREVIEW_ROWS = 5
# What a person wants to see first of each table; ids and origin are on every page already.
PREVIEW_COLUMNS: dict[str, tuple[str, ...]] = {
    "raw_leads": ("row_number", "full_name", "email", "phone", "company_name", "job_title", "country"),
    "validated_leads": ("row_number", "full_name", "email", "phone_e164", "company_name", "country", "warnings"),
    "rejected_leads": ("row_number", "column_name", "code", "message", "value"),
    "duplicate_leads": ("row_number", "existing_lead_id", "matched_on", "match_score"),
    "enriched_leads": ("row_number", "email_kind", "company_domain", "job_seniority", "industry_code", "time_zone"),
    "scored_leads": ("lead_id", "lead_score", "quality_score", "conversion_prob", "score_method"),
    "classified_leads": ("lead_id", "priority", "industry_name", "size_segment", "territory"),
    "routed_leads": ("lead_id", "team", "owner", "rule_id", "owner_method", "sla_due_at"),
}


def materialized(run: BatchRun, table: str, rows: int, metadata: Mapping[str, Any]) -> dg.MaterializeResult:
    """The result of a table's step: its facts and the verdicts of its checks."""
    if not run.tells_facts:
        return dg.MaterializeResult(asset_key=table)
    return dg.MaterializeResult(
        asset_key=table,
        metadata={
            "dagster/row_count": rows,
            "dagster/uri": run.outside.lake.path(table, run.batch_id),
            "preview": dg.MetadataValue.md(preview(run, table)),
            **metadata,
        },
        check_results=check_results(run, table),
    )


def preview(run: BatchRun, table: str) -> str:
    """The first rows as a Markdown table, personal data masked to its first letter."""
    personal = {column.name for column in TABLES[table].columns if column.personal}
    names = [name for name in PREVIEW_COLUMNS[table] if name in TABLES[table].column_names]
    rows = run.read(table).project(", ".join(f'"{n}"' for n in names)).limit(PREVIEW_ROWS).fetchall()
    masked = [[_mask(v) if n in personal else v for n, v in zip(names, row, strict=True)] for row in rows]
    return markdown_table(names, masked)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; pipes and line ends in cells are data and stay inside of their cell."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def counts_by(relation: DuckDBPyRelation, column: str) -> dict[str, int]:
    """Rows by value of a coded column, the most frequent first (JSON metadata)."""
    rows = relation.aggregate(f'"{column}" AS value, count(*) AS n', f'"{column}"').order("n DESC, value").fetchall()
    return {str(value): n for value, n in rows}


def filled_shares(relation: DuckDBPyRelation) -> dict[str, float]:
    """How many of the rows have each enriched fact (0-1)."""
    names = [name for name in relation.columns if name.endswith("_source") and name != "lead_source"]
    row = relation.aggregate(", ".join(f'count("{n}") / greatest(count(*), 1)' for n in names)).fetchall()[0]
    return {name.removesuffix("_source"): round(float(share), 4) for name, share in zip(names, row, strict=True)}


def mapping_table(facts: Sequence[Any]) -> dg.MarkdownMetadataValue:
    """Which header went to which column, for every file of the batch."""
    rows = [
        (fact["name"], use["header"], use["column"] or "extra", use["how"]) for fact in facts for use in fact["mapping"]
    ]
    return dg.MetadataValue.md(markdown_table(("file", "header", "column", "how"), rows))


def funnel_picture(counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """The funnel of a batch as an SVG picture in Markdown."""
    top = max(counts.values(), default=0) or 1
    bars = []
    for i, (name, n) in enumerate(counts.items()):
        width = 380 * n / top
        bars.append(
            f'<rect x="130" y="{8 + 30 * i}" width="{width:.1f}" height="22" fill="#4f46e5"/>'
            f'<text x="122" y="{24 + 30 * i}" text-anchor="end">{name}</text>'
            f'<text x="{138 + width:.1f}" y="{24 + 30 * i}">{n:,}</text>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="620" height="{12 + 30 * len(counts)}" '
        f'font-family="sans-serif" font-size="13">{"".join(bars)}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![funnel](data:image/svg+xml;base64,{data})")


def _mask(value: Any) -> Any:
    return None if value is None else str(value)[:1] + "•••"


def _cell(value: Any) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ").replace("\r", " ")[:80]
