"""The one registry of reason codes: the same code in API answers, tables, metrics and alerts.

A code is snake_case and names what is wrong, not who noticed. Kinds: ``row`` codes reject or flag a row, ``drop`` codes
quarantine a whole file, ``lead`` codes mark a lead that went on with less (``degraded``), ``review`` codes say why it
waits, ``delivery`` codes why it has not arrived. ``aiqleads errors`` and ``docs/errors.md`` tell all of them.

A new code goes into the module of its area; each is registered once, whatever its area.
"""

from __future__ import annotations

from aiqleads_pipeline.reasons.alerts import ALERTS
from aiqleads_pipeline.reasons.calls import CALLS
from aiqleads_pipeline.reasons.doors import DOORS
from aiqleads_pipeline.reasons.incoming import INCOMING
from aiqleads_pipeline.reasons.leads import LEADS
from aiqleads_pipeline.reasons.reason import Actor, ErrorClass, Kind, Reason

__all__ = ["REASONS", "Actor", "ErrorClass", "Kind", "Reason", "describe"]

_ALL = (*INCOMING, *LEADS, *DOORS, *CALLS, *ALERTS)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}


def describe(code: str) -> str:
    """The code's message in one line; an unregistered code raises KeyError, so none can be invented in passing."""
    return REASONS[code].message
