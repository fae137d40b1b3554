"""The closed forms of a clamped normal distribution against Monte Carlo, and against the formula of the paper."""

import numpy as np
import pytest

from hwsim.execute.float32.erf import erf
from hwsim.quantization.statistics import Moments
from hwsim.quantization.statistics.moments import clipped_normal

DRAWN = np.random.default_rng(0).standard_normal(400_000)


@pytest.mark.parametrize("ends", [(0.0, np.inf), (0.0, 6.0), (-1.0, 1.0), (-np.inf, 0.5), (-np.inf, np.inf)])
@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.0), (-2.0, 1.5), (5.0, 2.0), (0.3, 0.1), (40.0, 1.0)])
def test_clipped_normal_is_what_monte_carlo_finds(ends, mean, deviation):
    found = clipped_normal(np.array([mean]), np.array([deviation**2]), *ends)
    clipped = np.clip(mean + deviation * DRAWN, *ends)
    assert found[0][0] == pytest.approx(clipped.mean(), abs=0.005 * deviation)
    assert found[1][0] == pytest.approx(clipped.var(), abs=0.01 * deviation**2)


def test_a_relu_has_the_expectation_of_the_paper():
    beta, gamma = np.linspace(-3, 3, 13), 0.7
    at = -beta / gamma
    expected = beta * (0.5 - 0.5 * erf(at / np.sqrt(2))) + gamma * np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(clipped_normal(beta, np.full(13, gamma**2), 0.0, np.inf)[0], expected, atol=1e-12)


def test_what_never_varies_is_clamped_as_it_is():
    mean, variance = clipped_normal(np.array([-1.0, 3.0, 9.0]), np.zeros(3), 0.0, 6.0)
    assert mean.tolist() == [0.0, 3.0, 6.0]
    assert variance.tolist() == [0.0, 0.0, 0.0]


def test_a_range_reaches_six_deviations_and_is_clamped():
    moments = Moments.normal(np.array([1.0, -2.0]), np.array([1.0, 4.0]))
    assert moments.span == (-14.0, 10.0)
    assert moments.clamped(0.0, None).span == (0.0, 10.0)
    assert moments.clamped(0.0, 6.0).span == (0.0, 6.0)
