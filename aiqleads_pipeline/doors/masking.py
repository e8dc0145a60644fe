"""Personal data as roles see it that need none.

Belongs here: what is left of a value. Which roles see it so is said in ``permissions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from aiqleads_pipeline.contract import LEAD_COLUMNS

Kind = Literal["email", "phone", "name", "text"]
MASK = "***"

_KINDS: dict[str, Kind] = {
    "email": "email",
    "phone": "phone",
    "phone_e164": "phone",
    "first_name": "name",
    "last_name": "name",
    "full_name": "name",
}
PERSONAL: dict[str, Kind] = {
    **{column.name: _KINDS.get(column.name, "text") for column in LEAD_COLUMNS if column.personal},
    "phone_e164": "phone",
    "extra": "text",
    "raw": "text",
    "value": "text",
}


def mask(value: object, kind: Kind) -> str | None:
    """What may be seen of a value: a mailbox keeps its domain, a phone its last two digits, a name its first letters.

    None and empty stay what they are, so that one can see whether there is a value at all.
    """
    if value is None or value == "":
        return None if value is None else ""
    shown = str(value)
    if kind == "email":
        return f"{MASK}@{shown.rpartition('@')[2]}" if "@" in shown else MASK
    if kind == "phone":
        digits = [c for c in shown if c.isdigit()]
        return f"{MASK}{''.join(digits[-2:])}" if len(digits) > 4 else MASK
    if kind == "name":
        return " ".join(f"{word[0]}." for word in shown.split()) or MASK
    return MASK


def mask_lead(lead: Mapping[str, Any]) -> dict[str, Any]:
    """A flat lead with every personal column of the contract masked."""
    return {name: mask(value, PERSONAL[name]) if name in PERSONAL else value for name, value in lead.items()}
