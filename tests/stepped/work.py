"""Drawn arrays, registers and folds for the tests of the stepped array."""

import numpy as np
from hypothesis import strategies as st

from hwsim.hardware.parts import SystolicArray
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.stepped import Fold
from tests.cost.machines import arrays

blocks = st.fixed_dictionaries(
    {"drain_start": st.sampled_from(["as_ready", "when_complete"]), "stream_block": st.integers(1, 5)}
)
registers = st.one_of(
    st.just(Accumulator()),
    st.builds(Accumulator, bits=st.integers(2, 14), overflow=st.sampled_from(list(Overflow))),
    st.builds(Accumulator, bits=st.sampled_from([31, 32, 33, 63, 64]), overflow=st.sampled_from(list(Overflow))),
)


@st.composite
def machines(draw, **changes):
    """An array of up to 6 x 6 with every parameter drawn."""
    return SystolicArray(**{**draw(arrays), **draw(blocks), **changes})


def drawn_fold(array, random, *, limit=128, preload=False, register=None, stream=9):
    """A fold that fills the array or less, with operands of ``-limit..limit``."""
    flow = array.flow
    most = {flow.rows: array.rows, flow.columns: array.columns, flow.time: stream}
    m, k, n = (int(random.integers(1, most[dim] + 1)) for dim in "mkn")
    start = None
    if preload:
        low, high = (-50, 51) if register is None or register.bits is None else (register.minimum, register.maximum)
        start = random.integers(max(low, -999), min(high, 999), (m, n), endpoint=True)
    ifmap, weight = (random.integers(-limit, limit, shape, endpoint=True) for shape in ((m, k), (k, n)))
    return Fold(ifmap=ifmap, weight=weight, start=start)


@st.composite
def work(draw, *, most_folds=4, limits=(1, 7, 128, 40000, 1 << 33), machine=None, register=registers):
    """Return (array, folds, psum register); some folds start from partial sums where the array can."""
    array, psum = draw(machine or machines()), draw(register)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    can_preload = not (array.flow.reduces_in_time and array.drain == "right")
    preloads = draw(st.booleans()) and can_preload
    limit = draw(st.sampled_from(limits))
    folds = [
        drawn_fold(array, random, limit=limit, preload=preloads and draw(st.booleans()), register=psum)
        for _ in range(draw(st.integers(1, most_folds)))
    ]
    return array, folds, psum


def by_definition(fold, psum):
    """The psum of every output, product after product, on Python ints."""
    values = np.zeros((fold.ifmap.shape[0], fold.weight.shape[1]), object)
    for m, n in np.ndindex(values.shape):
        total = 0 if fold.start is None else int(fold.start[m, n])
        for a, w in zip(fold.ifmap[m], fold.weight[:, n], strict=True):
            total = psum.reduce(total + int(a) * int(w))
        values[m, n] = total
    return values
