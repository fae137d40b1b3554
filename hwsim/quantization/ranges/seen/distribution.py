"""Values with weights, in ascending order, and what a grid makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hwsim.numerics.formats import IntFormat

FINE = 4
_BLOCK = 1 << 18  # elements computed at once


@dataclass(frozen=True, kw_only=True, eq=False)
class Distribution:
    """Where the values of a tensor lie.

    Args:
        values: float64 ``[n]``, ascending.
        weights: float64 ``[n]``: how often each value occurs, or how much it matters.
        width: of the bins whose centres the values are; 0 where they are exact.
    """

    values: np.ndarray
    weights: np.ndarray
    width: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> Distribution:
        """Return the exact distribution of an array of any shape."""
        found = np.sort(np.asarray(values, dtype=np.float64).reshape(-1))
        return cls(values=found, weights=np.ones(found.size))

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Running sums of ``weight * value^power`` for powers 0, 1 and 2, each from 0: float64 ``[n + 1]``."""
        terms = self.weights, self.weights * self.values, self.weights * np.square(self.values)
        zeros, ones, twos = (np.concatenate([[0.0], np.cumsum(term)]) for term in terms)
        return zeros, ones, twos

    def squared_errors(self, scale: np.ndarray, zero_point: np.ndarray, number: IntFormat) -> np.ndarray:
        """Return ``sum weight (q(value) - value)^2`` for each of several grids.

        Where a step is less than ``FINE`` bins wide, values between two codes are taken as uniform, with the error
        ``scale^2 / 12``: where they lie in their bin is not known. The value 0 is always exact.

        Args:
            scale: float64 ``[grids]``.
            zero_point: ``[grids]``.
            number: the codes of every grid.

        Returns:
            float64 ``[grids]``.
        """
        if FINE * number.levels > self.values.size:
            return self._value_by_value(scale, zero_point, number)
        return self._step_by_step(scale, zero_point, number)

    def _value_by_value(self, scale: np.ndarray, zero_point: np.ndarray, number: IntFormat) -> np.ndarray:
        errors = np.empty(scale.size)
        step = max(1, _BLOCK // max(self.values.size, 1))
        for start in range(0, scale.size, step):
            size, zero = (each[start : start + step, None] for each in (scale, zero_point))
            exact = self.values / size
            bounded = np.clip(exact, number.minimum - zero, number.maximum - zero)
            rounded = np.square(np.rint(bounded) - exact)
            if self.width:
                uniform = np.square(bounded - exact) + 1 / 12
                rounded = np.where((size < FINE * self.width) & (self.values != 0), uniform, rounded)
            errors[start : start + step] = (rounded @ self.weights) * np.square(size[:, 0])
        return errors

    def _step_by_step(self, scale: np.ndarray, zero_point: np.ndarray, number: IntFormat) -> np.ndarray:
        """The same from sums of ``1, value, value^2`` over the values that share a code: fewer codes than values."""
        count, first, second = self._sums
        errors = np.empty(scale.size)
        codes = np.arange(number.minimum, number.maximum + 1)
        step = max(1, _BLOCK // codes.size)
        for start in range(0, scale.size, step):
            size, zero = (each[start : start + step, None] for each in (scale, zero_point))
            reals = size * (codes - zero)
            edges = np.searchsorted(self.values, (reals[:, 1:] + reals[:, :-1]) / 2)
            ends = np.zeros((len(edges), 1), edges.dtype)
            edges = np.concatenate([ends, edges, ends + self.values.size], axis=1)
            held = np.diff(count[edges], axis=1) * reals - 2 * np.diff(first[edges], axis=1)
            errors[start : start + step] = second[-1] + np.sum(held * reals, axis=1)
        return np.maximum(errors, 0.0)
