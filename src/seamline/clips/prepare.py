"""`prepare`: manifest samples in, clip cache out; resumable, and one bad file never ends it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from seamline.clips.cache import (
    batched_rows,
    clip_row,
    error_row,
    next_shard,
    read_done,
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
_log = logging.getLogger(__name__)


@dataclass
class Prepared:
    """What a run of `prepare` did."""

    samples: int = 0
    clips: int = 0
    skipped: int = 0
    unreadable: int = 0
    faceless: int = 0

    def add(self, other: Prepared) -> None:
        """Count what another part of the run did."""
        for field in fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)


def tally(sample: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Prepared:
    """Count the rows of one sample."""
    return Prepared(
        samples=1,
        clips=sum(row["error"] is None for row in rows),
        unreadable=int(rows[0]["error"] is not None),
        faceless=int(sample.get("kind") != "audio" and not any(row["jpegs"] for row in rows)),
    )


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
            made = sample_rows(sample, root, contract, plan, min_face_px, trim, detector)
            report.add(tally(sample, made))
            yield made
            if progress is not None:
                progress(index + 1, len(todo))

    for index, held in enumerate(batched_rows(rows(), ROWS_PER_SHARD), next_shard(folder)):
        write_shard(folder, index, held)
    return report


def sample_rows(
    sample: Mapping[str, Any],
    root: Path,
    contract: CropContract,
    plan: WindowPlan | None,
    min_face_px: float,
    trim: Callable[[Clip], Clip] | None,
    detector: FaceDetector,
    threads: int = 0,
) -> list[dict[str, Any]]:
    """Cut one sample into rows of the cache; what cannot be read is one row with its reason."""
    try:
        clips = extract(
            root / sample["path"],
            contract,
            plan=plan,
            detector=detector,
            min_face_px=min_face_px,
            dense="all",
            threads=threads,
        )
        made = [clip_row(sample, trim(clip) if trim else clip) for clip in clips]
    except UnreadableMedia as error:
        return [error_row(sample, error.reason)]
    except Exception as error:  # a fault of ours in one file must not cost the others
        _log.debug("preparing %s failed", sample["path"], exc_info=True)
        reason = f"an internal error, please report it ({type(error).__name__}: {error})"
        return [error_row(sample, reason)]
    return made or [error_row(sample, "nothing to examine")]
