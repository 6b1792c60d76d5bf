from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from seamline.scoring.pool import pool_logits

LOGITS = st.lists(st.floats(-50, 50), min_size=1, max_size=30)


@given(LOGITS, st.floats(0.01, 50), st.integers(0, 2**32 - 1))
def test_pooling_agrees_with_scipy_logsumexp(logits, sharpness, seed):
    x = np.array(logits)
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, len(x))
    expected = logsumexp(sharpness * x, b=weights / weights.sum()) / sharpness
    assert pool_logits(x, sharpness, weights) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@given(LOGITS)
def test_pooling_runs_from_the_mean_to_the_maximum(logits):
    x = np.array(logits)
    pooled = [pool_logits(x, r) for r in (0.0, 1e-12, 1e-4, 0.1, 1.0, 10.0, 1e6, math.inf)]
    assert pooled[0] == pytest.approx(x.mean(), abs=1e-9)
    assert pooled[1] == pytest.approx(x.mean(), abs=1e-6)
    assert pooled[-1] == x.max()
    assert all(low <= high + 1e-7 for low, high in pairwise(pooled))


def test_pooling_survives_logits_that_would_overflow():
    assert pool_logits(np.array([1e4, -1e4]), 1.0) == pytest.approx(1e4 - math.log(2))
    assert pool_logits(np.array([-1e4, -1e4]), 3.0) == pytest.approx(-1e4)


def test_unseen_and_weightless_logits_have_no_say():
    x = np.array([1.0, np.nan, 900.0, 3.0])
    seen = np.array([True, False, True, True])
    assert pool_logits(x, 0.0, np.array([1.0, 1.0, 0.0, 1.0]), seen) == pytest.approx(2.0)


def test_nothing_seen_is_none_not_a_number():
    assert pool_logits(np.array([]), 1.0) is None
    assert pool_logits(np.array([4.0]), 1.0, seen=np.array([False])) is None


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="sharpness"):
        pool_logits(np.array([1.0]), -1.0)
    with pytest.raises(ValueError, match="1 of 2 seen logits are not finite"):
        pool_logits(np.array([1.0, np.nan]), 1.0)
    with pytest.raises(ValueError, match="one length"):
        pool_logits(np.array([1.0]), 1.0, np.array([1.0, 2.0]))
