"""How far scores and what they rest on have drifted, and whether the model must step down for it.

Belongs here: the states. Does not belong here: measuring (``aiqleads_pipeline.stages.drift``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from resources.store.database import statement

if TYPE_CHECKING:
    from resources.store.database import Store

ALERT = 2
TIMES_TO_STEP_DOWN = 2  # seen twice in a row: the first time a person is told


def record(store: Store, subject: str, level: int, value: float, detail: str, now: datetime) -> int:
    """Note how a thing stands (level 0 usual, 1 warning, 2 alert); returns how often in a row it stood so."""
    row = {"subject": subject, "level": level, "value": value, "detail": detail, "now": now}
    with store.transaction("store:record_drift") as con:
        return int(con.execute(statement("drift/record"), row).scalar_one())


def step_down(store: Store) -> str | None:
    """Why the model must not score for now (the rung below does), or None.

    Its probabilities were far from what came true, twice in a row. It scores again once they hold, or with a new model.
    """
    with store.read() as con:
        found = con.execute(statement("drift/find"), {"subject": "calibration"}).first()
    if found is None or found.level < ALERT or found.times_count < TIMES_TO_STEP_DOWN:
        return None
    return f"its probabilities do not hold: {found.detail}"


def forget(store: Store, now: datetime) -> None:
    """A new model came into force: what was seen of the old one says nothing about it."""
    record(store, "calibration", 0, 1.0, "a new model came into force", now)
