"""The motion network: a logit a moment, of crops of any size, blind to what all the crop shares."""

from __future__ import annotations

import pytest
import torch

from seamline.models.build import ModelConfig, build_model
from seamline.models.motion_net import INNER, MotionNet
from seamline.models.regions import inside_minus_outside


@pytest.mark.parametrize(("count", "size"), [(1, 112), (5, 64)])
def test_one_logit_a_moment(count: int, size: int) -> None:
    model = build_model(ModelConfig(kind="motion_net")).eval()
    assert isinstance(model, MotionNet)
    maps = torch.randn(count, 4, size, size)
    logits = model(maps)
    assert logits.shape == (count,)
    assert logits[0].item() == pytest.approx(model(maps[:1]).item(), abs=1e-5)


def test_inside_against_outside_ignores_a_constant_and_sees_the_middle() -> None:
    flat = torch.full((2, 3, 14, 14), 7.0)
    assert inside_minus_outside(flat, INNER).abs().max() < 1e-5
    flat[:, 1, 5:9, 5:9] += 1.0
    found = inside_minus_outside(flat, INNER)
    assert (found[:, 1] > 0.1).all()
    assert found[:, [0, 2]].abs().max() < 1e-5


def test_it_is_small() -> None:
    assert sum(p.numel() for p in MotionNet().parameters()) < 500_000
