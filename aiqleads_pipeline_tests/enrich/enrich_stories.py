"""Types and constants that the enrichment tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from duckdb import DuckDBPyRelation

AS_OF = datetime(2026, 11, 23, 12, tzinfo=UTC)
Row = dict[str, Any]
Validated = Callable[[Sequence[Row]], DuckDBPyRelation]
Enriched = Callable[..., list[Row]]
