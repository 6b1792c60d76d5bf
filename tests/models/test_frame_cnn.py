"""The frame classifier: what its comparison of regions sees, and that it exports like the rest."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from seamline.models.frame_cnn import (
    INNER,
    DepthwiseConv,
    FrameCNN,
    imagenet_state,
    inside_against_outside,
    load_imagenet,
)
from seamline.models.residual import GAIN, Residual


def test_what_inside_and_outside_share_cancels_out() -> None:
    features = torch.randn(2, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    shifted = features + torch.tensor([5.0, -3.0, 1.0])[None, :, None, None]
    assert torch.allclose(
        inside_against_outside(features), inside_against_outside(shifted), atol=1e-4
    )


def test_the_difference_is_that_of_a_naive_loop() -> None:
    features = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    for channel in range(2):
        sides: tuple[list[float], list[float]] = ([], [])
        for row in range(8):
            for column in range(8):
                x, y = (column + 0.5) / 8 - 0.5, (row + 0.5) / 8 - 0.5
                outside = (x / INNER[0]) ** 2 + (y / INNER[1]) ** 2 >= 1
                sides[outside].append(float(features[0, channel, row, column]))
        expected = sum(sides[0]) / len(sides[0]) - sum(sides[1]) / len(sides[1])
        found = inside_against_outside(features)[0]
        assert float(found[channel]) == pytest.approx(expected, abs=1e-5)
        assert float(found[2 + channel]) == pytest.approx(abs(expected), abs=1e-5)


@pytest.mark.parametrize("regions", [False, True])
def test_logit_mask_and_feature_have_their_shapes(regions: bool) -> None:
    scores = FrameCNN(regions=regions).eval()(torch.zeros(2, 3, 64, 64))
    assert scores.logit.shape == (2,)
    assert scores.mask_logit.shape == (2, 4, 4)
    assert scores.feature.shape == (2, 1280)


def test_the_residual_is_what_a_blur_takes_away() -> None:
    crops = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(2))
    found = Residual()(crops)
    for channel in range(3):
        plain = crops[0, channel].numpy()
        line = np.array([1, 4, 6, 4, 1]) / 16
        blurred = cv2.sepFilter2D(plain, -1, line, line, borderType=cv2.BORDER_REPLICATE)
        assert found[0, channel].numpy() == pytest.approx(GAIN * (plain - blurred), abs=1e-5)
    level = torch.full((1, 3, 8, 8), 0.7)
    assert Residual()(level).abs().max() < 1e-5


@pytest.mark.parametrize("inputs", ["residual", "both"])
def test_a_network_reads_the_residual(inputs: str) -> None:
    model = FrameCNN(inputs=inputs).eval()
    load_imagenet(model.trunk, imagenet_state())
    crops = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3)) * 200
    with torch.no_grad():
        plain, lighter = model(crops).feature, model(crops + 40.0).feature
    assert torch.allclose(plain, lighter, atol=1e-3) == (inputs == "residual")


def test_further_channels_start_without_a_say() -> None:
    state = imagenet_state()
    plain, both = FrameCNN().eval(), FrameCNN(inputs="both").eval()
    load_imagenet(plain.trunk, state)
    load_imagenet(both.trunk, state)
    crops = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(4)) * 255
    with torch.no_grad():
        assert torch.allclose(plain(crops).feature, both(crops).feature, atol=1e-4)


def test_unknown_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match="inputs is 'infrared'; known: rgb, residual, both"):
        FrameCNN(inputs="infrared")


def test_depthwise_filters_stay_in_float32_where_a_cpu_halves_the_rest() -> None:
    torch.manual_seed(0)
    filters = DepthwiseConv(8, 8, 3, padding=1, groups=8, bias=False)
    x = torch.randn(2, 8, 9, 9).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = filters(x)
        halved = nn.functional.conv2d(x, filters.weight, padding=1, groups=8)
    expected = filters(x.float())
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, expected.bfloat16())
    assert not torch.equal(halved, found)  # the weights were rounded there
    depthwise = [m for m in FrameCNN().modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
    assert len(depthwise) == 16
    assert all(isinstance(module, DepthwiseConv) for module in depthwise)
