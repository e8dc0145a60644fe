"""What FastAPI finds wrong with a request, as a problem that repeats nothing of it.

Belongs here: translating pydantic's errors. Their own messages may quote the input, so only their kinds are used.
"""

from __future__ import annotations

from typing import Any

from fastapi.exceptions import RequestValidationError

from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.reasons import describe

_CODES = {"missing": "missing_value", "json_invalid": "malformed_request"}


def problem_of_validation(error: RequestValidationError) -> Problem:
    """400 with every violation; a parameter is named by its place, a member of the body by its JSON pointer."""
    return Problem(400, "invalid_request", errors=[_violation(fault) for fault in error.errors()])


def _violation(fault: dict[str, Any]) -> dict[str, str]:
    place, *path = fault["loc"] or ("body",)
    code = _CODES.get(fault["type"], "invalid_value")
    said = {"code": code, "message": describe(code)}
    if place == "body":
        # A key of the client's own is no place of ours: it would be an echo.
        steps = [str(step).replace("~", "~0").replace("/", "~1") for step in path]
        return {"pointer": "".join(f"/{step}" for step in steps), **said}
    return {"parameter": ".".join(str(step) for step in path), "in": str(place), **said}
