"""Whether the service lives and is ready, its numbers, and what its problem codes mean.

Belongs here: answers about the service itself. They need no database, so that they come when it is away.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from aiqleads_pipeline.doors import metrics
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.reasons import REASONS

router = APIRouter(tags=["service"])


@router.get("/healthz", summary="The process answers")
async def healthz() -> dict[str, str]:
    """200 as long as the process can answer at all; a supervisor restarts what does not."""
    return {"status": "ok"}


@router.get("/readyz", summary="Requests are taken")
async def readyz(request: Request) -> dict[str, str]:
    """200 if requests are taken, else 503 with the reason as a problem."""
    reason = request.app.state.doors.breaker.reason
    if reason is not None:
        raise Problem(503, reason, headers={"Retry-After": "1"})
    return {"status": "ready"}


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def show_metrics() -> Response:
    """All numbers in the Prometheus text format; without a key on this host only."""
    return Response(metrics.exposition(), headers={"content-type": metrics.CONTENT_TYPE.decode()})


@router.get("/problems/{code}", summary="What a problem code means")
async def show_problem(code: str) -> dict[str, str]:
    """What a problem's ``type`` refers to."""
    reason = REASONS.get(code)
    if reason is None:
        raise Problem(404, "not_found")
    return {"code": reason.code, "message": reason.message, "how_to_fix": reason.how_to_fix}
