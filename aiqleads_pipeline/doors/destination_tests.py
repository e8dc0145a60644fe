"""`POST /v1/destinations/{destination}/test`: the test button of a destination, for operators.

Belongs here: the route and what it answers. Sending is ``delivering.trial``.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from aiqleads_pipeline.delivering.kinds import NotBuilt
from aiqleads_pipeline.delivering.trial import send_test
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations import load_destinations
from aiqleads_pipeline.rules.loading import RulesError

router = APIRouter(tags=["destinations"])


class Tested(BaseModel):
    """What came of it: ``outcome`` is ``delivered``, or why not by the same words as in the outbox. The receiver's
    answer is left out: it may repeat what it was sent."""

    destination: str
    outcome: str
    status_code: int | None
    error_code: str | None


@router.post("/v1/destinations/{destination}/test", summary="Send a made-up lead to a destination")
async def test_destination(destination: str, request: Request) -> Tested:
    """200 with what came of it, also where the destination refused; at once and past the outbox."""
    doors = request.app.state.doors
    tested: Tested = await doors.workers.run(_test, doors.outside, destination)
    return tested


def _test(outside: Outside, name: str) -> Tested:
    """In a thread."""
    try:
        rule = load_destinations(outside.settings.rules_dir).sent.get(name)
    except RulesError:
        raise Problem(409, "destination_unusable", detail="destinations.yaml has faults.") from None
    if rule is None:
        raise Problem(404, "not_found")
    try:
        receipt = send_test(outside, rule)
    except NotBuilt:
        raise Problem(409, "destination_unusable") from None
    return Tested(
        destination=name,
        outcome=receipt.outcome.value,
        status_code=receipt.status_code,
        error_code=receipt.error_code,
    )
