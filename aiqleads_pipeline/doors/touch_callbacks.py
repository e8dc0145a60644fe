"""`POST /v1/leads/{lead_id}/touches`: somebody spoke with a lead, which stops the clock of its first touch.

Belongs here: the route, for whoever watches calls and mailboxes (dialers, CRMs, assistants). Nothing of what was said
is taken: a touch is a kind and a time.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from aiqleads_pipeline.doors.access import ADMISSION, Admission
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.reasons import describe
from resources.store import intake, slas

router = APIRouter(tags=["leads"])
JSON = "application/json"
AHEAD = timedelta(minutes=5)  # that the sender's clock may be before ours
_NAMES = uuid.UUID("0d4c2f43-6f0f-5a39-9d0b-3f1f3e0c7a55")


class Touch(BaseModel):
    """What happened. The same lead, kind and time told again by the same client are one touch."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Literal["call", "email", "meeting", "message", "other"], Field(description="How it was touched")]
    touched_at: Annotated[AwareDatetime | None, Field(description="When, with its offset; now by default")] = None


class Recorded(BaseModel):
    """The touch as it is kept. ``is_new``: it was not told before."""

    touch_id: uuid.UUID
    lead_id: uuid.UUID
    kind: str
    touched_at: datetime
    is_new: bool
    links: dict[str, str]


@router.post(
    "/v1/leads/{lead_id}/touches",
    status_code=201,
    operation_id="record_touch",
    summary="Somebody touched a lead",
    responses={200: {"model": Recorded, "description": "It was told before"}},
    openapi_extra={"requestBody": {"required": True, "content": {JSON: {"schema": Touch.model_json_schema()}}}},
)
async def record_touch(lead_id: str, request: Request, response: Response) -> Recorded:
    """201 once it is durable; 200 if it was told before."""
    doors = request.app.state.doors
    admission: Admission = request.scope[ADMISSION]
    try:
        wanted = uuid.UUID(lead_id)
    except ValueError:
        raise Problem(404, "not_found") from None
    taken = await doors.workers.run(intake.find, doors.store, wanted)
    # Leads of files belong to no client: whoever reaches only one client's leads doesn't see them.
    admission.require_own("" if taken is None else taken.client)
    body = _read(await request.body())  # after the lead: whose it is not learns nothing from faults of the body
    now = doors.settings.now()
    touched_at = body.touched_at or now
    if touched_at > now + AHEAD:
        fault = {"pointer": "/touched_at", "code": "out_of_range", "message": describe("out_of_range")}
        raise Problem(400, "invalid_request", errors=[fault], detail="The time lies in the future.")
    client = admission.caller.client
    known = taken is not None or await doors.workers.run(_has_clock, doors.outside, wanted)
    if not known:
        raise Problem(404, "not_found")
    given = body.touched_at.isoformat() if body.touched_at else str(uuid.uuid4())
    touch_id = uuid.uuid5(_NAMES, f"{client} {wanted} {body.kind} {given}")
    is_new = await doors.workers.run(
        slas.record_contact, doors.store, touch_id, wanted, body.kind, touched_at, client, now
    )
    response.status_code = 201 if is_new else 200
    links = {"lead": f"/v1/leads/{wanted}"}
    return Recorded(
        touch_id=touch_id, lead_id=wanted, kind=body.kind, touched_at=touched_at, is_new=is_new, links=links
    )


def _read(body: bytes) -> Touch:
    try:
        return Touch.model_validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in faults]) from None


def _has_clock(outside: Outside, lead_id: uuid.UUID) -> bool:
    """In a thread: whether a lead that came in a file was routed with a clock."""
    found: list[dict[str, Any]] = slas.list_clocks(outside.store, lead_id=lead_id, limit=1)
    return bool(found)
