"""Templates of messages: plain text and HTML from one context, in Jinja's sandbox.

Belongs here: rendering within bounds. A template is ``<name>.txt.j2`` (its first line is the subject) and
``<name>.html.j2`` (escaped by itself); whoever edits one can't reach anything but the context.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, FileSystemLoader, TemplateError, TemplateNotFound
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARS = 500  # of one value
MOST_ITEMS = 200  # of one list
MOST_PAGE_CHARS = 400_000


class TemplateUnusable(Exception):
    """A template is missing, wrong, or renders to more than a message may hold: one line, without values."""


@dataclass(frozen=True)
class Rendered:
    """One message. ``subject`` is one line."""

    subject: str
    text: str
    html: str


class Templates:
    """The templates of a folder, read anew when they change."""

    def __init__(self, folder: Path) -> None:
        self._env = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=lambda name: bool(name and name.endswith((".html", ".html.j2"))),
            undefined=ChainableUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters["when"] = _when

    def render(self, name: str, context: Mapping[str, Any]) -> Rendered:
        """Render both forms.

        Raises:
            TemplateUnusable
        """
        bounded = {key: _bounded(value) for key, value in context.items()}
        try:
            text = self._render(f"{name}.txt.j2", bounded)
            html = self._render(f"{name}.html.j2", bounded)
        except TemplateNotFound as error:
            raise TemplateUnusable(f"there is no template {error.name}") from None
        except (TemplateError, ArithmeticError, AttributeError, TypeError, ValueError, LookupError) as error:
            line = getattr(error, "lineno", None)
            where = f" line {line}" if line else ""
            raise TemplateUnusable(f"template {name}{where}: {type(error).__name__}") from None
        subject, _, body = text.partition("\n")
        return Rendered(" ".join(subject.split())[:200], body.lstrip("\n"), html)

    def _render(self, file: str, context: Mapping[str, Any]) -> str:
        parts, length = [], 0
        for part in self._env.get_template(file).generate(context):
            parts.append(part)
            length += len(part)
            if length > MOST_PAGE_CHARS:
                raise TemplateUnusable(f"template {file} renders to more than {MOST_PAGE_CHARS:,} characters")
        return "".join(parts)


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        clean = "".join(c if c.isprintable() or c in "\n\t" else " " for c in value)
        return clean if len(clean) <= MOST_CHARS else clean[: MOST_CHARS - 1] + "…"
    if isinstance(value, Mapping):
        return {str(key): _bounded(each) for key, each in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list | tuple):
        return [_bounded(each) for each in value[:MOST_ITEMS]]
    return value


def _when(value: Any) -> str:
    """A point in time as people read it."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{moment:%a %d %b %Y %H:%M} {moment.tzname() or 'UTC'}"
