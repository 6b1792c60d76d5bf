"""A transformer over sound: raw amplitudes, Fourier features or log-mel in, logits by window out.

The input may have any length. It is cut into windows of a fixed number of tokens, each judged by
itself, so cost grows with the length and not with its square, and long files give a timeline::

    tokens   |················|················|·······(padding)|
    logits          0                 1                2
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seamline.models.temporal_transformer import TemporalTransformer
from seamline.models.voice_fronts import whole_blocks


class VoiceTransformer(nn.Module):
    """``front`` makes tokens, ``transformer`` judges windows of ``window_tokens`` of them."""

    def __init__(
        self, front: nn.Module, transformer: TemporalTransformer, window_tokens: int
    ) -> None:
        super().__init__()
        self.front, self.transformer = front, transformer
        self.window_tokens = window_tokens

    @property
    def input_per_step(self) -> int:
        """How many input columns or samples one logit stands for."""
        return self.window_tokens * int(self.front.input_per_token)  # type: ignore[arg-type]

    def forward(self, sound: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch step"]:
        """Judge each window; the last one may be partly empty."""
        tokens = self.front(sound)
        batch, time = tokens.shape[:2]
        windows = whole_blocks(tokens.transpose(1, 2), self.window_tokens)
        steps = windows.shape[2]
        windows = windows.permute(0, 2, 3, 1).flatten(0, 1)
        seen = torch.arange(steps * self.window_tokens, device=tokens.device) < time
        seen = seen.unflatten(0, (steps, self.window_tokens))
        seen = seen[None].expand(batch, -1, -1).flatten(0, 1)
        return self.transformer(windows, seen).unflatten(0, (batch, steps))
