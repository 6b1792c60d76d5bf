"""Jobs over HTTP: made, listed, watched, deleted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from seamline.server.answers import Running, authorized, refusals
from seamline.server.refusals import Refused
from seamline.server.schemas import Job, JobPage
from seamline.server.service import Service
from seamline.server.threads import in_thread
from seamline.server.upload import check_promise, promised_bytes, take_upload

HEARTBEAT_SECONDS = 15.0
router = APIRouter(prefix="/api/v1", tags=["jobs"], dependencies=[Depends(authorized)])
JobId = Annotated[str, Path(description="The job's id.")]
MOST_REFERENCES = 8
References = Annotated[
    Sequence[str],
    Query(
        description="Ids of earlier jobs whose uploads are genuine footage of the people to judge.",
        max_length=MOST_REFERENCES,
    ),
]
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {"event": {"enum": ["job", "gone"]}, "data": {"type": "string"}},
}
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post(
    "/jobs",
    status_code=202,
    response_model=Job,
    responses=refusals(400, 401, 403, 408, 413, 415, 429, 503, 507),
    openapi_extra=_FORM,
)
async def make_job(request: Request, service: Running, reference: References = ()) -> Response:
    """Take a video, picture or sound in and queue it; the field `file` of a form.

    People who are also seen in a `reference`, which must be genuine, are judged against it.
    """
    row = await _take_in(request, service, list(dict.fromkeys(reference)))
    return JSONResponse(service.body(row), 202, {"Location": f"/api/v1/jobs/{row.id}"})


async def _take_in(request: Request, service: Service, reference_ids: list[str]) -> Any:
    service.guard.check_rate(request)
    await service.check_references(reference_ids)
    check_promise(request, service.settings.limits)  # no room that is made would help it
    await service.check_room(promised_bytes(request))
    service.uploads += 1
    try:
        upload = await take_upload(request, service.files.incoming, service.settings.limits)
        try:
            seen = await in_thread(service.gate.look, upload.path, kind="gate")
            kind = upload.media_type.partition("/")[2]
            if seen.kind in ("audio", "video") and upload.media_type.startswith(("audio", "video")):
                upload = replace(upload, media_type=f"{seen.kind}/{kind}")
            return await service.accept(upload, reference_ids)
        finally:
            upload.path.unlink(missing_ok=True)
    finally:
        service.uploads -= 1


@router.get("/jobs", response_model=JobPage, responses=refusals(400, 401))
async def list_jobs(
    service: Running,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Annotated[
        str | None, Query(description="`next` of the page before.", pattern=r"^[0-9]{1,18}$")
    ] = None,
) -> Response:
    """List jobs, newest first."""
    before = None if after is None else int(after)
    rows = await in_thread(service.store.page, limit + 1, before, kind="database")
    more = str(rows[limit - 1].number) if len(rows) > limit else None
    return JSONResponse({"jobs": [service.body(row) for row in rows[:limit]], "next": more})


@router.get("/jobs/{id}", response_model=Job, responses=refusals(401, 404))
async def read_job(id: JobId, service: Running) -> Response:
    """Tell how a job is, and its verdict once it is done."""
    return JSONResponse(service.body(await service.job(id)))


@router.delete("/jobs/{id}", status_code=204, responses=refusals(401, 403, 404))
async def delete_job(id: JobId, service: Running) -> Response:
    """Forget a job with its upload and results; a running one is ended."""
    await service.delete(id)
    return Response(status_code=204)


@router.get(
    "/jobs/{id}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Events `job` with the job as data at every change; at the end of a "
            "deleted one, `gone`. Ends with the job.",
            "content": {"text/event-stream": {"schema": _EVENT}},
        },
        **refusals(401, 404, 503),
    },
)
async def watch_job(id: JobId, service: Running) -> Response:
    """Send a job at once and at every change, until it is done, failed or deleted."""
    await service.job(id)
    if service.hub.count >= service.settings.limits.streams_at_once:
        raise Refused(503, "busy", "Too many listen. Ask GET /jobs/{id} instead.",
                      {"Retry-After": "10"})  # fmt: skip
    return StreamingResponse(_events(service, id), media_type="text/event-stream")


async def _events(service: Service, job_id: str) -> AsyncIterator[str]:
    said = ""
    with service.hub.listen(job_id) as changed:
        while True:
            changed.clear()
            row = await service.look_up(job_id)
            if row is None:
                yield "event: gone\ndata: {}\n\n"
                return
            found = json.dumps(service.body(row))
            if found != said:
                yield f"event: job\ndata: {found}\n\n"
                said = found
            if row.state in ("done", "failed"):
                return
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await changed.wait()
            except TimeoutError:
                yield ": still here\n\n"
