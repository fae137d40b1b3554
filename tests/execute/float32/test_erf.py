import math

import numpy as np

from hwsim.execute.float32.erf import erf


def test_erf_is_accurate_to_float64():
    x = np.concatenate([np.linspace(-7, 7, 200_001), 10.0 ** np.arange(-300.0, 300.0, 10), [0.46875, 4.0, 6.0]])
    expected = np.array([math.erf(value) for value in x])
    assert np.abs(erf(x) - expected).max() < 1e-15
    near = np.abs(x) < 0.4
    np.testing.assert_allclose(erf(x)[near], expected[near], rtol=1e-15)


def test_erf_of_the_edges():
    assert erf(np.array([np.inf, -np.inf, 0.0, -0.0])).tolist() == [1.0, -1.0, 0.0, -0.0]
    assert np.isnan(erf(np.array([np.nan]))).all()
    assert erf(np.float32(1)).shape == ()
