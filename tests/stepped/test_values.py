"""Integers that come out of the registers equal the executor's, and those of plain addition in order."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.hardware.parts import SystolicArray
from hwsim.kernels.mac import accumulate_gemm
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.stepped import Fold, run_folds, run_mapping
from tests.cost.machines import gemm
from tests.stepped.work import by_definition, machines, work


@settings(deadline=None, max_examples=150)
@given(work())
def test_folds_equal_the_definition(drawn):
    array, folds, psum = drawn
    run = run_folds(array, folds, psum=psum)
    for fold, record in zip(folds, run.folds, strict=True):
        assert (record.values == by_definition(fold, psum)).all()


narrow = st.builds(
    Accumulator, bits=st.integers(6, 18), overflow=st.sampled_from([Overflow.WRAP, Overflow.SATURATE, Overflow.EXACT])
)


@settings(deadline=None, max_examples=150)
@given(machines(), st.tuples(*[st.integers(1, 20)] * 3), narrow, narrow, st.booleans(), st.data())
def test_products_equal_the_executor(array, sizes, psum, accumulator, biased, data):
    m, k, n = sizes
    tiles = {f"tile_{dim}": data.draw(st.integers(1, size)) for dim, size in zip("mkn", sizes, strict=True)}
    mapping = Mapping(gemm=gemm(m, k, n), array=array, order=data.draw(st.sampled_from(["mnk", "nmk"])), **tiles)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    a, w = random.integers(0, 256, (m, k)), random.integers(-128, 128, (k, n))
    start = random.integers(-999, 999, (1, n)) if biased else 0
    stepped = run_mapping(mapping, a, w, psum=psum, accumulator=accumulator, start=start)
    executed = accumulate_gemm(
        a, w, mapping.k_segments, psum=psum, accumulator=accumulator, start=start, a_range=(0, 255)
    )
    np.testing.assert_array_equal(stepped.values, executed.values)
    if psum.overflow is accumulator.overflow is Overflow.EXACT:
        np.testing.assert_array_equal(stepped.values, a @ w + start)


@settings(deadline=None, max_examples=60)
@given(work(limits=(128,), most_folds=2))
def test_results_are_readable_from_their_cycle_on(drawn):
    """The trace shows each value in the cycle noted for it, and nothing else is marked valid."""
    array, folds, psum = drawn
    run = run_folds(array, folds, psum=psum, trace=True)
    trace = run.trace
    assert trace.cycles == run.cycles
    ports = trace.valid.shape[1]
    assert trace.valid.sum() == sum(
        array.columns * (array.rows if array.flow.reduces_in_time else fold.sizes[array.flow.time]) for fold in folds
    )
    for record in run.folds:
        for value, cycle in zip(record.values.flat, record.value_cycles.flat, strict=True):
            assert value in trace.output[cycle][trace.valid[cycle]]
    assert trace.valid[-1].any()
    assert trace.left.shape == (run.cycles, array.rows)
    assert trace.output.shape == (run.cycles, ports)


def test_order_matters_to_a_saturating_sum():
    """100 + 100 - 100 in a register that ends at 127, down the rows and in time."""
    psum = Accumulator.parse("int8:saturate")
    fold = Fold(ifmap=np.array([[1, 1, 1]]), weight=np.array([[100], [100], [-100]]))
    for flow in ("weight_stationary", "output_stationary", "input_stationary"):
        array = SystolicArray(dataflow=flow, rows=4, columns=2)
        (record,) = run_folds(array, [fold], psum=psum).folds
        assert record.values.tolist() == [[27]]


def test_sums_beyond_64_bits_take_the_plain_array():
    array = SystolicArray(dataflow="weight_stationary", rows=3, columns=1)
    fold = Fold(ifmap=np.array([[1 << 40, 1 << 40, 1]]), weight=np.array([[1 << 40], [-(1 << 40)], [7]]))
    (record,) = run_folds(array, [fold], psum=Accumulator(), trace=True).folds
    assert record.values.tolist() == [[7]]
