"""A small convolutional network over maps of change between frames: one forgery logit a moment.

It sees how a face's surface changes beyond its movement (`seamline.faces.flow`), never its colours,
and little of who it is.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seamline.models.regions import inside_minus_outside

CHANNELS = (24, 48, 64, 96, 128, 160)
STRIDES = (2, 2, 1, 2, 1, 2)
COMPARED = 4  # the layer, of stride 8, at which the face's inside is compared with its surroundings
INNER = (0.36, 0.43)  # half axes of the inside, in sides of the crop
DROPOUT = 0.3


class MotionNet(nn.Module):
    """Maps of change in, one logit a moment out; positive means forged."""

    def __init__(self, maps: int = 4) -> None:
        super().__init__()
        layers, inputs = [], maps
        for outputs, stride in zip(CHANNELS, STRIDES, strict=True):
            layers.append(_layer(inputs, outputs, stride))
            inputs = outputs
        self.layers = nn.ModuleList(layers)
        self.dropout = nn.Dropout(DROPOUT)
        self.judge = nn.Linear(CHANNELS[-1] + CHANNELS[COMPARED], 1)

    def forward(self, maps: Float[Tensor, "batch map size size"]) -> Float[Tensor, " batch"]:
        x = maps
        compared = x
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index == COMPARED:
                compared = inside_minus_outside(x, INNER)
        described = torch.cat((x.mean(dim=(2, 3)), compared), dim=1)
        logit: Tensor = self.judge(self.dropout(described)).squeeze(1)
        return logit


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
