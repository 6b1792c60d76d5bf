"""The service itself over HTTP: health, limits, models, sessions, and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from seamline.server.answers import Running, authorized, refusals
from seamline.server.guard import COOKIE, SESSION_SECONDS, address_of
from seamline.server.refusals import Refused
from seamline.server.schemas import ErrorBody, LimitsBody, ModelCard, Status, TokenBody
from seamline.server.threads import in_thread

PAGE = Path(__file__).parent / "page"
_MOST_BODY_BYTES = 65536
router = APIRouter(tags=["service"])
_TOKEN = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": TokenBody.model_json_schema()}},
    }
}


@router.get("/health", response_model=Status, responses=refusals())
async def health() -> Response:
    """Say that the service answers."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/ready",
    response_model=Status,
    responses={**refusals(), 503: {"model": ErrorBody, "description": "Not now, and why."}},
)
async def ready(service: Running) -> Response:
    """Say whether jobs are worked on, or why not."""
    await in_thread(service.store.count, "queued", kind="database")
    if service.pool.trouble is not None:
        raise Refused(503, "not_ready", service.pool.trouble, {"Retry-After": "5"})
    return JSONResponse({"status": "ready"})


@router.get("/api/v1/limits", response_model=LimitsBody, responses=refusals())
async def limits(service: Running) -> Response:
    """Tell what is taken; needs no token."""
    most = service.settings.limits
    return JSONResponse(
        {
            "upload_bytes": most.upload_bytes,
            "duration_seconds": most.duration_seconds,
            "pixels": most.pixels,
            "keep_seconds": service.settings.keep_seconds,
            "token_required": service.guard.asks_for_token,
        }
    )


@router.get(
    "/api/v1/models",
    response_model=list[ModelCard],
    responses=refusals(401),
    dependencies=[Depends(authorized)],
)
async def models(request: Request) -> Response:
    """Tell by which model this service judges."""
    return JSONResponse(await in_thread(request.app.state.describe_models))


@router.post(
    "/api/v1/session",
    status_code=204,
    responses=refusals(400, 401, 403, 408, 413, 429),
    openapi_extra=_TOKEN,
)
async def open_session(request: Request, service: Running) -> Response:
    """Turn the token into a cookie, for a page whose players cannot send headers."""
    try:
        body = TokenBody.model_validate_json(await _small_body(request, service))
    except pydantic.ValidationError:
        raise Refused(400, "malformed", 'Send JSON: {"token": "…"}.') from None
    service.guard.check_given(body.token, address_of(request))
    answer = Response(status_code=204)
    answer.set_cookie(
        COOKIE,
        service.guard.session(),
        max_age=SESSION_SECONDS,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.delete("/api/v1/session", status_code=204, responses=refusals(403))
async def close_session() -> Response:
    """Take the cookie away."""
    answer = Response(status_code=204)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return answer


@router.get("/", include_in_schema=False)
async def page() -> Response:
    """Give the page."""
    if not (PAGE / "index.html").is_file():
        raise Refused(404, "not_found", "This installation has no page; the API is at /api/v1.")
    return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


async def _small_body(request: Request, service: Any) -> bytes:
    """Reads a body that has no reason to be long or slow."""
    import asyncio

    body = b""
    try:
        async with asyncio.timeout(service.settings.limits.silent_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BODY_BYTES:
                    raise Refused(
                        413, "too_large", f"At most {_MOST_BODY_BYTES} bytes are taken here."
                    )
    except TimeoutError:
        raise Refused(408, "too_slow", "The request did not come to its end. Try again.") from None
    return body
