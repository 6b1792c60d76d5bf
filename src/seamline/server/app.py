"""Makes the service's application: settings and a detector's loader in, an ASGI app out."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from seamline import __version__
from seamline.scale.examine import Loader
from seamline.server.guard import Guard
from seamline.server.headers import SafeHeaders
from seamline.server.openapi import true_schema
from seamline.server.refusals import Refused, answer
from seamline.server.routes_about import PAGE
from seamline.server.routes_about import router as about
from seamline.server.routes_files import router as files
from seamline.server.routes_jobs import router as jobs
from seamline.server.service import Ground, Service
from seamline.server.settings import ServiceSettings

_CODES = {404: "not_found", 405: "method_not_allowed", 416: "bad_range"}
_log = logging.getLogger(__name__)


def create_app(
    settings: ServiceSettings,
    load: Loader,
    ground: Ground | None = None,
    is_up: Callable[[], None] = lambda: None,
) -> FastAPI:
    """Makes the app; the processes, and what ``ground`` does not bring, open when it starts."""
    guard = Guard(settings)

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        app.state.service = service = await asyncio.to_thread(
            Service.start, settings, guard, load, loop, ground
        )
        is_up()
        try:
            yield
        finally:
            await asyncio.to_thread(service.close)

    app = FastAPI(
        title="Seamline",
        version=__version__,
        summary="Tells whether the faces and the voice in a video are genuine.",
        lifespan=run,
        docs_url=None,  # the usual pages load scripts from other hosts
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.describe_models = cache(lambda: [_model_card(load)])
    for routes in (about, jobs, files):
        app.include_router(routes)
    if PAGE.is_dir():
        app.mount("/static", StaticFiles(directory=PAGE), name="static")
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _our_fault)
    app.add_middleware(SafeHeaders, guard=guard)
    make_schema = app.openapi
    app.openapi = cache(  # type: ignore[method-assign]
        lambda: true_schema(make_schema(), asks_for_token=guard.asks_for_token)
    )
    return app


def _model_card(load: Loader) -> dict[str, Any]:
    model, summary = load.identify(), load.summary()
    limits = summary.get("limits", [])
    return {
        "name": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "line": summary.get("line", ""),
        "card": load.card(),
        "figures": dict(summary.get("figures", {})),
        "limits": [limits] if isinstance(limits, str) else list(limits),
    }


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return answer(error, request.scope)


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(
        f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()
    )
    return answer(Refused(400, "malformed", f"{told[:500]}."), request.scope)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "refused")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    refused = Refused(error.status_code, code, str(error.detail), headers)
    return answer(refused, request.scope)


def _methods(request: Request) -> set[str]:
    """Lists what a path can be asked; the framework names the methods of one route only."""
    return {
        method
        for path, operations in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), request.url.path)
        for method in map(str.upper, operations)
    }


async def _our_fault(request: Request, error: Exception) -> JSONResponse:
    _log.error("a request failed", exc_info=error)
    message = "An error of ours, please report it; the log of the service tells more."
    return answer(Refused(500, "internal", message), request.scope)
