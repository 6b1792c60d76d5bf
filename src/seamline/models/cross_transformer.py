"""An audio-visual encoder–decoder transformer: two sequences of tokens in, one forgery logit out.

Boes & Van hamme (ACM MM 2019) put one modality into the encoder and the other into the decoder,
which attends to it. Which goes where is the caller's choice; both ways are trained.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from seamline.models.attention import DecoderLayer, self_mask
from seamline.models.temporal_transformer import Classifier, Embedding, TokenStack, read_mean


class CrossTransformer(nn.Module):
    """Judges a decoder sequence in the light of an encoder sequence; either may be missing.

    Both sequences start with a learned token that is always seen: it is what attention finds
    where a modality is missing, and what is classified where the decoder's is.
    """

    def __init__(
        self,
        encoder_inputs: int,
        decoder_inputs: int,
        *,
        width: int = 128,
        heads: int = 8,
        layers: int = 6,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder = TokenStack(encoder_inputs, width, heads, layers, dropout, causal=False)
        self.embed = Embedding(decoder_inputs, width, dropout)
        self.layers = nn.ModuleList(
            DecoderLayer(width, heads, 4 * width, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.nothing = nn.Parameter(torch.randn(width) / width**0.5)
        self.start = nn.Parameter(torch.randn(width) / width**0.5)
        self.classify = Classifier(width, width)

    def forward(
        self,
        encoder_tokens: Float[Tensor, "batch other encoder_inputs"],
        decoder_tokens: Float[Tensor, "batch time decoder_inputs"],
        encoder_seen: Bool[Tensor, "batch other"],
        decoder_seen: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, " batch"]:
        memory = _prepend(self.nothing, self.encoder(encoder_tokens, encoder_seen))
        memory_allowed = F.pad(encoder_seen, (1, 0), value=True)[:, None, None, :]
        seen = F.pad(decoder_seen, (1, 0), value=True)
        x, allowed = _prepend(self.start, self.embed(decoder_tokens)), self_mask(seen, False)
        for layer in self.layers:
            x = layer(x, allowed, memory, memory_allowed)
        logits = self.classify(self.norm(x)).squeeze(2)
        return read_mean(logits, seen)


def _prepend(
    token: Float[Tensor, " dim"], x: Float[Tensor, "batch time dim"]
) -> Float[Tensor, "batch one_more dim"]:
    return torch.cat([token.expand(x.shape[0], 1, -1), x], dim=1)
