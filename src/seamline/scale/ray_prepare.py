"""Fills a clip cache from a Ray cluster: samples in, shards of the cache and counts out.

Each worker writes the shards that it cut into the folder, which all machines must share; a shard
that is done again after a crash takes the place of the first, so every sample is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seamline.clips.cache import error_row, next_shard, read_done, write_contract, write_shard
from seamline.clips.clip import Clip
from seamline.clips.contract import CropContract
from seamline.clips.prepare import Prepared, sample_rows, tally
from seamline.clips.window import WindowPlan
from seamline.errors import SeamlineError
from seamline.faces.mtcnn import FaceDetector
from seamline.scale.ray_cluster import Crew, cluster
from seamline.scale.ray_shards import GIVEN_UP, Handler, run_shards, shard_size

SAMPLES_PER_SHARD = 16  # at most 16 files of 30 windows with 2 people: 250 MB of crops in memory


@dataclass(frozen=True)
class _CutWork:
    root: Path
    folder: Path
    contract: CropContract
    plan: WindowPlan
    min_face_px: float
    trim: Callable[[Clip], Clip] | None

    def __call__(self) -> Handler:
        if not self.folder.is_dir():
            raise SeamlineError(
                f"A worker does not see the folder {self.folder}. Every machine of the cluster "
                "must reach the cache, and the samples, under the same paths."
            )
        return _CutHandler(self)


class _CutHandler:
    def __init__(self, work: _CutWork) -> None:
        self._work = work
        self._detector = FaceDetector(threads=1)

    def __call__(
        self,
        shard: int,
        items: list[tuple[int, Any]],
        given_up: frozenset[int],
        begin: Callable[[int], None],
    ) -> Iterator[tuple[int, Prepared]]:
        work = self._work
        rows: list[dict[str, Any]] = []
        counts = []
        for place, sample in items:
            if place in given_up:
                made = [error_row(sample, GIVEN_UP)]
            else:
                begin(place)
                made = sample_rows(
                    sample, work.root, work.contract, work.plan, work.min_face_px, work.trim,
                    self._detector, threads=1,
                )  # fmt: skip
            rows += made
            counts.append((place, tally(sample, made)))
        write_shard(work.folder, shard, rows)
        yield from counts


def prepare_with_ray(
    samples: Sequence[Mapping[str, Any]],
    root: Path,
    folder: Path,
    contract: CropContract,
    crew: Crew,
    *,
    plan: WindowPlan | None = None,
    min_face_px: float = 32.0,
    trim: Callable[[Clip], Clip] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Does what `seamline.clips.prepare.prepare` does, on a cluster."""
    with cluster(crew) as workers:
        write_contract(folder, contract)
        done = read_done(folder)
        todo = [dict(sample) for sample in samples if sample["path"] not in done]
        report = Prepared(skipped=len(samples) - len(todo))
        work = _CutWork(
            root.absolute(), folder.absolute(), contract, plan or WindowPlan(), min_face_px, trim
        )
        found = run_shards(
            todo,
            work,
            workers=workers,
            size=shard_size(len(todo), workers, SAMPLES_PER_SHARD),
            first_shard=next_shard(folder),
        )
        for _, counted in found:
            report.add(counted)
            if progress is not None:
                progress(report.samples, len(todo))
    return report
