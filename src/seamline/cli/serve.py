"""`seamline serve`: the page and the REST interface, until Ctrl-C."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Where uploads, results and jobs are kept.")
    ] = Path("seamline-data"),
    token: Annotated[
        str | None,
        typer.Option(envvar="SEAMLINE_TOKEN", help="Ask for it; needed beyond this machine."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that examine side by side.")] = 1,
    keep: Annotated[
        str, typer.Option(metavar="SPAN", help="Until jobs are deleted: 12h, 7d, 0, forever.")
    ] = "7d",
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A shipped model, or a bundle's folder.")
    ] = "seamline-small",
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="SEAMLINE_DATABASE", help="Instead of SQLite in DIR."),
    ] = None,
    max_upload: Annotated[str, typer.Option(metavar="SIZE", help="Of one file.")] = "2G",
    max_seconds: Annotated[float, typer.Option(min=1, help="A file may last.")] = 14400.0,
    max_megapixels: Annotated[float, typer.Option(min=0.01, max=100, help="Of a frame.")] = 100.0,
    job_seconds: Annotated[float, typer.Option(min=1, help="A job may take.")] = 900.0,
    job_memory: Annotated[str, typer.Option(metavar="SIZE", help="A job may take.")] = "4G",
    rate: Annotated[int, typer.Option(min=1, help="Jobs a minute from one address.")] = 120,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name that browsers may use without a token."),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A proxy whose X-Forwarded-* headers are true."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let other machines in without a token.")
    ] = False,
) -> None:
    """Serve the page and the REST interface.

    Open the printed address in a browser; docs/guides/serve.md tells the rest.
    """
    from seamline.server.settings import Limits, ServiceSettings, check_host, parse_keep, parse_size

    check_host(host, token, insecure=insecure)
    limits = Limits(
        upload_bytes=parse_size("--max-upload", max_upload),
        duration_seconds=max_seconds,
        pixels=round(max_megapixels * 1e6),
        job_seconds=job_seconds,
        memory_bytes=parse_size("--job-memory", job_memory),
        jobs_a_minute=rate,
    )
    names = {*ServiceSettings(data).hosts, host, *(name.lower() for name in allow_host or ())}
    settings = ServiceSettings(
        data=data,
        database=database,
        workers=workers,
        token=token,
        keep_seconds=parse_keep(keep),
        hosts=tuple(sorted(names)),
        limits=limits,
    )
    _run(settings, model, host, port, proxy)


def _run(settings: object, model: str, host: str, port: int, proxy: str | None) -> None:
    from seamline.errors import WrongUsage
    from seamline.scale.examine import DetectorLoader
    from seamline.scale.workers import threads_per_job

    try:
        from seamline.server.run import run_service
    except ModuleNotFoundError as error:
        raise WrongUsage(
            f"`seamline serve` needs {error.name}, which is not installed. "
            "Run: pip install 'seamline[serve]'"
        ) from error
    load = DetectorLoader(model, threads_per_job(settings.workers))  # type: ignore[attr-defined]
    load.identify()  # an unknown model is told at once
    run_service(
        settings,  # type: ignore[arg-type]
        load,
        host,
        port,
        proxy,
        lambda address: print(f"Seamline is at {address}  (Ctrl-C ends it)", file=sys.stderr),
    )
