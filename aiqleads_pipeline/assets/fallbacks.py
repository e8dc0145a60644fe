"""Which failures of a step a stated fallback may answer: those of what it computes, not of what it stands on.

Belongs here: the one decision. What the fallback is, is the step's business.
"""

from __future__ import annotations

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from aiqleads_pipeline.assets.batch_run import BatchRun
from resources.store.errors import StoreError

# Time limit, disk, memory, database: running the batch again is what heals them.
_OF_THE_GROUND = (
    duckdb.InterruptException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    OSError,
    MemoryError,
    StoreError,
    SQLAlchemyError,
)


def require_own_fault(run: BatchRun, error: Exception) -> None:
    """Pass if the failure is the step's own; else raise it.

    Raises:
        LeaseLost: the run has lost its batch. The error itself: a retry of the run can help.
    """
    run.lease.check()
    if isinstance(error, _OF_THE_GROUND):
        raise error
