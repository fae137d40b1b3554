"""Do the natural-like images have the statistics they promise?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.zoo import natural_images


def test_shape_type_and_scale():
    images = natural_images(4, 3, 64, 48, seed=1)
    assert (images.shape, images.dtype) == ((4, 3, 64, 48), np.float32)
    np.testing.assert_allclose(images.mean((1, 2, 3)), 0, atol=0.1)
    np.testing.assert_allclose(images.std((1, 2, 3)), 1, atol=0.1)
    np.testing.assert_array_equal(images * 64, np.rint(images * 64))


def test_seeded():
    np.testing.assert_array_equal(natural_images(2, 3, 16, 16, seed=1), natural_images(2, 3, 16, 16, seed=1))
    assert (natural_images(2, 3, 16, 16, seed=1) != natural_images(2, 3, 16, 16, seed=2)).any()


def test_more_images_begin_with_the_same():
    np.testing.assert_array_equal(natural_images(3, 1, 16, 16, seed=1)[:2], natural_images(2, 1, 16, 16, seed=1))


def test_amplitude_falls_about_as_one_over_f():
    images = natural_images(8, 1, 128, 128, seed=3)[:, 0]
    power = (np.abs(np.fft.fft2(images)) ** 2).mean(0)
    frequency = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    bands = np.geomspace(0.02, 0.4, 9)
    inside = [(frequency >= low) & (frequency < high) for low, high in pairwise(bands)]
    slope = np.polyfit(np.log(bands[:-1]), [np.log(power[band].mean()) for band in inside], 1)[0]
    assert -3.0 < slope < -1.5  # power of natural images: -2


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 4, 1, 9), (2, 1, 2, 2)])
def test_tiny_images_are_finite(shape):
    assert np.isfinite(natural_images(*shape, seed=0)).all()


def test_zero_size_is_refused():
    with pytest.raises(HwsimError, match=r"^natural_images: height must be a positive integer, not 0$"):
        natural_images(1, 3, 0, 8, seed=0)
