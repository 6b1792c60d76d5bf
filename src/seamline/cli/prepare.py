"""`seamline prepare`: a manifest in, a clip cache out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seamline.cli.engine import AddressOption, Engine, EngineOption, crew_of
from seamline.errors import WrongUsage

if TYPE_CHECKING:
    from seamline.data.manifest import Sample

STORED_MOUTH_PX, STORED_MOUTH_MARGIN = 80, 1.25  # a quarter wider than a scan cuts, to move within
STORED_MOTION_PX, STORED_MOTION_MARGIN = 144, 1.5  # likewise


def prepare(
    manifest: Annotated[Path, typer.Argument(help="Manifest CSV of samples.")],
    out: Annotated[Path, typer.Option(help="Folder of the clip cache.")],
    root: Annotated[Path | None, typer.Option(help="Folder that paths start from.")] = None,
    split: Annotated[str | None, typer.Option(help="Only rows of this split.")] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Only rows of this kind: video, audio, face. Repeatable."),
    ] = None,
    margin: Annotated[float, typer.Option(help="Margin of stored crops; generous.")] = 1.7,
    size_px: Annotated[int, typer.Option(help="Side of stored crops.")] = 256,
    max_windows: Annotated[
        int, typer.Option(min=1, help="Most windows of two seconds taken from one file.")
    ] = 30,
    policy: Annotated[
        str,
        typer.Option(
            help="`ours`: spread windows. `paper`: the first second of picture, 30 frames of it, "
            "and half a second of sound, as the original project took."
        ),
    ] = "ours",
    balanced: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="SEED",
            help="As many fakes as genuine files of each split, drawn with this seed.",
        ),
    ] = None,
    min_face_px: Annotated[float, typer.Option(help="Smallest face kept.")] = 32.0,
    mouths: Annotated[
        bool, typer.Option("--mouths", help="Cut mouths 25 times a second too, for branch sync.")
    ] = False,
    motion: Annotated[
        bool,
        typer.Option("--motion", help="Cut faces out of every frame too, for branch motion."),
    ] = False,
    engine: EngineOption = Engine.LOCAL,
    address: AddressOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="With --engine ray: how many workers.", show_default="every core"),
    ] = None,
) -> None:
    """Extract every sample of a manifest into a clip cache; run again to go on where it stopped."""
    from dataclasses import asdict, replace
    from functools import partial

    from seamline.clips.contract import CropContract, MotionSettings, MouthSettings
    from seamline.clips.prepare import prepare as prepare_here
    from seamline.clips.window import WindowPlan
    from seamline.data.manifest import read_manifest
    from seamline.data.window_policy import POLICIES

    if policy not in POLICIES:
        raise typer.BadParameter(f"--policy is {policy!r}; known: {', '.join(POLICIES)}.")
    crew = crew_of(engine, address, 0.0, jobs)
    if crew is None and jobs not in (None, 1):
        raise WrongUsage("prepare takes --jobs with --engine ray only; add that, or leave it out.")
    samples = read_manifest(manifest, root, split)
    samples = [sample for sample in samples if not kind or sample.kind in kind]
    if balanced is not None:
        samples = _balanced(samples, balanced)
    rows = []
    for sample in samples:
        row = asdict(sample)
        kept = {key: row[key] for key in row if key not in ("root", "extra")}
        original = sample.extra.get("original")
        spliced = "splice" in sample.extra.get("forgery", "")  # no copy: most of it is genuine
        rows.append({**kept, "original": original} if original and not spliced else kept)
    base = samples[0].root if samples else Path()
    mouth = MouthSettings(size_px=STORED_MOUTH_PX, margin=STORED_MOUTH_MARGIN) if mouths else None
    moves = (
        MotionSettings(size_px=STORED_MOTION_PX, margin=STORED_MOTION_MARGIN) if motion else None
    )
    contract = CropContract(margin=margin, size_px=size_px, mouth=mouth, motion=moves)
    plan, trim = WindowPlan(max_windows=max_windows), None
    if policy == "paper":
        contract = replace(contract, frame_step_seconds=1 / 30, window_seconds=1.0)
        plan = POLICIES[policy].plan
        trim = partial(POLICIES[policy].trim, contract=contract)

    def show(done: int, total: int) -> None:
        if done % 50 == 0 or done == total:
            print(f"{done}/{total} files", file=sys.stderr, flush=True)

    options: dict[str, Any] = {
        "plan": plan, "min_face_px": min_face_px, "trim": trim, "progress": show,
    }  # fmt: skip
    if crew is None:
        report = prepare_here(rows, base, out, contract, **options)
    else:
        from seamline.scale.ray_prepare import prepare_with_ray

        report = prepare_with_ray(rows, base, out, contract, crew, **options)
    print(
        f"{report.samples} files extracted into {report.clips} clips, {report.skipped} were there "
        f"already; {report.faceless} without a face, {report.unreadable} could not be read."
    )


def _balanced(samples: list[Sample], seed: int) -> list[Sample]:
    """Draw as many fakes as genuine files of each split, evenly over the fakes' methods."""
    import numpy as np

    from seamline.data.sampling import sample_balanced

    generator, chosen = np.random.default_rng(seed), []
    for split in dict.fromkeys(sample.split for sample in samples):
        part = [sample for sample in samples if sample.split == split]
        try:
            chosen += sample_balanced(part, generator, within=lambda sample: sample.method)
        except ValueError as error:
            raise typer.BadParameter(f"--balanced, split {split!r}: {error}.") from error
    return chosen
