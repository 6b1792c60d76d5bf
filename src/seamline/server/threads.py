"""Runs what blocks (disk, database) in threads, a few for each kind, so none starves others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

Result = TypeVar("Result")
_AT_ONCE = {"disk": 16, "database": 8, "gate": 4}
_limiters: RunVar[dict[str, anyio.CapacityLimiter]] = RunVar("limiters")


async def in_thread(
    work: Callable[..., Result], *args: Any, kind: str = "disk", **options: Any
) -> Result:
    """Awaits ``work(*args, **options)`` done in a thread."""
    return await anyio.to_thread.run_sync(partial(work, *args, **options), limiter=_limiter(kind))


def _limiter(kind: str) -> anyio.CapacityLimiter:
    """Gives the limiter of a kind of work; each event loop has its own."""
    found = _limiters.get({})
    if kind not in found:
        found = {**found, kind: anyio.CapacityLimiter(_AT_ONCE[kind])}
        _limiters.set(found)
    return found[kind]
