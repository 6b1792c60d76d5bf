"""Usual faces: strangeness is the distance that the formula says, and drawings have more of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf

from seamline.models.usual import describe_look
from seamline.training.usual import fit_usual


def test_a_look_is_the_mean_and_deviation_inside_the_ellipse() -> None:
    features = torch.randn(2, 3, 10, 8, generator=torch.Generator().manual_seed(0))
    look = describe_look(features, (0.3, 0.4)).numpy()
    for index, channel in np.ndindex(2, 3):
        inside = [
            float(features[index, channel, row, column])
            for row in range(10)
            for column in range(8)
            if (((column + 0.5) / 8 - 0.5) / 0.3) ** 2 + (((row + 0.5) / 10 - 0.5) / 0.4) ** 2 < 1
        ]
        assert look[index, channel] == pytest.approx(np.mean(inside), abs=1e-5)
        assert look[index, 3 + channel] == pytest.approx(np.std(inside), abs=1e-5)


def test_strangeness_is_the_mahalanobis_distance_over_the_root_of_the_dimensions() -> None:
    generator = np.random.default_rng(0)
    mixed = generator.normal(size=(500, 4)) @ generator.normal(size=(4, 4)) + 7
    usual = fit_usual(mixed)
    scaled = (mixed - mixed.mean(axis=0)) / mixed.std(axis=0)
    expected = np.sqrt(LedoitWolf().fit(scaled).mahalanobis(scaled) / 4)
    found = usual(torch.from_numpy(mixed).float()).numpy()
    assert found == pytest.approx(expected, rel=1e-3)
    assert np.sqrt((found**2).mean()) == pytest.approx(1, abs=0.05)  # 1 is usual
    apart = usual(torch.from_numpy(mixed[:1] + 100 * mixed.std(axis=0)).float())
    assert float(apart) > 20
