"""Seeded natural-like images: occluding discs with sharp edges over 1/f noise.

The two ingredients are the textbook ones: the amplitude spectrum of natural images falls as 1/f (D. J. Field,
J. Opt. Soc. Am. A 4, 1987) and their edges come from objects that hide one another ("dead leaves", A. B. Lee,
D. Mumford and J. Huang, Int. J. Computer Vision 41, 2001).
"""

from __future__ import annotations

import numpy as np

from hwsim.errors import HwsimError

STEP = 1 / 64  # about one grey level of an 8-bit photograph after the usual normalization by its spread
LIMIT = 3.0
_LEAVES = 60
_COLOUR = 0.4  # spread of one channel about the luminance that the channels share
_TEXTURE = 0.5


def natural_images(count: int, channels: int, height: int, width: int, seed: int) -> np.ndarray:
    """Return natural-like images of about zero mean and unit variance each.

    Every value is a multiple of 1/64 in [-3, 3], so that the last bit of a Fourier transform does not matter.

    Args:
        count: number of images, at least 1.
        channels: colour channels of an image, at least 1.
        height: of an image in pixels, at least 1.
        width: of an image in pixels, at least 1.
        seed: equal arguments give equal images.

    Returns:
        float32 [count, channels, height, width]

    Raises:
        HwsimError: a size is not positive.

    >>> images = natural_images(2, 3, 32, 32, seed=7)
    >>> images.shape, images.dtype, bool(abs(images.mean()) < 0.05), bool(abs(images.std() - 1) < 0.05)
    ((2, 3, 32, 32), dtype('float32'), True, True)
    """
    for name, size in (("count", count), ("channels", channels), ("height", height), ("width", width)):
        if size < 1:
            raise HwsimError(f"natural_images: {name} must be a positive integer, not {size}")
    images = np.empty((count, channels, height, width), np.float32)
    for index in range(count):
        rng = np.random.default_rng([seed, index])
        scene = _leaves(rng, channels, height, width) + _TEXTURE * _pink_noise(rng, channels, height, width)
        scene -= scene.mean()
        spread = scene.std()
        images[index] = np.clip(np.rint(scene / (spread if spread > 0 else 1.0) / STEP) * STEP, -LIMIT, LIMIT)
    return images


def _colours(rng: np.random.Generator, channels: int) -> np.ndarray:
    """Return one colour [channels]: a shared luminance and a smaller difference in each channel."""
    return rng.standard_normal() + _COLOUR * rng.standard_normal(channels)


def _leaves(rng: np.random.Generator, channels: int, height: int, width: int) -> np.ndarray:
    """Return discs drawn over one another, radii r with density ~ r**-3, as float64 [channels, height, width]."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    image = np.broadcast_to(_colours(rng, channels)[:, None, None], (channels, height, width)).copy()
    largest = max(height, width) / 2
    smallest = max(largest / 16, 0.5)
    for _ in range(_LEAVES):
        radius = 1 / np.sqrt(rng.uniform(largest**-2, smallest**-2))
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        image[:, inside] = _colours(rng, channels)[:, None]
    return image


def _pink_noise(rng: np.random.Generator, channels: int, height: int, width: int) -> np.ndarray:
    """Return unit-variance noise with a 1/f amplitude spectrum, float64 [channels, height, width]."""
    shared = rng.standard_normal((1, height, width))
    white = shared + _COLOUR * rng.standard_normal((channels, height, width))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf  # no mean
    noise = np.fft.irfft2(np.fft.rfft2(white) / frequency, s=(height, width))
    return noise / max(float(noise.std()), 1e-12)
