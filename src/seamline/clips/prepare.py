"""`prepare`: manifest samples in, clip cache out; resumable, and one bad file never ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seamline.clips.cache import (
    batched_rows,
    clip_row,
    error_row,
    read_done,
    shards,
    write_contract,
    write_shard,
)
from seamline.clips.clip import Clip
from seamline.clips.contract import CropContract
from seamline.clips.extract import extract
from seamline.clips.window import WindowPlan
from seamline.errors import UnreadableMedia
from seamline.faces.mtcnn import FaceDetector

ROWS_PER_SHARD = 200


@dataclass
class Prepared:
    """What a run of `prepare` did."""

    samples: int = 0
    clips: int = 0
    skipped: int = 0
    unreadable: int = 0
    faceless: int = 0


def prepare(
    samples: Sequence[Mapping[str, Any]],
    root: Path,
    folder: Path,
    contract: CropContract,
    *,
    plan: WindowPlan | None = None,
    min_face_px: float = 32.0,
    trim: Callable[[Clip], Clip] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Extract every sample (manifest columns, ``path`` relative to ``root``) into the cache.

    Samples that the cache already holds are skipped, so a broken run goes on where it stopped.
    ``trim`` shortens each clip before it is stored.
    """
    write_contract(folder, contract)
    done = read_done(folder)
    todo = [sample for sample in samples if sample["path"] not in done]
    report = Prepared(skipped=len(samples) - len(todo))
    detector = FaceDetector()

    def rows() -> Iterator[list[dict[str, Any]]]:
        for index, sample in enumerate(todo):
            made = _sample_rows(sample, root, contract, plan, min_face_px, trim, detector)
            report.samples += 1
            report.unreadable += made[0]["error"] is not None
            report.clips += sum(row["error"] is None for row in made)
            report.faceless += sample.get("kind") != "audio" and not any(r["jpegs"] for r in made)
            yield made
            if progress is not None:
                progress(index + 1, len(todo))

    first = int(shards(folder)[-1].stem.split("-")[1]) + 1 if shards(folder) else 0
    for offset, held in enumerate(batched_rows(rows(), ROWS_PER_SHARD)):
        write_shard(folder, first + offset, held)
    return report


def _sample_rows(
    sample: Mapping[str, Any],
    root: Path,
    contract: CropContract,
    plan: WindowPlan | None,
    min_face_px: float,
    trim: Callable[[Clip], Clip] | None,
    detector: FaceDetector,
) -> list[dict[str, Any]]:
    try:
        clips = extract(
            root / sample["path"],
            contract,
            plan=plan,
            detector=detector,
            min_face_px=min_face_px,
            mouths="all",
        )
        made = [clip_row(sample, trim(clip) if trim else clip) for clip in clips]
    except UnreadableMedia as error:
        return [error_row(sample, error.reason)]
    return made or [error_row(sample, "nothing to examine")]
