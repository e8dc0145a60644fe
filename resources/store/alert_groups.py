"""What was told of alerts, and where: one incident per group and destination at a time.

Belongs here: the rows. Does not belong here: what belongs together and when it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from resources.store.database import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store


@dataclass(frozen=True)
class Group:
    """What was told of a group of alerts at one destination."""

    destination: str
    group_key: str
    incident_number: int
    state: str  # open or healed
    severity: str
    code: str
    told_alert_id: int
    notices_count: int
    opened_at: datetime
    told_at: datetime

    @property
    def incident(self) -> str:
        """The name of the incident, the same from its first notice to its last."""
        return f"{self.group_key}#{self.incident_number}"


def lock_groups(con: Connection) -> bool:
    """Be the only one who tells until the transaction ends; False if somebody else does."""
    return bool(con.execute(statement("alert_groups/lock")).scalar_one())


def list_groups(con: Connection) -> dict[tuple[str, str], Group]:
    """All groups, by destination and key."""
    found = [Group(*row) for row in con.execute(statement("alert_groups/list"))]
    return {(each.destination, each.group_key): each for each in found}


def save_group(con: Connection, group: Group, now: datetime) -> None:
    """Keep what is told now."""
    row = {**group.__dict__, "healed_at": now if group.state == "healed" else None}
    con.execute(statement("alert_groups/save"), row)


def is_over(store: Store, destination: str, incident: str) -> bool:
    """Whether an incident has ended since it was told of."""
    key, _, number = incident.rpartition("#")
    asked = {"destination": destination, "group_key": key, "incident_number": int(number) if number.isdigit() else 0}
    with store.read() as con:
        return not con.execute(statement("alert_groups/is_open"), asked).scalar_one()
