"""Pairs pass a network apart: what is said of a crop does not depend on its twin."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seamline.models.frame_cnn import FrameCNN
from seamline.training.config import TrainConfig
from seamline.training.modules import PictureModule
from seamline.training.twins import ask_apart, mix_twins


@pytest.mark.parametrize("pairs", [1, 2, 5])
def test_each_batch_has_one_side_of_every_pair_and_both_classes(pairs: int) -> None:
    sides = torch.arange(2 * pairs).view(pairs, 2)
    first, second = mix_twins(sides)
    assert sorted(torch.cat((first, second)).tolist()) == list(range(2 * pairs))
    assert (first // 2).tolist() == (second // 2).tolist() == list(range(pairs))
    assert abs(int((first % 2).sum()) - pairs / 2) <= 0.5


def test_what_is_told_comes_back_in_the_order_of_the_pairs() -> None:
    sides = torch.randn(5, 2, 3, 4)
    doubled, summed = ask_apart(lambda batch: (2 * batch, batch.sum(dim=(1, 2))), sides)
    assert torch.equal(doubled, 2 * sides)
    assert torch.equal(summed, sides.sum(dim=(2, 3)))


def test_norms_that_measure_the_batch_see_no_twin() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 1, 6))

    def ask(batch: Tensor) -> tuple[Tensor]:
        return (net(batch).flatten(),)

    def apart(sides: Tensor) -> Tensor:
        return ask_apart(ask, sides)[0]

    def together(sides: Tensor) -> Tensor:
        return ask(sides.flatten(0, 1))[0].view(-1, 2)

    crops = torch.randn(4, 2, 3, 8, 8)
    for pair in range(4):
        for side in (0, 1):
            changed = crops.clone()
            changed[pair, side] *= 3
            assert apart(changed)[pair, 1 - side] == apart(crops)[pair, 1 - side]
            assert apart(changed)[pair, side] != apart(crops)[pair, side]
            assert together(changed)[pair, 1 - side] != together(crops)[pair, 1 - side]
    net.eval()
    assert torch.allclose(apart(crops), together(crops), atol=1e-6)


def test_norms_that_are_held_are_asked_once_and_say_the_same() -> None:
    net = FrameCNN().eval()
    asked: list[int] = []
    net.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    pairs = 255 * torch.rand(3, 2, 3, 64, 64)
    told = {}
    with torch.no_grad():
        for train_norms in (True, False):
            module = PictureModule(net, TrainConfig(train_norms=train_norms))
            told[train_norms] = module._judge_sides(pairs)
    assert asked == [3, 3, 6]
    for apart, together in zip(told[True], told[False], strict=True):
        torch.testing.assert_close(apart, together, atol=1e-4, rtol=1e-4)
