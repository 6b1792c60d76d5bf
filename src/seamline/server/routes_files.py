"""A job's files over HTTP: the medium, the report, the verdict, the evidence and its pictures."""

from __future__ import annotations

import json
from pathlib import Path as FilePath
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from seamline.server.answers import Running, authorized, refusals
from seamline.server.headers import MEDIA_POLICY, REPORT_POLICY
from seamline.server.refusals import Refused
from seamline.server.routes_jobs import JobId
from seamline.server.schemas import Evidence, Verdict
from seamline.server.service import Service
from seamline.server.threads import in_thread

router = APIRouter(prefix="/api/v1/jobs/{id}", tags=["files"], dependencies=[Depends(authorized)])
Download = Annotated[bool, Query(description="As a file to keep.")]
_PNG = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}


def _attached(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name)}"


def _stem(name: str) -> str:
    """Gives a download's name, without its ending."""
    stem = name.rpartition(".")[0] or name
    return "".join(sign for sign in stem if sign.isalnum() or sign in " ._-")[:100] or "upload"


@router.get(
    "/report",
    response_class=HTMLResponse,
    responses={200: {"description": "One self-contained page."}, **refusals(400, 401, 404)},
)
async def read_report(id: JobId, service: Running, download: Download = False) -> Response:
    """Give the report page."""
    row = await service.job(id)
    path = service.files.result(id) / "report.html"
    return await _file(
        path,
        "text/html; charset=utf-8",
        REPORT_POLICY,
        name=f"{_stem(row.name)}.seamline.html" if download else None,
    )


@router.get("/verdict", response_model=Verdict, responses=refusals(400, 401, 404))
async def read_verdict(id: JobId, service: Running, download: Download = False) -> Response:
    """Give the verdict alone."""
    row = await service.job(id)
    if row.verdict is None:
        raise Refused(404, "not_found", f"This job has no verdict: it is {row.state}.")
    answer = JSONResponse(row.verdict)
    if download:
        answer.headers["Content-Disposition"] = _attached(f"{_stem(row.name)}.seamline.json")
    return answer


@router.get(
    "/media",
    response_class=FileResponse,
    responses={
        200: {"description": "The upload.", "content": {"*/*": {"schema": {"type": "string"}}}},
        206: {"description": "The part that `Range` asks for."},
        **refusals(400, 401, 404, 416),
    },
)
async def read_media(id: JobId, service: Running) -> Response:
    """Give the upload back, as the medium that its content is."""
    row = await service.job(id)
    kind = row.media_type or "application/octet-stream"
    return await _file(service.files.media(id), kind, MEDIA_POLICY)


@router.get("/evidence", response_model=Evidence, responses=refusals(401, 404))
async def read_evidence(id: JobId, service: Running) -> Response:
    """Give the boxes and scores of every examined frame, and the examined faces' pictures."""
    await service.job(id)
    found = await in_thread(_evidence, service, id)
    for number, look in enumerate(found["looks"]):
        where = f"/api/v1/jobs/{id}/looks/{number}"
        look["face_url"] = f"{where}/face.png"
        look["heat_url"] = f"{where}/heat.png" if look.pop("has_heat") else None
    return JSONResponse(found)


@router.get(
    "/looks/{number}/{picture}.png",
    response_class=Response,
    responses={200: _PNG, **refusals(400, 401, 404)},
)
async def read_look(
    id: JobId,
    number: Annotated[int, Path(ge=0, le=9999)],
    picture: Annotated[str, Path(pattern="^(face|heat)$")],
    service: Running,
) -> Response:
    """Give an examined face, or its heat as a layer to lay over it."""
    await service.job(id)
    path = service.files.result(id) / "looks" / str(number) / f"{picture}.png"
    return await _file(path, "image/png", MEDIA_POLICY)


async def _file(path: FilePath, kind: str, policy: str, name: str | None = None) -> Response:
    if not await in_thread(path.is_file):
        raise Refused(404, "not_found", "This job has no such file: not yet, or not any more.")
    headers = {"Content-Security-Policy": policy, "Cache-Control": "private, no-cache"}
    if name is not None:
        headers["Content-Disposition"] = _attached(name)
    return FileResponse(path, media_type=kind, headers=headers)


def _evidence(service: Service, job_id: str) -> dict[str, Any]:
    try:
        text = (service.files.result(job_id) / "evidence.json").read_text()
    except FileNotFoundError:
        raise Refused(
            404, "not_found", "This job has no evidence: not yet, or not any more."
        ) from None
    found: dict[str, Any] = json.loads(text)
    return found
