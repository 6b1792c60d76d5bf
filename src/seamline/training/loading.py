"""Batches of a training epoch: a data set in its order in, this process's share of batches out."""

from __future__ import annotations

from typing import Any

from torch.utils.data import DataLoader, Dataset, DistributedSampler

from seamline.training.config import TrainConfig


def train_batches(
    dataset: Dataset[Any], config: TrainConfig, trainer: Any, *, items: int | None = None
) -> DataLoader[Any]:
    """Load batches of ``items`` (default: `batch_size`), shared out among the processes.

    Items are dealt out in turn and in order, so that the processes' k-th batches together are the
    k-th batch of a single process. Left to itself Lightning would shuffle them.
    """
    sampler: DistributedSampler[Any] | None = None
    if config.processes > 1 and trainer is not None:
        sampler = DistributedSampler(
            dataset, num_replicas=trainer.world_size, rank=trainer.global_rank, shuffle=False
        )
    count = (items or config.batch_size) // config.processes
    return DataLoader(dataset, batch_size=count, sampler=sampler, num_workers=config.workers)
