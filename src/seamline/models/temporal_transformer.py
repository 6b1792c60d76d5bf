"""A transformer encoder over tokens in time: one forgery logit a sequence.

Tokens are codes or features of frames, or steps of sound. Sinusoidal positions, a causal mask
unless told otherwise; a readout turns the classified outputs into one logit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seamline.models.attention import EncoderLayer, self_mask, sinusoids

Readout = Callable[
    [Float[Tensor, "batch time"], Bool[Tensor, "batch time"]], Float[Tensor, " batch"]
]


def read_last(
    logits: Float[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
) -> Float[Tensor, " batch"]:
    """Take the last token that was seen."""
    place = torch.arange(seen.shape[1], device=seen.device)
    last = (place * seen).argmax(dim=1, keepdim=True)
    return logits.gather(1, last).squeeze(1)


def read_mean(
    logits: Float[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
) -> Float[Tensor, " batch"]:
    """Average over the tokens that were seen."""
    return (logits * seen).sum(dim=1) / seen.sum(dim=1).clamp(min=1)


def read_max(
    logits: Float[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
) -> Float[Tensor, " batch"]:
    """Take the largest of the tokens that were seen."""
    return logits.masked_fill(~seen, -1e4).amax(dim=1)


def read_log_sum_exp(
    logits: Float[Tensor, "batch time"], seen: Bool[Tensor, "batch time"]
) -> Float[Tensor, " batch"]:
    """Take the log of the mean exponential: between mean and maximum, and smooth."""
    count = seen.sum(dim=1).clamp(min=1).to(logits.dtype)
    return torch.logsumexp(logits.masked_fill(~seen, -1e4), dim=1) - count.log()


READOUTS: dict[str, Readout] = {
    "last": read_last,
    "mean": read_mean,
    "max": read_max,
    "log_sum_exp": read_log_sum_exp,
}


class Embedding(nn.Module):
    """Projects tokens and adds their positions."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Linear(inputs, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch time inputs"]
    ) -> Float[Tensor, "batch time dim"]:
        x: Tensor = self.enter(tokens)
        placed: Tensor = self.dropout(x + sinusoids(x.shape[1], self.width, x.device))
        return placed


class TokenStack(nn.Module):
    """Embeds tokens and runs encoder layers; ends with a norm."""

    def __init__(
        self, inputs: int, width: int, heads: int, layers: int, dropout: float, causal: bool
    ) -> None:
        super().__init__()
        self.causal = causal
        self.embed = Embedding(inputs, width, dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(width, heads, 4 * width, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(
        self, tokens: Float[Tensor, "batch time inputs"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time dim"]:
        x, allowed = self.embed(tokens), self_mask(seen, self.causal)
        for layer in self.layers:
            x = layer(x, allowed)
        normed: Tensor = self.norm(x)
        return normed


class Classifier(nn.Sequential):
    """Linear, sigmoid, linear to one logit: the head of the original project."""

    def __init__(self, width: int, hidden: int) -> None:
        squeeze, leave = nn.Linear(width, hidden), nn.Linear(hidden, 1)
        super().__init__(squeeze, nn.Sigmoid(), leave)
        # Four times the usual start: a sigmoid passes on a quarter of its input's slope, so the
        # usual one leaves every logit near 0 for hundreds of steps.
        nn.init.normal_(squeeze.weight, std=4.0 / math.sqrt(width))
        nn.init.normal_(leave.weight, std=1.0 / math.sqrt(hidden))


class TemporalTransformer(nn.Module):
    """Judges sequences of tokens."""

    def __init__(
        self,
        inputs: int,
        *,
        width: int = 128,
        heads: int = 8,
        layers: int = 6,
        dropout: float = 0.1,
        readout: str = "last",
        causal: bool = True,
    ) -> None:
        super().__init__()
        if readout not in READOUTS:
            raise ValueError(f"readout is {readout!r}; known: {', '.join(READOUTS)}.")
        self.stack = TokenStack(inputs, width, heads, layers, dropout, causal)
        self.classify = Classifier(width, width)
        self.readout = READOUTS[readout]

    def outputs(
        self, tokens: Float[Tensor, "batch time inputs"], seen: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Classify every output."""
        logits: Tensor = self.classify(self.stack(tokens, seen)).squeeze(2)
        return logits

    def forward(
        self,
        tokens: Float[Tensor, "batch time inputs"],
        seen: Bool[Tensor, "batch time"] | None = None,
    ) -> Float[Tensor, " batch"]:
        """Judge each sequence by its seen tokens (None: all; at least one must be)."""
        if seen is None:
            seen = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        return self.readout(self.outputs(tokens, seen), seen)
