"""Draws further pairs of a picture run's recipe, as large as a scan cuts crops: for what is fitted
to a network that is trained already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from seamline.training.config import TrainConfig
from seamline.training.pairs import PairDataset
from seamline.training.picture_data import PictureData

_OTHER_SEED = 1_000_003  # pairs that the training did not draw


def drawn_pairs(
    config: TrainConfig, pairs: int, data: PictureData | None = None
) -> Iterator[Float[Tensor, "pair side 3 size size"]]:
    """Give batches of at least ``pairs`` genuine and forged crops, after the same chain each.

    No part of them is hidden: a scan hides none.
    """
    drawn = replace(
        config,
        size_px=config.scan_px,
        scan_size_px=0,
        cutout_share=0.0,
        seed=config.seed + _OTHER_SEED,
    )
    found = data or PictureData(drawn)
    size = min(pairs, config.batch_size // 2)
    whole = replace(drawn, steps_per_epoch=-(-pairs // size), batch_size=2 * size)
    dataset = PairDataset(found.pool, whole, store_margin=found.store_margin, epoch=0)
    for batch in DataLoader(dataset, batch_size=size):
        yield batch.crops
