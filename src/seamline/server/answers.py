"""What the routes share: the service of a request, who may ask, and the refusals they declare."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from seamline.server.guard import COOKIE
from seamline.server.schemas import ErrorBody
from seamline.server.service import Service

_WHY = {
    400: "The request is malformed.",
    401: "No token, or a wrong one.",
    403: "A page of another origin asks.",
    404: "There is no such thing.",
    408: "The upload is too slow.",
    413: "Too large, too long, or too many pixels.",
    415: "By its content this is no medium that can be read.",
    416: "The range lies outside of the file.",
    421: "The service is not called by this name.",
    429: "Too many from one address; `Retry-After` tells how long to wait.",
    503: "Not now; `Retry-After` tells when to try again.",
    507: "The disk is full.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declares refusals for OpenAPI; every route may further say 421 (and 401, where asked)."""
    return {
        status: {"model": ErrorBody, "description": _WHY[status]}
        for status in sorted({*statuses, 421})
    }


def service_of(request: Request) -> Service:
    """Gives the running service."""
    found = request.app.state.service
    assert isinstance(found, Service)
    return found


def authorized(
    request: Request,
    _bearer: Annotated[Any, Depends(HTTPBearer(auto_error=False, description="The token."))],
    _cookie: Annotated[
        Any, Depends(APIKeyCookie(name=COOKIE, auto_error=False, description="POST /session."))
    ],
) -> None:
    """Refuses who may not ask; before any of the body is read."""
    service_of(request).guard.check_token(request)


Running = Annotated[Service, Depends(service_of)]
