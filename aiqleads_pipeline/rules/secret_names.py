"""How rules name a secret, and which secrets a rule names.

Belongs here: the type of such a name and the look for it in any rule. Does not belong here: values; they are read from
``AIQLEADS_SECRET__<NAME>`` when they are used (``settings.secret``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, Field


@dataclass(frozen=True)
class _NamesSecret:
    """Marks a type: its texts are names of secrets."""


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


SecretName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,99}$"), _NamesSecret()]
# One, or several while they are rotated.
SecretNames = Annotated[tuple[SecretName, ...], BeforeValidator(_listed), Field(max_length=5)]


def secrets_named_in(rule: BaseModel) -> Iterator[str]:
    """The secrets that a rule names, itself or in the rules within it, as they are written there."""
    for name, field in type(rule).model_fields.items():
        value = getattr(rule, name)
        if isinstance(value, BaseModel):
            yield from secrets_named_in(value)
        elif value and (_is_marked(field.annotation) or _NamesSecret() in field.metadata):
            yield from [value] if isinstance(value, str) else value


def _is_marked(annotation: Any) -> bool:
    marks = getattr(annotation, "__metadata__", ())
    return _NamesSecret() in marks or any(map(_is_marked, get_args(annotation)))
