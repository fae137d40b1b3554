"""The closed form of the array equals a loop over folds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.array_cycles import gemm_cycles, sequence_cycles
from hwsim.hardware.parts import SystolicArray
from tests.cost.machines import arrays
from tests.cost.twin import array_end

sizes = st.lists(st.tuples(*[st.integers(1, 14)] * 3), min_size=1, max_size=5)


@given(arrays, sizes, st.integers(1, 3))
def test_sequence_of_tiles(keys, tiles, groups):
    array = SystolicArray(**keys)
    cycles = sequence_cycles(array, {dim: np.array([t[i] for t in tiles]) for i, dim in enumerate("mkn")}, groups)
    folds = []
    for tile in tiles:
        size = dict(zip("mkn", tile, strict=True))
        count = -(-size[array.flow.rows] // array.rows) * -(-size[array.flow.columns] // array.columns)
        folds += [size[array.flow.time]] * count
    assert cycles.total == array_end(array, folds * groups)
    assert cycles.compute == sum(folds) * groups
    assert min(cycles.fill, cycles.drain) >= 0


def test_one_fold_larger_than_the_gemm():
    array = SystolicArray(dataflow="weight_stationary", rows=16, columns=16, overlap_load=False, overlap_drain=False)
    cycles = gemm_cycles(array, 1, 1, 1)
    assert (cycles.compute, cycles.fill, cycles.drain) == (1, 16 + 15, 15)
