"""What deliveries carry: leads from the lake, joined as in a line of a ``file`` destination; notices from the store.

Belongs here: one read per batch and claim. Engines are few, small and shared by all lanes of the process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from itertools import groupby
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any
from uuid import UUID

from duckdb import ColumnExpression as Column
from duckdb import ConstantExpression as Constant

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations import SentDestination
from aiqleads_pipeline.stages import deliver
from aiqleads_pipeline.stages.engine import open_engine
from resources.lake import TableMissing
from resources.store import notices, reviews, slas
from resources.store.deliveries import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

Bodies = dict[UUID, Mapping[str, Any]]
_ENGINES, _ENGINE_MB = 2, 384


class BodyReader:
    """Reads bodies; threads may share it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        update = {"ENGINE_MEMORY_MB": _ENGINE_MB, "ENGINE_THREADS": 1}
        self._settings = outside.settings.model_copy(update=update)
        self._free: SimpleQueue[DuckDBPyConnection] = SimpleQueue()
        self._turns = BoundedSemaphore(_ENGINES)

    def read(self, destination: SentDestination, claimed: Sequence[Delivery]) -> Bodies:
        """The bodies of deliveries by delivery id. Those whose lead or notice is nowhere are left out."""
        bodies: Bodies = {}
        by_batch = sorted(claimed, key=lambda each: each.batch_id)
        for batch_id, found in groupby(by_batch, key=lambda each: each.batch_id):
            of_batch = list(found)
            if batch_id == notices.NOTICES_BATCH:
                told = notices.read_notices(self._outside.store, [each.lead_id for each in of_batch])
                bodies |= {each.delivery_id: told[each.lead_id] for each in of_batch if each.lead_id in told}
            else:
                bodies |= self._leads(destination, batch_id, of_batch)
        return bodies

    def close(self) -> None:
        """Let the engines go."""
        while True:
            try:
                self._free.get_nowait().close()
            except Empty:
                return

    def _leads(self, destination: SentDestination, batch_id: str, wanted: Sequence[Delivery]) -> Bodies:
        # What was meant for it when it was routed is delivered, whatever the rules say of teams by now.
        everyone = destination.model_copy(update={"teams": None, "priorities": None})
        ids = sorted(each.lead_id for each in wanted)
        with self._engine() as con:
            try:
                routed, enriched, scored, classified = (
                    _in_range(self._outside.lake.read(con, table, batch_id=batch_id), ids)
                    for table in ("routed_leads", "enriched_leads", "scored_leads", "classified_leads")
                )
                routed = routed.join(con.from_arrow(_as_table(ids)), "lead_id", how="semi")
            except TableMissing:
                return {}
            bodies = _bodies(deliver.list_lines(con, routed, enriched, scored, classified, everyone))
            missing = [each.lead_id for each in wanted if each.delivery_id not in bodies]
            if missing:  # a person assigned them
                reviewed = con.from_arrow(reviews.leads_of_batch(self._outside.store, batch_id))
                assigned = deliver.list_assigned(con, reviewed, classified, missing)
                bodies |= _bodies(deliver.list_lines(con, assigned, enriched, scored, classified, everyone))
        # Where the clock gave a lead to somebody else.
        moved = {
            lead_id: {"owner": owner, "sla_due_at": f"{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
            for lead_id, (owner, due_at) in slas.current_promises(self._outside.store, ids).items()
        }
        return {id_: {**body, **moved.get(body["lead_id"], {})} for id_, body in bodies.items()}

    @contextmanager
    def _engine(self) -> Iterator[DuckDBPyConnection]:
        with self._turns:
            try:
                con = self._free.get_nowait()
            except Empty:
                con = open_engine(self._settings)
                self._outside.lake.attach(con)
            try:
                yield con
            except BaseException:
                con.close()
                raise
            self._free.put(con)


def _in_range(table: DuckDBPyRelation, ids: Sequence[UUID]) -> DuckDBPyRelation:
    """The rows from the first to the last of some leads: it spares the row groups that hold none of them."""
    lead_id = Column("lead_id")
    return table.filter((lead_id >= Constant(ids[0])) & (lead_id <= Constant(ids[-1])))


def _as_table(ids: Sequence[UUID]) -> pa.Table:
    import pyarrow as pa

    raw = pa.array([each.bytes for each in ids], pa.binary(16))
    return pa.table({"lead_id": pa.ExtensionArray.from_storage(pa.uuid(), raw)})


def _bodies(lines: DuckDBPyRelation) -> Bodies:
    found: Iterable[tuple[str]] = lines.fetchall()
    read = (json.loads(line) for (line,) in found)
    return {UUID(body["delivery_id"]): body for body in read}
