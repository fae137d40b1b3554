"""The ways to multiply, and which one a processor and a range of operands get.

Every route gives the same integers; they differ in the word that operands are packed into and in the instruction.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwsim.errors import ExecutionError, did_you_mean
from hwsim.kernels import cpu
from hwsim.kernels.gemm import dot

L1_BYTES = 30 * 1024
VARIABLE = "HWSIM_GEMM_ROUTE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One instruction and the tile of sums that it keeps in registers.

    Args:
        name: what ``HWSIM_GEMM_ROUTE`` and ``pack_weights`` call it.
        word: type of an activation inside a 32-bit word: int16 (two to a word) or uint8 (four, against int8 weights).
        features: what the processor needs, by LLVM's names.
        lanes: int32 sums in a vector register.
        rows: activations rows of a tile.
        vectors: vector registers along a row of a tile.
        emit: the writer of the dot product, from ``dot``.
        is_automatic: whether the route is chosen without being asked for.
        emit_pair: of two words at once, where four products, two neighbours of each word, keep to 16 bits; or None.
        saturates_pairs: whether two neighbouring products are added in 16 bits that saturate, so that weights have to
            keep every pair inside.
    """

    name: str
    word: type[np.integer[Any]]
    features: frozenset[str]
    lanes: int
    rows: int
    vectors: int
    emit: Callable[..., Any]
    emit_pair: Callable[..., Any] | None = None
    is_automatic: bool = True
    saturates_pairs: bool = False

    @property
    def columns(self) -> int:
        """Columns of a tile."""
        return self.lanes * self.vectors

    @property
    def depth(self) -> int:
        """Words along k that a tile takes at a time."""
        return 1 if self.emit_pair is None else 2

    @property
    def per_word(self) -> int:
        """Operands in a 32-bit word."""
        return 4 // np.dtype(self.word).itemsize

    @property
    def block_words(self) -> int:
        """Most words along k for which one panel of weights and one strip of activations stay in the first cache."""
        return L1_BYTES // (4 * (self.columns + self.rows))

    @property
    def is_runnable(self) -> bool:
        """Whether this processor has the instructions."""
        return self.features <= cpu.features()


_AVX512 = frozenset({"avx512f", "avx512bw", "avx512vl", "avx512dq"})
VNNI, AVX_VNNI, AVX512, AVX2_BYTES, AVX2, PORTABLE_WORDS, PORTABLE_BYTES = range(7)
ROUTES = (
    Route(
        name="vnni",
        word=np.uint8,
        features=_AVX512 | {"avx512vnni"},
        lanes=16,
        rows=8,
        vectors=2,
        emit=dot.vnni_bytes,
    ),
    Route(
        name="avx_vnni",
        word=np.uint8,
        features=frozenset({"avx2", "avxvnni"}),
        lanes=8,
        rows=6,
        vectors=2,
        emit=dot.avx_vnni_bytes,
    ),
    Route(name="avx512", word=np.int16, features=_AVX512, lanes=16, rows=8, vectors=2, emit=dot.avx512_words),
    Route(
        name="avx2_bytes",
        word=np.uint8,
        features=frozenset({"avx2"}),
        lanes=8,
        rows=4,
        vectors=2,
        emit=dot.avx2_bytes,
        emit_pair=dot.avx2_byte_pairs,
        saturates_pairs=True,
    ),
    Route(name="avx2", word=np.int16, features=frozenset({"avx2"}), lanes=8, rows=6, vectors=2, emit=dot.avx2_words),
    Route(
        name="portable_words",
        word=np.int16,
        features=frozenset(),
        lanes=8,
        rows=6,
        vectors=2,
        emit=dot.portable_words,
        is_automatic=False,
    ),
    Route(
        name="portable_bytes",
        word=np.uint8,
        features=frozenset(),
        lanes=16,
        rows=8,
        vectors=2,
        emit=dot.portable_bytes,
        is_automatic=False,
    ),
)
BLAS = "blas"


def route_named(name: str) -> Route | None:
    """Return the route ``name`` if this processor runs it; None for ``"blas"``, which needs no instruction.

    Raises:
        ExecutionError: no such route, or not on this processor.
    """
    if name == BLAS:
        return None
    for route in ROUTES:
        if route.name == name:
            if route.is_runnable:
                return route
            missing = ", ".join(sorted(route.features - cpu.features()))
            raise ExecutionError(f"gemm route {name!r}: this processor lacks {missing}; leave the route open")
    names = [*(route.name for route in ROUTES), BLAS]
    raise ExecutionError(f"gemm route {name!r} does not exist{did_you_mean(name, names)}; routes: {', '.join(names)}")


def candidates(name: str | None) -> tuple[Route, ...]:
    """Return the routes to try, best first: the one asked for here or in ``HWSIM_GEMM_ROUTE``, else all that run."""
    name = name or os.environ.get(VARIABLE) or None
    if name is not None:
        route = route_named(name)
        return () if route is None else (route,)
    return tuple(route for route in ROUTES if route.is_automatic and route.is_runnable)
