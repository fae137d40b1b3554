"""k-means of numbers: against loops over numbers and levels."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.quantization.tables.lloyd import lloyd

numbers = st.lists(st.integers(-40, 40), min_size=1, max_size=30)


def plain(values, weights, levels, passes=100):
    """Lloyd's iteration in loops; a number between two levels goes to the upper one."""
    levels = list(levels)
    for _ in range(passes):
        owner = [sum(v > (a + b) / 2 or v == (a + b) / 2 for a, b in pairwise(levels)) for v in values]
        moved = []
        for place, level in enumerate(levels):
            own = [(v, w) for v, w, at in zip(values, weights, owner, strict=True) if at == place]
            total = sum(w for _, w in own)
            moved.append(sum(v * w for v, w in own) / total if total else level)
        moved.sort()
        if moved == levels:
            break
        levels = moved
    return levels


def error(values, weights, levels):
    return sum(w * min((v - level) ** 2 for level in levels) for v, w in zip(values, weights, strict=True))


@given(numbers, st.data())
def test_agrees_with_loops(values, data):
    values = sorted(values)
    weights = data.draw(st.lists(st.integers(1, 5), min_size=len(values), max_size=len(values)))
    start = sorted(data.draw(st.lists(st.integers(-40, 40), min_size=2, max_size=6, unique=True)))
    found = lloyd(np.array(values, float), np.array(weights, float), np.array(start, float))
    np.testing.assert_allclose(found, plain(values, weights, start), atol=1e-9)
    assert error(values, weights, found) <= error(values, weights, start) + 1e-9


def test_finds_clusters():
    values = np.sort(np.concatenate([np.full(5, -3.0), np.full(9, 0.5), np.full(2, 8.0)]))
    assert lloyd(values, np.ones(16), np.array([-1.0, 0.0, 1.0])).tolist() == [-3.0, 0.5, 8.0]
