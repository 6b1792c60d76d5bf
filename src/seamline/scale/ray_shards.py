"""Shards of work over a pool of Ray actors: items in, each item's result out exactly once.

    items  0 1 2 3 4 5 6 7 | 8 9 …      a shard is what one actor takes at a time
    actor  holds what is slow to load, answers item by item
    ledger knows which shards were begun; it lives with the driver and so outlives an actor

An actor that dies (out of memory, a lost machine) is started again by Ray and its shard with it;
a result that comes twice counts once. A shard that comes back is done with care: the ledger is
told of each item before it is tried, and one at which an actor dies again is given up.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from seamline.errors import SeamlineError

GIVEN_UP = "the decoder crashed on this file (two workers died, the second at it)"
SHARDS_PER_WORKER = 4  # at least, so that workers end at about the same time


class Handler(Protocol):
    """What an actor does with one shard; built once an actor, keeps what is slow to load."""

    def __call__(
        self,
        shard: int,
        items: list[tuple[int, Any]],
        given_up: frozenset[int],
        begin: Callable[[int], None],
    ) -> Iterator[tuple[int, Any]]:
        """Yields (place, result) of every item; ``begin`` is told the place before it is tried.

        Those ``given_up`` must get their result without being tried.
        """


class Work(Protocol):
    """Makes handlers; must survive pickling."""

    def __call__(self) -> Handler: ...


class Ledger:
    """Knows which shards were begun and not ended, and the items at which actors died."""

    def __init__(self) -> None:
        self._begun: set[int] = set()
        self._at: dict[int, int] = {}
        self._given_up: set[int] = set()

    def open(self, shard: int) -> tuple[bool, frozenset[int]]:
        """Notes that a shard is taken; tells whether it came back, and the items to give up."""
        came_back = shard in self._begun
        self._begun.add(shard)
        if (place := self._at.pop(shard, None)) is not None:
            self._given_up.add(place)
        return came_back, frozenset(self._given_up)

    def begin(self, shard: int, place: int) -> None:
        """Notes the item that a shard done with care is at."""
        self._at[shard] = place

    def close(self, shard: int) -> None:
        """Notes that a shard is through."""
        self._begun.discard(shard)
        self._at.pop(shard, None)


class _Actor:
    """What Ray Data keeps one of per worker."""

    def __init__(self, work: Work, ledger: Any) -> None:
        self._ledger = ledger
        self._handle: Handler | None = None
        self._trouble: SeamlineError | None = None
        try:
            self._handle = work()
        except SeamlineError as error:  # told as a result: a failing start would be tried again
            self._trouble = error

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        import ray

        if self._handle is None:
            yield {"found": pickle.dumps((-1, self._trouble))}
            return
        shard = int(row["shard"])
        came_back, given_up = ray.get(self._ledger.open.remote(shard))

        def begin(place: int) -> None:
            if came_back:  # else it would cost each item a message, waited for
                ray.get(self._ledger.begin.remote(shard, place))

        for found in self._handle(shard, pickle.loads(row["items"]), given_up, begin):
            yield {"found": pickle.dumps(found)}
        self._ledger.close.remote(shard)


def shard_size(items: int, workers: int, most: int) -> int:
    """Chooses how many items a shard holds: ``most``, or fewer where there are few."""
    return max(1, min(most, -(-items // (workers * SHARDS_PER_WORKER))))


def run_shards(
    items: Sequence[Any],
    work: Work,
    *,
    workers: int,
    size: int,
    gpus_each: float = 0.0,
    first_shard: int = 0,
) -> Iterator[tuple[int, Any]]:
    """Yields (place in ``items``, result) as shards are done, on a cluster that is there already.

    Ray Data holds finished shards back once the object store fills: a slow consumer slows the
    workers and not the memory.
    """
    import ray
    from ray.data import ActorPoolStrategy
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    ledger = ray.remote(Ledger).options(num_cpus=0, scheduling_strategy=here).remote()
    rows = [
        {
            "shard": first_shard + number,
            "items": pickle.dumps(list(enumerate(items[start : start + size], start))),
        }
        for number, start in enumerate(range(0, len(items), size))
    ]
    pool = ActorPoolStrategy(size=min(workers, len(rows)), max_tasks_in_flight_per_actor=2)
    shards = ray.data.from_items(rows, override_num_blocks=len(rows)).flat_map(
        _Actor,
        fn_constructor_args=(work, ledger),
        compute=pool,
        num_cpus=1,
        num_gpus=gpus_each or None,
    )  # Ray Data restarts actors and retries their shards without limit, unless told otherwise
    taken: set[int] = set()
    for place, result in _unpacked(shards):
        if place not in taken:  # a network that fails and heals can make Ray run a shard twice
            taken.add(place)
            yield place, result
    if len(taken) < len(items):
        raise SeamlineError(
            f"Ray ended without a result for {len(items) - len(taken)} of {len(items)} items. Run "
            "again to go on; the cluster's logs may tell why."
        )


def _unpacked(shards: Any) -> Iterator[tuple[int, Any]]:
    import ray

    try:
        block: Any
        for block in shards.iter_batches(batch_size=None, batch_format="pyarrow"):
            for packed in block.column("found").to_pylist():
                place, result = pickle.loads(packed)
                if isinstance(result, SeamlineError):
                    raise result
                yield place, result
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1]
        raise SeamlineError(
            f"The Ray workers fail ({last}). Is the same version of Seamline installed on every "
            "node? What is written already stays; run again to go on."
        ) from error
