"""The handwritten digits: where they come from, the split into three parts, and the augmentation.

Source: E. Alpaydin, C. Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository (1998),
https://doi.org/10.24432/C50P49, CC BY 4.0; the copy that ships in scikit-learn (1797 images of 8x8 pixels, 0..16).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits

TEST = 540
CALIBRATION = 128
CLASSES = 10
SPLIT_SEED = 20240  # belongs to the committed data files: never change it together with a network


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the data: rows of the source, images float32 [n, 1, 8, 8] in [0, 1] and labels int64 [n]."""

    index: np.ndarray
    image: np.ndarray
    labels: np.ndarray


def split() -> dict[str, Part]:
    """Return the disjoint, stratified parts ``test`` (540), ``calibration`` (128) and ``train`` (1129)."""
    source = load_digits()
    image = (source.images / 16.0).astype(np.float32)[:, None]
    labels = source.target.astype(np.int64)
    rng = np.random.default_rng(SPLIT_SEED)
    rows = {"test": _take(labels, np.arange(labels.size), TEST, rng)}
    rest = np.setdiff1d(np.arange(labels.size), rows["test"])
    rows["calibration"] = _take(labels, rest, CALIBRATION, rng)
    rows["train"] = np.setdiff1d(rest, rows["calibration"])
    return {role: Part(index=index, image=image[index], labels=labels[index]) for role, index in rows.items()}


def _take(labels: np.ndarray, rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw ``count`` of ``rows`` so that every class keeps its share (largest remainder), in random order."""
    members = [rows[labels[rows] == label] for label in range(CLASSES)]
    exact = np.array([m.size for m in members]) * count / rows.size
    quota = np.floor(exact).astype(int)
    short = count - int(quota.sum())
    quota[np.argsort(quota - exact, kind="stable")[:short]] += 1
    drawn = [rng.permutation(m)[:n] for m, n in zip(members, quota, strict=True)]
    return rng.permutation(np.concatenate(drawn))


def random_affine(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``count`` small rotations, scalings, shears and shifts as float32 [count, 2, 3], in the units of a
    sampling grid that spans [-1, 1]: up to 12 degrees, 12 %, 0.15 of shear and 0.8 pixel.
    """
    angle = rng.uniform(-12, 12, count) * math.pi / 180
    scale = np.exp(rng.uniform(-0.12, 0.12, (2, count)))
    shear = rng.uniform(-0.15, 0.15, count)
    shift = rng.uniform(-0.2, 0.2, (2, count))  # the image is 8 pixels wide: 0.25 is one pixel
    theta = np.empty((count, 2, 3))
    theta[:, 0, 0] = scale[0] * np.cos(angle)
    theta[:, 0, 1] = scale[0] * (shear - np.sin(angle))
    theta[:, 1, 0] = scale[1] * np.sin(angle)
    theta[:, 1, 1] = scale[1] * np.cos(angle)
    theta[:, :, 2] = shift.T
    return theta.astype(np.float32)
