"""How the service says no: a status, a short code for programs, a sentence for people."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from seamline.media.container import MAX_SIDE_PX
from seamline.server.settings import Limits

ALL_READ = "seamline.all_read"
"""In a request's scope: its whole body was read."""
LINGER_SECONDS = 2.0
LINGER_BYTES = 32 * 10**6


class Refused(Exception):
    """A request that is not done; ``message`` says what was asked, found, and what to try."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})

    def __reduce__(self) -> tuple[type[Refused], tuple[Any, ...]]:
        return type(self), (self.status, self.code, self.message, self.headers)


def answer(refused: Refused, scope: Scope) -> JSONResponse:
    """Gives the answer to the request of a scope, which may still be sending its body."""
    still_sends = scope["method"] in ("POST", "PUT", "PATCH") and ALL_READ not in scope
    kind = _Lingering if still_sends else JSONResponse
    body = {"error": {"code": refused.code, "message": refused.message}}
    return kind(body, refused.status, refused.headers)


def check_pixels(size: tuple[int, int] | None, limits: Limits) -> None:
    """Refuses frames of more pixels than the service takes."""
    width, height = size or (0, 0)
    if width * height > limits.pixels or max(width, height) > MAX_SIDE_PX:
        raise Refused(
            413,
            "too_many_pixels",
            f"Frames may have {limits.pixels / 1e6:,.0f} megapixels and {MAX_SIDE_PX:,} px a side; "
            f"these have {width:,}×{height:,} px. Send a smaller copy.",
        )


class _Lingering(JSONResponse):
    """Answers before the request was read, then reads on a little and throws that away.

    A connection that is closed while the other side is sending is reset, and the answer lost.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers["connection"] = "close"
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        left = LINGER_BYTES
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while left > 0:
                    message = await receive()
                    left -= len(message.get("body", b""))
                    if message["type"] != "http.request" or not message.get("more_body"):
                        break
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})
