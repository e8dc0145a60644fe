"""The page at `/` for people: upload a file, correct what its columns mean, watch, fetch what was rejected.

Belongs here: handing out the page's few files. All it does goes through the same API as everybody's programs, with the
key that its user types in.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from aiqleads_pipeline.doors.previewing import FIELDS
from aiqleads_pipeline.doors.problems import Problem

FOLDER = Path(__file__).parent / "page_files"
_TYPES = {"page.js": "text/javascript; charset=utf-8", "page.css": "text/css; charset=utf-8"}
# Nothing from elsewhere, nothing inline, no form that goes anywhere: text of leads can't become anything else.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_HEADERS = {"content-security-policy": CONTENT_POLICY, "cache-control": "no-cache"}
router = APIRouter(tags=["page"])


@router.get("/", response_class=Response, summary="The page for people")
async def show_page(request: Request) -> Response:
    """HTML."""
    settings = request.app.state.doors.settings
    text = _template().render(
        fields=FIELDS, max_upload_mb=settings.MAX_UPLOAD_MB, max_preview_mb=settings.MAX_PREVIEW_MB
    )
    return Response(text, media_type="text/html; charset=utf-8", headers=_HEADERS)


@router.get("/page/{file}", response_class=Response, summary="The page's script and style")
async def show_page_file(file: str) -> Response:
    """JavaScript or CSS."""
    if file not in _TYPES:
        raise Problem(404, "not_found")
    return Response(_content(file), media_type=_TYPES[file], headers=_HEADERS)


@cache
def _content(file: str) -> bytes:
    return (FOLDER / file).read_bytes()


@cache
def _template() -> Any:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined).get_template(
        "page.html"
    )
