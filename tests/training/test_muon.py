"""Muon for what mixes channels, AdamW for the rest; as torch's own where torch has them."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from seamline.training import config_checks, modules
from seamline.training.muon import Muon, as_rows, mixes

RATE, DECAY = 1e-2, 0.05


def small_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Flatten(),
        nn.Linear(8 * 4, 1),
    )


def groups_of(network: nn.Module) -> list[dict[str, object]]:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]


def descend(network: nn.Module, optimiser: torch.optim.Optimizer, steps: int) -> list[float]:
    generator = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(steps):
        x = torch.randn(16, 3, 6, 6, generator=generator)
        truth = (x.mean((1, 2, 3)) > 0).float()
        loss = F.binary_cross_entropy_with_logits(network(x)[:, 0], truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_matrices_are_what_mixes_channels():
    told = {name: mixes(p) for name, p in small_network().named_parameters()}
    assert told == {
        "0.weight": True,
        "1.weight": False,
        "1.bias": False,
        "2.weight": False,  # depthwise
        "2.bias": False,
        "4.weight": False,  # one output
        "4.bias": False,
    }


def test_it_steps_as_torchs_two_do():
    ours, theirs = small_network(), small_network()
    ours_optimiser = Muon(groups_of(ours), lr=RATE)
    descend(ours, ours_optimiser, 5)

    filters = nn.Parameter(theirs[0].weight.detach().flatten(1).clone())
    muon = torch.optim.Muon([filters], lr=RATE, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(
        [
            {"params": [theirs[2].weight, theirs[4].weight], "weight_decay": DECAY},
            {"params": [p for p in theirs.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ],
        lr=RATE,
    )

    class Both(torch.optim.SGD):
        def step(self, closure=None):
            filters.grad = theirs[0].weight.grad.flatten(1)
            muon.step()
            theirs[0].weight.data.copy_(filters.view_as(theirs[0].weight))
            adamw.step()

    descend(theirs, Both(theirs.parameters(), lr=0.0), 5)
    for (name, mine), their in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, their, msg=name, rtol=1e-5, atol=1e-6)


def test_it_learns_alike_in_either_memory_format():
    plain, last = small_network(), small_network().to(memory_format=torch.channels_last)
    a = descend(plain, Muon(groups_of(plain), lr=RATE), 30)
    b = descend(last, Muon(groups_of(last), lr=RATE), 30)
    assert a == pytest.approx(b, abs=0.02)  # orthogonalised in bfloat16, in another order
    assert sum(a[-5:]) < 0.9 * sum(a[:5])


def test_a_schedule_reaches_both_and_a_checkpoint_goes_on_as_if_unbroken():
    whole, first = small_network(), small_network()
    optimiser = Muon(groups_of(first), lr=RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 0.5)
    before = copy.deepcopy(first.state_dict())
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    descend(first, optimiser, 1)
    for name, value in first.named_parameters():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, msg=name)
    schedule.step()
    assert {group["lr"] for group in optimiser.param_groups} == {RATE / 2}

    unbroken = Muon(groups_of(whole), lr=RATE)
    descend(whole, unbroken, 3)
    resumed = copy.deepcopy(whole)
    again = Muon(groups_of(resumed), lr=RATE)
    again.load_state_dict(copy.deepcopy(unbroken.state_dict()))
    assert descend(whole, unbroken, 3) == descend(resumed, again, 3)


def test_rows_share_memory_with_the_weight():
    weight = torch.randn(4, 3, 2, 2).to(memory_format=torch.channels_last)
    rows = as_rows(weight)
    rows.zero_()
    assert not weight.any()
    assert rows.shape == (4, 12)


def test_a_weight_that_is_no_rows_of_filters_is_refused():
    with pytest.raises(ValueError, match=r"in one piece, not \(4, 3\) with strides \(1, 4\)"):
        as_rows(torch.randn(3, 4).T)


def test_every_optimizer_that_a_config_may_name_can_be_made():
    assert tuple(modules.OPTIMIZERS) == config_checks.OPTIMIZERS
