"""`seamline label`: fakes and their originals in; whether picture or voice is forged out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamline.data.labels import PairLabels, Tolerance


def label(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="MANIFEST.csv | FAKE ORIGINAL",
            help="A manifest whose column `original` names originals, or one pair of files.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="LABELLED.csv", help="Where the manifest is written.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder that paths start from; else the manifest's.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print a pair's result as JSON.")] = False,
    face_tolerance: Annotated[
        float | None, typer.Option(min=0, help="Grey levels a face may change over the rest.")
    ] = None,
    voice_tolerance: Annotated[
        float | None, typer.Option(min=0, max=1, help="Least correlation of a genuine voice.")
    ] = None,
) -> None:
    """Tell which part of a fake is fake, by comparing it with its original.

    Re-encoding, resizing, another loudness and a shift of up to a second are tolerated. Labels that
    the manifest has are kept; measured distances come as further columns.

    Exit status: 0 done, 1 some pairs could not be read, 2 wrong usage.
    """
    from dataclasses import replace

    from seamline.data.labels import Tolerance
    from seamline.errors import WrongUsage

    tolerance = Tolerance()
    if face_tolerance is not None:
        tolerance = replace(tolerance, most_excess=face_tolerance)
    if voice_tolerance is not None:
        tolerance = replace(tolerance, least_correlation=voice_tolerance)
    if len(paths) == 2 and out is None:
        _one_pair(paths[0], paths[1], tolerance, json_)
    elif len(paths) == 1 and out is not None:
        _manifest(paths[0], out, root, tolerance)
    else:
        raise WrongUsage("Give MANIFEST.csv with --out LABELLED.csv, or FAKE and ORIGINAL alone.")


def _one_pair(fake: Path, original: Path, tolerance: Tolerance, as_json: bool) -> None:
    import json

    from seamline.data.labels import label_pair
    from seamline.faces.mtcnn import FaceDetector

    pair = label_pair(fake, original, FaceDetector(), tolerance)
    if as_json:
        labels = {"video_label": pair.video_label, "audio_label": pair.audio_label}
        print(json.dumps({**labels, **pair.columns()}, ensure_ascii=False))
        return
    for line in _told(pair):
        print(line)


def _told(pair: PairLabels) -> list[str]:
    """Put a result in words."""
    picture, voice = pair.picture, pair.voice
    if picture is None:
        lines = [f"picture: unknown ({pair.video_reason})"]
    else:
        around = picture.outside_change
        rest = "an unknown amount" if around is None else f"{around:.1f}"
        why = f"; {pair.video_reason}" if pair.video_reason else ""
        lines = [
            f"picture: {pair.video_label or 'unknown'} (a spot of the face changed by "
            f"{picture.face_change:.1f} grey levels, what surrounds it by {rest}{why})"
        ]
    if voice is None:
        return [*lines, f"voice:   unknown ({pair.audio_reason})"]
    where = ", ".join(f"{start:.1f}–{stop:.1f} s" for start, stop in pair.unlike_seconds())
    return [
        *lines,
        f"voice:   {pair.audio_label} (correlation {voice.worst_correlation:.2f} in the most "
        f"unlike half second, {1000 * voice.lag_seconds:+.0f} ms lag"
        + (f"; unlike at {where})" if pair.audio_label == "fake" else ")"),
    ]


def _manifest(manifest: Path, out: Path, root: Path | None, tolerance: Tolerance) -> None:
    from collections import Counter

    from seamline.cli.progress import Progress
    from seamline.data.labels import UNREAD, label_samples
    from seamline.data.manifest import read_manifest, write_manifest
    from seamline.errors import WrongUsage
    from seamline.faces.mtcnn import FaceDetector

    if out.exists():
        raise WrongUsage(f"{out} exists; nothing is overwritten. Choose another --out.")
    if not out.absolute().parent.is_dir():
        raise WrongUsage(f"{out}: the folder {out.parent} does not exist.")
    samples = read_manifest(manifest, root)
    paired = sum(bool(sample.extra.get("original")) for sample in samples)
    if not paired:
        raise WrongUsage(
            f"{manifest} names no originals: its column `original` is empty or absent."
        )
    progress = Progress(len(samples))
    labelled = label_samples(
        samples, FaceDetector(), tolerance=tolerance, progress=lambda *_: progress.file_done()
    )
    progress.clear()
    write_manifest(out, labelled)
    unread = 0
    for sample in labelled:
        note = sample.extra.get("unlabelled", "")
        if note:
            print(f"seamline: {sample.path}: {note}", file=sys.stderr)
        unread += note.startswith(UNREAD)
    counts = Counter((s.video_label, s.audio_label) for s in labelled if s.extra.get("original"))
    for (video, audio), count in sorted(counts.items()):
        print(f"{count:6d}  picture {video or 'unknown':8s} voice {audio or 'unknown'}")
    print(f"{paired} of {len(samples)} rows compared with their originals; written to {out}")
    if unread:
        raise typer.Exit(1)
