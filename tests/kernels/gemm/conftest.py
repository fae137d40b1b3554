"""The routes that this processor runs, and operands for them."""

import numpy as np
import pytest

from hwsim.kernels.gemm.route import AVX2, PORTABLE_WORDS, ROUTES

# Where a processor has the instruction, its portable twin costs compile time; one test of its own compares them.
RUNNABLE = [route.name for route in ROUTES if route.is_runnable]
if ROUTES[AVX2].is_runnable:
    RUNNABLE.remove(ROUTES[PORTABLE_WORDS].name)


@pytest.fixture(params=[*RUNNABLE, "blas"], scope="session")
def route(request):
    """The name of a route."""
    return request.param


@pytest.fixture
def integers():
    """Return a source of integers ``low .. high`` that holds both ends."""
    random = np.random.default_rng(7)

    def draw(low, high, shape, dtype=np.int64):
        numbers = random.integers(low, high + 1, shape)
        numbers.flat[0], numbers.flat[-1] = low, high
        return numbers.astype(dtype)

    return draw
