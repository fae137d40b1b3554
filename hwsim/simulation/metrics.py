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
        labels: integers ``[images]`` (or ``[images, 1]``), each a class.

    Raises:
        ExecutionError: labels of another shape or kind, or outside the classes.
    """
    scores = next(iter(outputs.values()))
    scores = scores.reshape(scores.shape[0], -1)
    classes = scores.shape[1]
    given = np.asarray(labels)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.shape != scores.shape[:1] or not np.issubdtype(given.dtype, np.integer):
        raise ExecutionError(
            f"accuracy: labels must be {len(scores)} integers, one class per image, not {given.dtype} of shape "
            f"{list(given.shape)}; another metric can be given as module:function"
        )
    if given.size and not (given.min() >= 0 and given.max() < classes):
        raise ExecutionError(f"accuracy: labels must be 0..{classes - 1}, not {given.min()}..{given.max()}")
    return float(np.mean(scores.argmax(axis=1) == given))


def measured(metric: Metric, outputs: Mapping[str, np.ndarray], labels: np.ndarray) -> float:
    """Return the metric's value; raise ExecutionError where the user's function fails or gives no number."""
    name = metric_name(metric)
    try:
        value = metric(outputs, labels)
    except HwsimError:
        raise
    except Exception as error:  # the function is the user's: whatever it raises is theirs to mend
        raise ExecutionError(f"metric {name!r} failed: {type(error).__name__}: {error}") from error
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ExecutionError(f"metric {name!r} must return a number, not {type(value).__name__}") from None


def metric_name(metric: Metric) -> str:
    """Return the name under which a metric is reported."""
    return getattr(metric, "__name__", type(metric).__name__)


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
