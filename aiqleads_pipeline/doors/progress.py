"""Where a batch stands: its state, the tables that are written, its counts, why rows were rejected.

Belongs here: the document of `GET /v1/uploads/{batch_id}`, which its events repeat. Nothing of it is personal data.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from aiqleads_pipeline.contract import STORE_TABLES, TABLES
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import REASONS
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import batches, uploads
from resources.store.batches import Batch
from resources.store.uploads import CANCELLED, Upload

PROGRESS_TABLES = tuple(name for name in TABLES if name not in STORE_TABLES)
ENDED = ("done", "failed", "quarantined")
COUNTS = ("received", "rejected", "duplicates", "accepted", "routed", "in_review", "delivered_pending")
FRESH_SECONDS = 0.3  # who asks within that shares a look
MAX_KEPT = 256
UPLOADS_PATH = "/v1/uploads"
_NOT_WRITTEN = ("waiting", "requested", "quarantined")


@dataclass(frozen=True)
class Sent:
    """A batch and the clients that sent it."""

    batch: Batch
    uploads: Sequence[Upload]

    def of(self, client: str) -> Upload | None:
        """The client's own upload."""
        return next((upload for upload in self.uploads if upload.client == client), None)

    @property
    def state(self) -> str:
        """The state as the sender knows it."""
        return CANCELLED if self.batch.reason_code == CANCELLED else self.batch.state

    @property
    def is_ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.batch.state in ENDED


class Progress:
    """Looks at batches; threads share what they see for a moment."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._seen: OrderedDict[str, tuple[float, Sent, dict[str, Any]]] = OrderedDict()
        self._rejections: OrderedDict[tuple[object, ...], list[dict[str, Any]]] = OrderedDict()
        self._turn = threading.Lock()

    def find(self, batch_id: str) -> Sent | None:
        """The batch as the ledger has it; None if there is none. In a thread."""
        try:
            found = batches.batch(self._outside.store, batch_id)
        except batches.UnknownBatch:
            return None
        return Sent(found, uploads.uploads_of(self._outside.store, batch_id))

    def look(self, batch_id: str) -> tuple[Sent, dict[str, Any]] | None:
        """The batch and its document, as of a moment ago at most. In a thread."""
        with self._turn:
            seen = self._seen.get(batch_id)
        if seen is not None and time.monotonic() - seen[0] < FRESH_SECONDS:
            return seen[1], seen[2]
        sent = self.find(batch_id)
        if sent is None:
            return None
        document = self.describe(sent)
        with self._turn:
            _keep(self._seen, batch_id, (time.monotonic(), sent, document))
        return sent, document

    def describe(self, sent: Sent) -> dict[str, Any]:
        """The document, but for what differs from client to client (``file_name``). In a thread."""
        batch = sent.batch
        rows = {} if batch.state in _NOT_WRITTEN else self._rows(batch.batch_id)
        return {
            "batch_id": batch.batch_id,
            "source": batch.source,
            "state": sent.state,
            "is_ended": sent.is_ended,
            "size_bytes": batch.size_bytes,
            "received_at": batch.received_at.isoformat(),
            "finished_at": batch.finished_at.isoformat() if batch.finished_at and sent.is_ended else None,
            "attempts_count": batch.attempts_count,
            "progress": {
                "done_count": len(rows),
                "total_count": len(PROGRESS_TABLES),
                "tables": [
                    {"table": name, "is_written": name in rows, "rows_count": rows.get(name)}
                    for name in PROGRESS_TABLES
                ],
            },
            "counts": _counts(batch, rows),
            "reason": _reason(batch),
            "rejections": self._rejections_of(batch) if batch.state == "done" else [],
            "mapping": uploads.mapping_of(self._outside.store, batch.batch_id),
            "links": links_of(batch.batch_id),
        }

    def _rows(self, batch_id: str) -> dict[str, int | None]:
        """Rows of each table that is written; None where counting is not free."""
        lake = self._outside.lake
        found: dict[str, int | None] = {}
        for table in PROGRESS_TABLES:
            if not lake.exists(table, batch_id):
                continue
            found[table] = pq.read_metadata(lake.path(table, batch_id)).num_rows if lake.is_local else None
        return found

    def _rejections_of(self, batch: Batch) -> list[dict[str, Any]]:
        """Why rows were rejected, by code, the most frequent first."""
        name = (batch.batch_id, batch.finished_at)
        with self._turn:
            if name in self._rejections:
                return self._rejections[name]
        lake = self._outside.lake
        if not batch.counts.get("rejected") or not lake.exists("rejected_leads", batch.batch_id):
            return []
        path = lake.path("rejected_leads", batch.batch_id)
        if lake.is_local:
            codes = pq.read_table(path, columns=["code"])["code"]
        else:
            with open_engine(self._outside.settings) as con:
                lake.attach(con)
                codes = con.read_parquet(path).project("code").to_arrow_table()["code"]
        counted = sorted(pc.value_counts(codes).to_pylist(), key=lambda each: (-each["counts"], each["values"]))
        found = [{"code": each["values"], "rows_count": each["counts"], **_words(each["values"])} for each in counted]
        with self._turn:
            _keep(self._rejections, name, found)
        return found


def fingerprint(document: dict[str, Any]) -> str:
    """Tells one state of a document from another: the id of its event."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def links_of(batch_id: str) -> dict[str, str]:
    """Where a batch is asked for."""
    link = f"{UPLOADS_PATH}/{batch_id}"
    return {"self": link, "events": f"{link}/events", "errors": f"{link}/errors.csv"}


def _counts(batch: Batch, rows: dict[str, int | None]) -> dict[str, int]:
    """The batch's public numbers; of a running one what its tables tell so far."""
    if batch.state == "done":
        return {name: batch.counts[name] for name in COUNTS if isinstance(batch.counts.get(name), int)}
    names = (("received", "raw_leads"), ("duplicates", "duplicate_leads"), ("accepted", "validated_leads"),
             ("routed", "routed_leads"))  # fmt: skip
    found = {name: count for name, table in names if (count := rows.get(table)) is not None}
    if {"received", "duplicates", "accepted"} <= set(found):
        found["rejected"] = found["received"] - found["duplicates"] - found["accepted"]
    return found


def _reason(batch: Batch) -> dict[str, Any] | None:
    if batch.reason_code is None:
        return None
    return {"code": batch.reason_code, **_words(batch.reason_code), "detail": batch.detail}


def _words(code: str) -> dict[str, str]:
    reason = REASONS[code]
    return {"message": reason.message, "how_to_fix": reason.how_to_fix}


def _keep(kept: OrderedDict[Any, Any], name: object, value: object) -> None:
    kept[name] = value
    kept.move_to_end(name)
    while len(kept) > MAX_KEPT:
        kept.popitem(last=False)
