"""Cuts the clips of people filmed by themselves out of public repositories, as a list names them.

`benchmarks/talking.csv` names repository, file, seconds and crop of each; its part *train* trains,
*choose* chooses and *test* reports (docs/results/generalisation.md). In: clones of the
repositories; out: a folder of clips a part, each with its manifest, as `seamline prepare` and
`forge` take them.

    python scripts/cut_talking.py --list > repositories.txt       # OWNER/NAME, one a line
    git clone --bare https://github.com/OWNER/NAME CLONES/OWNER+NAME
    python scripts/cut_talking.py CLONES --out people [--part choose]

Who is in another part, too, is left out of part *train*. Frames keep their times, laid on the
file's own rate; the sound is kept as mono. What a clone lacks is named and left out, and a clip
that is there already stays.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from collect_genuine import find_clone, git
from seamline.data.forge_picture import at_steady_rate
from seamline.data.manifest import Sample, write_manifest
from seamline.errors import SeamlineError
from seamline.media.audio import read_audio
from seamline.media.probe import probe
from seamline.media.video import Frame, stream_frames
from seamline.media.write import write_video

LIST = Path(__file__).parents[1] / "benchmarks" / "talking.csv"
PARTS = ("train", "choose", "test")
SOURCE = "People filmed by themselves"
EVERY_FRAME_SECONDS = 1e-3
MOST_FRAMES_PER_SECOND, USUAL_FRAMES_PER_SECOND = 60.0, 30.0
SOUND_HZ = 44100


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clones", type=Path, nargs="?", help="folder of clones named OWNER+NAME")
    parser.add_argument("--out", type=Path, default=Path("people"))
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--list", action="store_true", help="name the repositories and stop")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with LIST.open(newline="") as file:
        listed = list(csv.DictReader(file))
    judged = {row["person"] for row in listed if row["split"] != "train"}
    rows = [
        row
        for row in listed
        if row["split"] in (arguments.part or PARTS)
        and not (row["split"] == "train" and row["person"] in judged)
    ]
    if arguments.list:
        print("\n".join(sorted({row["repository"] for row in rows})))
        return
    if arguments.clones is None:
        parser.error("name the folder of clones, or --list the repositories to clone")
    with ThreadPoolExecutor(arguments.workers) as pool:
        reasons = list(pool.map(lambda row: cut(row, arguments.clones, arguments.out), rows))
    for row, reason in zip(rows, reasons, strict=True):
        if reason:
            print(f"left out: {row['name']}: {reason}", file=sys.stderr)
    made = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    if not made:
        parser.error(f"{arguments.clones} holds none of the clips; --list names their repositories")
    for part in arguments.part or PARTS:
        folder = arguments.out / part
        samples = [sample_of(row, folder) for row in made if row["split"] == part]
        if samples:
            write_manifest(folder / "manifest.csv", samples)
            print(f"{len(samples)} clips, {folder / 'manifest.csv'}")


def cut(row: dict[str, str], clones: Path, out: Path) -> str | None:
    """Write one clip unless it is there; gives why it could not be."""
    target = out / row["split"] / f"{row['name']}.mp4"
    if target.exists():
        return None
    clone = find_clone(clones, row["repository"])
    if clone is None:
        return f"no clone of {row['repository']}"
    data = git(clone, "cat-file", "blob", row["blob"] or f"HEAD:{row['path']}")
    if not data:
        return f"{row['path']} is not in {clone}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        whole = Path(folder) / f"whole{Path(row['path']).suffix}"
        whole.write_bytes(data)
        piece = Path(folder) / target.name
        try:
            write_piece(whole, piece, row)
        except (SeamlineError, ValueError) as error:
            return str(error)
        piece.replace(target)
    return None


def write_piece(whole: Path, piece: Path, row: dict[str, str]) -> None:
    """Write the seconds and the rectangle (width:height:left:top, upright) that a row names."""
    start, stop = float(row["start_seconds"]), float(row["stop_seconds"])
    media = probe(whole)
    if media.video is None:
        raise ValueError("it holds no video")
    rate = media.video.frames_per_second
    if rate is None or rate > MOST_FRAMES_PER_SECOND:  # browsers' recordings tell none, or 1,000
        rate = USUAL_FRAMES_PER_SECOND
    samples = None
    if media.audio is not None:
        sound = next(read_audio(whole, sample_rate_hz=SOUND_HZ, spans=[(start, stop)]))
        late = max(0, round((sound.start_seconds - start) * SOUND_HZ))
        samples = np.pad(sound.samples, (late, 0))
    frames = at_steady_rate(cropped(whole, (start, stop), row["crop"]), rate)
    write_video(
        piece, frames, rate, samples=samples, sample_rate_hz=SOUND_HZ, crf=16,
        options={"preset": "veryfast"},
    )  # fmt: skip


def cropped(path: Path, span: tuple[float, float], crop: str) -> Iterator[Frame]:
    """Yield a span's frames from 0 s on, cut to the crop where there is one."""
    frames = stream_frames(path, step_seconds=EVERY_FRAME_SECONDS, spans=[span], threads=1)
    for frame in frames:
        rgb = frame.rgb
        if crop:
            width, height, left, top = map(int, crop.split(":"))
            rgb = rgb[top : top + height, left : left + width]
        yield Frame(frame.seconds - span[0], rgb)


def sample_of(row: dict[str, str], folder: Path) -> Sample:
    split = "train" if row["split"] == "train" else "val"
    return Sample(
        f"{row['name']}.mp4", "video", split, "real", video_label="real", source=SOURCE,
        person=row["person"], root=folder,
    )  # fmt: skip


if __name__ == "__main__":
    main()
