"""Two towers that meet where a mouth makes a sound: mouth crops and log-mel in, embeddings out.

Each tower gives one unit vector a step of 40 ms; vectors of the same moment are alike, those of
other moments are not (Chung & Zisserman, "Out of time", ACCV 2016, whose towers see single clips
of 0.2 s; these run over any length, so that neighbouring steps share their work). A step's vector
rests on about half a second around it. A clip's ends are continued with what is there: zeros would
tell both towers where in the clip a step lies, and that is no synchrony.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

COLUMNS_PER_STEP = 4
"""Columns of the log-mel, 10 ms apart, in a step."""


def _flat(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class InTime(nn.Module):
    """Features of single steps in, unit vectors that know their neighbours out."""

    def __init__(self, inputs: int, width: int, size: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, width, 1, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Conv1d(width, width, 5, padding=2, padding_mode="replicate", bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Conv1d(width, width, 5, padding=2, padding_mode="replicate", bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, size, 1),
        )

    def forward(self, x: Float[Tensor, "batch dim step"]) -> Float[Tensor, "batch step size"]:
        return functional.normalize(self.layers(x).transpose(1, 2), dim=-1)


class MouthTower(nn.Module):
    """Grey mouth crops in, one unit vector a crop out."""

    def __init__(self, size_px: int, *, width: int, size: int, dropout: float) -> None:
        super().__init__()
        if size_px % 4:
            raise ValueError(f"MouthTower needs size_px in whole fours, not {size_px}.")
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(inplace=True),
            _flat(16, 32, 2),
        )
        self.in_time = InTime(32 * (size_px // 4) ** 2, width, size, dropout)

    def forward(
        self, crops: Float[Tensor, "batch step height width"]
    ) -> Float[Tensor, "batch step size"]:
        """Embed crops of brightness 0–255; light and contrast of the whole clip are taken out.

        Each crop is seen beside how it differs from the one before and the one after; there must
        be two.
        """
        batch, steps = crops.shape[:2]
        level = crops.mean(dim=(1, 2, 3), keepdim=True)
        spread = (crops - level).square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        even = (crops - level) / (spread + 1.0)
        change = torch.diff(even, dim=1)
        before = torch.cat([change[:, :1], change], dim=1)
        after = torch.cat([change, change[:, -1:]], dim=1)
        seen = torch.stack([even, before, after], dim=2)
        described = self.layers(seen.flatten(0, 1)).reshape(batch, steps, -1)
        embedded: Tensor = self.in_time(described.transpose(1, 2))
        return embedded


class SoundTower(nn.Module):
    """Log-mel in, one unit vector every four columns out; vector k is centred on column 4k."""

    def __init__(
        self, mels: int, *, width: int, size: int, dropout: float, range_nats: float = 8.0
    ) -> None:
        super().__init__()
        self.range_nats = range_nats
        self.layers = nn.Sequential(
            nn.Conv1d(mels, width, 5, stride=2, padding=2, padding_mode="replicate", bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
            nn.Conv1d(width, width, 3, stride=2, padding=1, padding_mode="replicate", bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(inplace=True),
        )
        self.in_time = InTime(width, width, size, dropout)

    def forward(
        self, log_mel: Float[Tensor, "batch mel column"]
    ) -> Float[Tensor, "batch step size"]:
        """Embed sound; loudness is taken out, and what lies far below it is clipped."""
        level = log_mel.exp().mean(dim=(1, 2), keepdim=True).log()
        bands = (log_mel - level).clamp(min=-self.range_nats) / (self.range_nats / 2) + 1.0
        embedded: Tensor = self.in_time(self.layers(bands))
        return embedded


class SyncNet(nn.Module):
    """Both towers; the likeness of a mouth's and a sound's step is the product of their vectors."""

    def __init__(
        self,
        size_px: int = 32,
        mels: int = 80,
        *,
        width: int = 128,
        size: int = 64,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.mouth = MouthTower(size_px, width=width, size=size, dropout=dropout)
        self.sound = SoundTower(mels, width=width, size=size, dropout=dropout)
        self.sharpness = nn.Parameter(torch.tensor(2.3))

    def forward(
        self,
        crops: Float[Tensor, "batch step height width"],
        log_mel: Float[Tensor, "batch mel column"],
    ) -> tuple[Float[Tensor, "batch step size"], Float[Tensor, "batch step size"]]:
        """Embed mouths and the sound of the same time; a last half step of sound is dropped."""
        mouth = self.mouth(crops)
        return mouth, self.sound(log_mel)[:, : mouth.shape[1]]
