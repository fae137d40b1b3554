"""N:M structured sparsity: of every M consecutive weights along k at most N are not zero.

Compressed storage keeps N codes of every block and, with each, its place in the block in ``ceil(log2 M)`` bits; a block
with fewer nonzero weights keeps zeros. This is the format of NVIDIA's sparse tensor cores for 2:4 (Mishra et al.,
"Accelerating Sparse Deep Neural Networks", arXiv:2104.08378, section 3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from hwsim.errors import HwsimError

LARGEST_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparsity:
    """A pattern of at most ``keep`` nonzero weights in every ``block`` along k.

    Raises:
        HwsimError: not 1 <= keep < block <= 64.

    >>> str(Sparsity.parse("2:4")), Sparsity.parse("2:4").index_bits, Sparsity.parse("2:4").kept(64)
    ('2:4', 2, 32)
    """

    keep: int
    block: int

    def __post_init__(self) -> None:
        if not 1 <= self.keep < self.block <= LARGEST_BLOCK:
            raise HwsimError(
                f"sparsity N:M must keep 1 <= N < M <= {LARGEST_BLOCK} weights of a block, not {self.keep}:{self.block}"
            )

    @classmethod
    def parse(cls, text: str) -> Sparsity:
        """Read ``2:4``."""
        found = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", text)
        if not found:
            raise HwsimError(f"sparsity must be written N:M as in 2:4, not {text!r}")
        return cls(keep=int(found[1]), block=int(found[2]))

    def __str__(self) -> str:
        return f"{self.keep}:{self.block}"

    @property
    def index_bits(self) -> int:
        """Bits that say where in its block a kept weight stands."""
        return (self.block - 1).bit_length()

    def kept(self, k: int) -> int:
        """Return the weights that storage keeps of ``k`` along one column; whole blocks."""
        return k // self.block * self.keep

    def blocks(self, weights: np.ndarray, axis: int) -> np.ndarray:
        """Return a view ``[..., k / block, block]`` of ``weights`` with ``axis`` cut into blocks and moved to the end.

        Raises:
            HwsimError: the axis is not whole blocks.
        """
        k = weights.shape[axis]
        if k % self.block:
            raise HwsimError(f"sparsity {self}: {k} weights along k are not whole blocks of {self.block}")
        moved = np.moveaxis(weights, axis, -1)
        return moved.reshape(*moved.shape[:-1], k // self.block, self.block)

    def pruned(self, weights: np.ndarray, axis: int) -> np.ndarray:
        """Return a copy with all but the ``keep`` largest magnitudes of every block set to zero; of equals the first stay.

        >>> Sparsity(keep=2, block=4).pruned(np.array([1.0, -3.0, 2.0, 0.5]), 0).tolist()
        [0.0, -3.0, 2.0, 0.0]
        """
        parts = self.blocks(weights, axis)
        order = np.argsort(-np.abs(parts), axis=-1, kind="stable")
        result = parts.copy()
        np.put_along_axis(result, order[..., self.keep :], 0, axis=-1)
        return np.moveaxis(result.reshape(np.moveaxis(weights, axis, -1).shape), -1, axis)

    def excess(self, codes: np.ndarray, axis: int) -> int:
        """Return the blocks with more than ``keep`` nonzero codes."""
        return int((np.count_nonzero(self.blocks(codes, axis), axis=-1) > self.keep).sum())
