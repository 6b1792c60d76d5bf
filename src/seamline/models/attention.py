"""Transformer layers with boolean masks: sequences of tokens in, sequences of the same shape out.

The arithmetic is that of Vaswani et al. (NeurIPS 2017) with the norm before each sub-layer, which
needs no warm-up to train six layers on a few hundred clips. Written out rather than taken from
``torch.nn`` so that one mask serves causality and padding alike and the graph exports with any
length.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F


def sinusoids(length: int, width: int, device: torch.device) -> Float[Tensor, "time dim"]:
    """Return sine and cosine positions: even features are sines, odd ones their cosines."""
    place = torch.arange(length, device=device, dtype=torch.float32)[:, None]
    even = torch.arange(0, width, 2, device=device, dtype=torch.float32)
    angle = place * torch.exp(even * (-math.log(10_000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)[:, :width]


def self_mask(seen: Bool[Tensor, "batch time"], causal: bool) -> Bool[Tensor, "batch 1 time time"]:
    """Tell which tokens (last axis) each token may read: itself, and those seen (and not later).

    Every token reads itself, seen or not: a row without any would be not-a-number.
    """
    time = seen.shape[1]
    own = torch.eye(time, dtype=torch.bool, device=seen.device)
    allowed = seen[:, None, :].expand(-1, time, -1)
    if causal:
        place = torch.arange(time, device=seen.device)
        allowed = allowed & (place[None, :] <= place[:, None])
    return (allowed | own)[:, None]


class Attention(nn.Module):
    """Multi-head attention of one sequence to another (or to itself)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} does not divide into heads {heads}.")
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, width)

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        memory: Float[Tensor, "batch other dim"],
        allowed: Bool[Tensor, "batch 1 #time other"],
    ) -> Float[Tensor, "batch time dim"]:
        query = self._split(self.query(x))
        key, value = (self._split(part) for part in self.key_value(memory).chunk(2, dim=2))
        dropout = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(query, key, value, allowed, dropout)
        return self.leave(found.transpose(1, 2).flatten(2))

    def _split(self, x: Float[Tensor, "batch time dim"]) -> Float[Tensor, "batch heads time head"]:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Two linear layers with a ReLU between, as each layer ends."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__(
            nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward, each around a residual."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attend = Attention(width, heads, dropout)
        self.think = FeedForward(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "batch time dim"], allowed: Bool[Tensor, "batch 1 time time"]
    ) -> Float[Tensor, "batch time dim"]:
        normed = self.norms[0](x)
        x = x + self.dropout(self.attend(normed, normed, allowed))
        return x + self.dropout(self.think(self.norms[1](x)))


class DecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's memory, feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.attend = Attention(width, heads, dropout)
        self.recall = Attention(width, heads, dropout)
        self.think = FeedForward(width, hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Float[Tensor, "batch time dim"],
        allowed: Bool[Tensor, "batch 1 time time"],
        memory: Float[Tensor, "batch other dim"],
        memory_allowed: Bool[Tensor, "batch 1 1 other"],
    ) -> Float[Tensor, "batch time dim"]:
        normed = self.norms[0](x)
        x = x + self.dropout(self.attend(normed, normed, allowed))
        x = x + self.dropout(self.recall(self.norms[1](x), memory, memory_allowed))
        return x + self.dropout(self.think(self.norms[2](x)))
