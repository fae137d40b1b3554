"""Task metrics: functions ``(outputs by name, labels) -> number`` that a user can supply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import numpy as np

from hwsim.errors import ExecutionError, HwsimError

Metric = Callable[[Mapping[str, np.ndarray], np.ndarray], float]


def accuracy(outputs: Mapping[str, np.ndarray], labels: np.ndarray) -> float:
    """Return the share of images whose largest entry of the first output is at the label (the first one, on ties).

    Args:
        outputs: arrays ``[images, classes]`` by name (further dimensions of size 1 are dropped).
        labels: integers ``[images]``.
    """
    scores = next(iter(outputs.values()))
    scores = scores.reshape(scores.shape[0], -1)
    if len(labels) != len(scores):
        raise ExecutionError(f"accuracy: {len(labels)} labels for {len(scores)} images; give one label per image")
    return float(np.mean(scores.argmax(axis=1) == labels))


def metric_of(text: str) -> Metric:
    """Return the function that ``module:function`` names, or the built-in ``accuracy``."""
    if text == "accuracy":
        return accuracy
    module, _, attribute = text.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise HwsimError(f"metric: {text!r} cannot be imported ({error}); write accuracy or module:function") from None
    if not callable(found):
        raise HwsimError(f"metric: {text!r} is not a function; it must take (outputs by name, labels)")
    return found
