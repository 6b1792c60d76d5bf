"""`seamline evaluate`: a manifest in; how well a model tells fakes from genuine files out."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Kind(StrEnum):
    """The kinds of rows that a manifest has."""

    video = "video"
    audio = "audio"
    face = "face"


def evaluate(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST.csv", help="Labelled samples.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder that paths start from; else the manifest's.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only rows of this split.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only rows of this kind.")] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME|DIR", help="A shipped model, or a bundle's folder.")
    ] = "seamline-small",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the numbers as JSON.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with tables and curves.")
    ] = None,
    corruptions: Annotated[
        str | None,
        typer.Option(
            metavar="all|NAME,NAME",
            help="Also corrupt the pictures (compressed, small, noisy, filmed off a screen ...).",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For the corruptions' randomness.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.jsonl", help="Keep the verdicts.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --out.")] = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Examine all of long files.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that scan side by side.")] = 1,
    min_face_px: Annotated[float, typer.Option(min=12, help="Smallest face examined.")] = 48.0,
) -> None:
    """Measure a model on labelled files.

    Per sense, overall, per source and per method, with intervals.

    Exit status: 0 all done, 1 some files could not be read, 2 wrong usage.
    """
    from rich.console import Console

    from seamline.cli.evaluate_run import Asked, check_asked, measure_all, write_files
    from seamline.cli.scan_run import Plan
    from seamline.errors import WrongUsage
    from seamline.evaluation.corruptions import choose_corruptions
    from seamline.evaluation.evaluate import choose_samples
    from seamline.evaluation.table import result_table
    from seamline.scale.examine import DetectorLoader, Settings
    from seamline.scale.workers import threads_per_job

    asked = Asked(
        manifest=manifest, split=split, json_file=json_file, markdown=markdown, html=html,
        corruptions=choose_corruptions(corruptions) if corruptions is not None else [], seed=seed,
    )  # fmt: skip
    check_asked(asked)
    chosen = kind.value if kind else None
    samples = choose_samples(manifest, root=root, split=split, kind=chosen)
    if not samples:
        raise WrongUsage(f"{manifest} has no row of kind {chosen} here. Leave out --kind.")
    files = [str(sample.file) for sample in samples]
    # Evidence for the frames' scores, proposals for how stretches rank.
    settings = Settings(thorough, min_face_px, keep_evidence=True, proposals=True)
    load = DetectorLoader(model, threads_per_job(jobs))
    plan = Plan(files, load, settings, jobs, out=out, resume=resume)
    result = measure_all(samples, plan, asked)
    write_files(result, asked)
    Console(highlight=False).print(result_table(result))
    if result.unreadable:
        print(f"seamline: {len(result.unreadable)} files could not be read.", file=sys.stderr)
        raise typer.Exit(1)
