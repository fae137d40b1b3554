import numpy as np
import pytest

from hwsim.quantization.ranges.seen import Channels


@pytest.mark.parametrize("shape", [(8, 5, 3, 2), (8, 5), (8, 3, 5), (8,)])
@pytest.mark.parametrize("chunks", [1, 3])
def test_variances_and_weights_are_those_of_the_channels(shape, chunks):
    values = np.random.default_rng(1).normal(3.0, 2.0, size=shape).astype(np.float32)
    axis = {4: 1, 2: 1, 3: 2, 1: None}[len(shape)]
    found = Channels()
    for part in np.array_split(values, chunks):
        found.update(part, float(np.abs(part).max()))
    others = tuple(each for each in range(len(shape)) if each != axis)
    variance = np.atleast_1d(values.astype(np.float64).var(axis=others))
    np.testing.assert_allclose(found.variance, variance, rtol=1e-6)
    for part in np.array_split(values, chunks):
        found.update_again(part)
    assert found.weighted.sum() + found.zeros == pytest.approx((1 / variance).mean(), rel=1e-6)
