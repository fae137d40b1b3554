"""The range of logits that moves the predicted distribution least (Nagel et al. 2021, section 3.1).

``argmin - sum softmax(v) log softmax(q(v))``: the order and the distance of the large logits matter, the size of the small ones
hardly. It is defined for the results of a classifier, so it holds for results of the network, with their classes along the
channel axis; by rule every other tensor, and every weight, takes ``mse``, as in the paper.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from hwsim.numerics.formats import IntFormat
from hwsim.quantization.ranges import mse
from hwsim.quantization.ranges._search import best_range
from hwsim.quantization.ranges.observation import Observation

NEEDS = ("extremes", "histogram", "rows")


def estimate(observation: Observation, number: IntFormat, symmetric: bool) -> tuple[float, float]:
    """Return the best range found; by the same loss never worse than min-max."""
    observation.check("rows")
    if observation.rows is None:
        return mse.estimate(observation, number, symmetric)
    losses = partial(cross_entropies, observation.rows.values, number=number)
    return best_range(observation.minimum, observation.maximum, number, symmetric, losses)


def cross_entropies(rows: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, number: IntFormat) -> np.ndarray:
    """Return ``- sum softmax(v) log softmax(q(v))`` for each of several grids.

    Args:
        rows: logits, float64 ``[rows, classes]``.
        scale: float64 ``[grids]``.
        zero_point: ``[grids]``.
        number: the codes of every grid.
    """
    wanted = np.exp(_log_softmax(rows))
    losses = np.empty(scale.size)
    for index, (size, zero) in enumerate(zip(scale, zero_point, strict=True)):
        codes = np.clip(np.rint(rows / size), number.minimum - zero, number.maximum - zero)
        losses[index] = -np.sum(wanted * _log_softmax(size * codes))
    return losses


def _log_softmax(rows: np.ndarray) -> np.ndarray:
    shifted = rows - rows.max(axis=1, keepdims=True)
    logarithms: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logarithms
