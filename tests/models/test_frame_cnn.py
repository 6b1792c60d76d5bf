"""The frame classifier: what its comparison of regions sees, and that it exports like the rest."""

from __future__ import annotations

import pytest
import torch

from seamline.models.frame_cnn import INNER, FrameCNN, inside_against_outside


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
