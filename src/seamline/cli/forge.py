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
    ] = "video,audio,both,sync,splice,none",
    spans: Annotated[
        str | None,
        typer.Option(
            metavar="START-STOP,...", help="Seconds that spliced fakes forge; else drawn."
        ),
    ] = None,
    shift: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="How late the sound of sync comes; else drawn."),
    ] = None,
    vocoder: Annotated[
        str, typer.Option(help="What resynthesises voices: griffin-lim, or world (pyworld).")
    ] = "griffin-lim",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with DIR: what it holds is not made again.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 0,
    min_face_px: Annotated[float, typer.Option(min=12, help="Smallest face forged.")] = 48.0,
    crf: Annotated[float, typer.Option(min=0, max=51, help="Quality of the H.264 written.")] = 18,
) -> None:
    """Make fakes of your own clips, with exact labels.

    video: every face self-blended; lips: the mouth alone. audio: the voice resynthesised. sync:
    the sound shifted; swap: another clip's sound. Join them with +, as in video+swap; both is
    video+audio. splice-audio (or splice), splice-video, splice-lips+swap and so on: only seconds
    of 1 to 3 s, or --spans. none: re-encoded only. DIR/manifest.csv holds the labels, the forged
    seconds and where the masks lie. Only forge clips whose people agree to it.

    Exit status: 0 done, 1 some clips could not be read or gave nothing, 2 wrong usage.
    """
    import os

    from seamline.cli.inputs import find_inputs
    from seamline.cli.progress import Progress
    from seamline.data.forge import MANIFEST
    from seamline.data.forge import forge as forge_all
    from seamline.data.forge_kinds import ForgeSettings
    from seamline.data.forge_spans import parse_spans
    from seamline.errors import WrongUsage

    inputs = find_inputs(clips)
    for problem in inputs.problems:
        print(f"seamline: {problem}", file=sys.stderr)
    if not inputs.files:
        raise typer.Exit(2)
    if shift == 0:
        raise WrongUsage("--shift 0 changes nothing: give the seconds by which sound comes late.")
    progress = Progress(len(inputs.files))
    try:
        settings = ForgeSettings(
            seed=seed,
            min_face_px=min_face_px,
            crf=crf,
            vocoder=vocoder,
            shift_seconds=shift,
            spans=None if spans is None else tuple(parse_spans(spans)),
        )
        made = forge_all(
            inputs.files,
            out,
            kinds=[kind.strip() for kind in kinds.split(",") if kind.strip()],
            settings=settings,
            resume=resume,
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
    print(f"; labels in {out / MANIFEST}" if made.samples else "", end="")
    print(f"; {made.kept} were there before" if made.kept else "")
    forged = {sample.extra["original"] for sample in made.samples}
    if inputs.problems or any(os.path.abspath(file) not in forged for file in inputs.files):
        raise typer.Exit(1)
