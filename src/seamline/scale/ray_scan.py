"""Scans many files on a Ray cluster: paths in, outcomes out as shards are done.

The same rows as ``workers.scan_files`` gives on one machine, each file once. Every worker must see
the files under the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seamline.scale.examine import FileState, Loader, Outcome, Scanner, Settings, examine_file
from seamline.scale.ray_cluster import Crew, cluster
from seamline.scale.ray_shards import GIVEN_UP, Handler, run_shards, shard_size
from seamline.scoring.verdict import unreadable_verdict

FILES_PER_SHARD = 8  # a minute's work at most stages; what a lost worker does again


@dataclass(frozen=True)
class _ScanWork:
    load: Loader
    settings: Settings

    def __call__(self) -> Handler:
        return _ScanHandler(self.load(), self.settings)


class _ScanHandler:
    def __init__(self, scanner: Scanner, settings: Settings) -> None:
        self._scanner, self._settings = scanner, settings

    def __call__(
        self,
        shard: int,
        items: list[tuple[int, Any]],
        given_up: frozenset[int],
        begin: Callable[[int], None],
    ) -> Iterator[tuple[int, Outcome]]:
        for place, path in items:
            if place in given_up:
                yield place, self._crashed(path)
            else:
                begin(place)
                yield place, examine_file(self._scanner, path, self._settings)

    def _crashed(self, path: str) -> Outcome:
        verdict = unreadable_verdict(path, GIVEN_UP, self._scanner.bundle.model_id)
        return Outcome(verdict, FileState.of(path))


def scan_with_ray(
    paths: Sequence[str], load: Loader, settings: Settings, crew: Crew
) -> Iterator[tuple[int, Outcome]]:
    """Yields (place in ``paths``, outcome) in the order of finishing."""
    with cluster(crew) as workers:
        yield from run_shards(
            paths,
            _ScanWork(load, settings),
            workers=workers,
            size=shard_size(len(paths), workers, FILES_PER_SHARD),
            gpus_each=crew.gpus_each,
        )
