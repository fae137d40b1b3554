"""The closed form of the array equals a loop over folds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.cost.array_cycles import gemm_cycles, sequence_cycles
from hwsim.hardware import load_accelerator
from hwsim.hardware.parts import SystolicArray
from tests.cost.machines import arrays
from tests.cost.twin import array_end

blocked = st.fixed_dictionaries(
    {"drain_start": st.sampled_from(["as_ready", "when_complete"]), "stream_block": st.integers(1, 5)}
)
sizes = st.lists(st.tuples(*[st.integers(1, 14)] * 3), min_size=1, max_size=5)


@given(arrays, blocked, sizes, st.integers(1, 3))
def test_sequence_of_tiles(keys, more, tiles, groups):
    array = SystolicArray(**keys, **more)
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


MEASURED = {  # (preset, rows, columns, m, k, n): cycles of the RTL, from the first load or else the first operand
    ("pe_grid_16x16", 4, 4, 6, 12, 8): 96,
    ("gemmini_16x16", 16, 16, 20, 33, 17): 229,
    ("gemmini_16x16_os", 16, 16, 20, 33, 17): 241,
    ("axis_systolic_array_4x8", 4, 8, 9, 25, 23): 245,
    ("axis_systolic_array_4x8", 4, 8, 12, 2, 16): 132,
    ("systolic_tensors_64x64_os", 3, 6, 3, 10, 6): 22,
    ("systolic_tensors_64x64_ws", 3, 6, 3, 3, 6): 24,
    ("scalesim_rtl_32x32_os", 6, 2, 6, 15, 2): 28,
    ("scalesim_rtl_32x32_ws", 6, 2, 15, 6, 2): 34,
}


@pytest.mark.parametrize("case", MEASURED, ids=lambda case: f"{case[0]}-{case[3]}x{case[4]}x{case[5]}")
def test_published_arrays(case):
    preset, rows, columns, m, k, n = case
    array = load_accelerator(preset, overrides=[f"array.rows={rows}", f"array.columns={columns}"]).array
    assert gemm_cycles(array, m, k, n).total == MEASURED[case]


def test_results_that_leave_in_one_piece_keep_short_folds_apart():
    """4 x 8 with a shift of 8 columns: folds overlap from 3 + 7 + 8 vectors on."""
    array = load_accelerator("axis_systolic_array_4x8").array
    lone, overlapped = gemm_cycles(array, 4, 17, 8).total, gemm_cycles(array, 4, 18, 8).total
    assert gemm_cycles(array, 8, 17, 8).total == 2 * lone
    assert gemm_cycles(array, 8, 18, 8).total == 18 + overlapped
