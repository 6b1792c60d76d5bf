"""`seamline audit`: a manifest in; how its classes give themselves away without a forgery out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def audit(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST.csv", help="Labelled samples.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder that paths start from; else the manifest's.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only rows of this split.")] = None,
    per_class: Annotated[
        int,
        typer.Option(min=0, help="Files measured of each class of each source and split; 0: all."),
    ] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw of files.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Files that are measured side by side.")] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all of it as JSON.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
) -> None:
    """Search a data set for what tells its fakes without a look at the forgery.

    Length, size, coding, light, how high faces stand, loudness, bandwidth, silence, who it is and
    where it is from; people in several splits; files that are there twice.

    Exit status: 0 done (whatever was found), 1 some files could not be read, 2 wrong usage.
    """
    from rich.console import Console

    from seamline.cli.progress import Progress
    from seamline.data.manifest import read_manifest
    from seamline.errors import WrongUsage
    from seamline.evaluation.audit.run import audit as search
    from seamline.evaluation.audit.run import choose
    from seamline.evaluation.audit.show import audit_json, audit_markdown, audit_table

    for path in (json_file, markdown):
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise WrongUsage(f"{path} cannot be written: name a file in a folder that exists.")
    samples = read_manifest(manifest, root, split)
    if not samples:
        raise WrongUsage(f"{manifest} has no rows to audit.")
    progress = Progress(len(choose(samples, per_class, seed=seed)))
    found = search(samples, per_class=per_class, seed=seed, jobs=jobs, done=progress.file_done)
    progress.clear()
    if json_file is not None:
        text = json.dumps(audit_json(found), indent=2, allow_nan=False, ensure_ascii=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    if markdown is not None:
        markdown.write_text(audit_markdown(found), encoding="utf-8")
    Console(highlight=False).print(audit_table(found))
    if found.unreadable:
        print(f"seamline: {len(found.unreadable)} files could not be read.", file=sys.stderr)
        raise typer.Exit(1)
