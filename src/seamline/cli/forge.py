"""`seamline forge`: genuine clips in; labelled fakes of them and their manifest out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def forge(
    clips: Annotated[list[str], typer.Argument(metavar="CLIP...", help="Files, folders, globs.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the fakes; made if absent.")],
    kinds: Annotated[
        str, typer.Option(help="Which to make of each clip, with commas between.")
    ] = "video,audio,both,none,splice",
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 0,
    min_face_px: Annotated[float, typer.Option(min=12, help="Smallest face forged.")] = 48.0,
    crf: Annotated[float, typer.Option(min=0, max=51, help="Quality of the H.264 written.")] = 18,
) -> None:
    """Make fakes of your own clips, with exact labels.

    video: every face self-blended. audio: the whole voice resynthesised. both: both. splice: spans
    of 1 to 3 s of voice resynthesised. none: re-encoded only. DIR/manifest.csv holds the labels,
    the forged seconds and where the masks lie. Only forge clips whose people agree to it.

    Exit status: 0 done, 1 some clips could not be read or gave nothing, 2 wrong usage.
    """
    from seamline.cli.inputs import find_inputs
    from seamline.cli.progress import Progress
    from seamline.data.forge import MANIFEST
    from seamline.data.forge import forge as forge_all
    from seamline.errors import WrongUsage

    inputs = find_inputs(clips)
    for problem in inputs.problems:
        print(f"seamline: {problem}", file=sys.stderr)
    if not inputs.files:
        raise typer.Exit(2)
    progress = Progress(len(inputs.files))
    try:
        made = forge_all(
            inputs.files,
            out,
            kinds=[kind.strip() for kind in kinds.split(",") if kind.strip()],
            seed=seed,
            min_face_px=min_face_px,
            crf=crf,
            progress=lambda done, total: progress.file_done(),
        )
    except (ValueError, FileExistsError) as error:
        raise WrongUsage(str(error)) from error
    progress.clear()
    for one in made.skipped:
        kind = f" ({one.kind})" if one.kind else ""
        print(f"seamline: skipped {one.path}{kind}: {one.reason}", file=sys.stderr)
    fakes = sum(sample.label == "fake" for sample in made.samples)
    genuine = len(made.samples) - fakes
    print(f"{fakes} fakes and {genuine} re-encoded genuine clips in {out}", end="")
    print(f"; labels in {out / MANIFEST}" if made.samples else "")
    forged = {sample.extra["original"] for sample in made.samples}
    if inputs.problems or len(forged) < len(inputs.files):
        raise typer.Exit(1)
