"""Passes the two sides of training pairs through a network apart from each other.

A genuine crop and the fake that was made of it are alike but for what is forged. In one batch,
norms that measure the batch let each see the other: a channel that answers to little but their
scene becomes the ratio of the two, so that pairs are compared, which no scan can do (the leak for
which He et al., "Momentum contrast", CVPR 2020, shuffle their batches). So a network is asked
twice, with half of the genuine and half of the forged each time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Shaped
from torch import Tensor


def mix_twins(
    pairs: Shaped[Tensor, "pair 2 ..."],
) -> tuple[Shaped[Tensor, "pair ..."], Shaped[Tensor, "pair ..."]]:
    """Give two batches that hold one side of each pair: of even ones the first, then the second."""
    number = torch.arange(len(pairs), device=pairs.device)
    return pairs[number, number % 2], pairs[number, 1 - number % 2]


def ask_apart(
    ask: Callable[[Tensor], tuple[Tensor, ...]], pairs: Shaped[Tensor, "pair 2 ..."]
) -> list[Shaped[Tensor, "pair 2 ..."]]:
    """Ask for each mixed batch, and give every output as sides of pairs again."""
    told = zip(*(ask(batch) for batch in mix_twins(pairs)), strict=True)
    return [torch.stack(mix_twins(torch.stack(both, dim=1)), dim=1) for both in told]
