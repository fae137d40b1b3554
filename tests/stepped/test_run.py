"""What the stepped array refuses, in which integers it runs, and a first fold by hand."""

import numpy as np
import pytest

from hwsim.errors import ExecutionError
from hwsim.hardware.mac import MacShape
from hwsim.hardware.parts import SystolicArray
from hwsim.mapping.mapping import Mapping
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.stepped import Fold, run_folds, run_mapping
from hwsim.stepped.run import prepare
from tests.cost.machines import gemm

EXACT = Accumulator()


def array(flow="weight_stationary", **keys):
    return SystolicArray(**{"dataflow": flow, "rows": 2, "columns": 2, **keys})


def fold(m=1, k=1, n=1, value=1, start=None):
    return Fold(ifmap=np.full((m, k), value), weight=np.full((k, n), value), start=start)


def test_a_fold_by_hand():
    """2 x 2 weights load in 2 cycles; row 1 starts a cycle after row 0, column 1 a cycle after column 0."""
    ifmap, weight = np.array([[1, 2], [3, 4], [5, 6]]), np.array([[1, 10], [100, 1000]])
    run = run_folds(array(), [Fold(ifmap=ifmap, weight=weight)], psum=EXACT, trace=True)
    (record,) = run.folds
    assert record.values.tolist() == [[201, 2010], [403, 4030], [605, 6050]]
    assert record.value_cycles.tolist() == [[3, 4], [4, 5], [5, 6]]
    assert (record.first_operand, record.last_operand, record.last_row_operand) == (2, 4, 5)
    assert (record.first_result, record.last_result, run.cycles) == (3, 6, 7)
    trace = run.trace
    assert trace.chain.tolist() == [
        [100, 0],
        [1, 1000],
        [0, 10],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
    ]  # column 1 a cycle later
    assert trace.left.tolist() == [[0, 0], [0, 0], [1, 0], [3, 2], [5, 4], [0, 6], [0, 0]]
    assert trace.output[trace.valid].tolist() == [201, 403, 2010, 605, 4030, 6050]


def test_results_of_an_output_stationary_fold_leave_last_row_first():
    work = Fold(ifmap=np.array([[1], [2]]), weight=np.array([[1, 10]]))
    run = run_folds(array("output_stationary"), [work], psum=EXACT)
    assert run.folds[0].value_cycles.tolist() == [[3, 4], [2, 3]]
    run = run_folds(array("output_stationary", drain="right"), [work], psum=EXACT)
    assert run.folds[0].value_cycles.tolist() == [[3, 2], [4, 3]]
    run = run_folds(array("output_stationary", drain="none"), [work], psum=EXACT)
    assert run.folds[0].value_cycles.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: run_folds(array(), [], psum=EXACT), "stepped array: folds must be at least one, not none"),
        (
            lambda: run_folds(array(), [fold(), fold(k=3)], psum=EXACT),
            "fold 1: k runs along the array's rows and must be 1..2, not 3; cut it into folds",
        ),
        (
            lambda: run_folds(array(), [fold(value=9)], psum=EXACT, weight=IntFormat.parse("int4")),
            "fold 0: weight: codes lie in 9..9, outside the range -8..7 stated for them",
        ),
        (
            lambda: run_folds(array(), [fold(start=np.array([[8]]))], psum=Accumulator.parse("int4:wrap")),
            "fold 0: start: codes lie in 8..8, outside the range -8..7 stated for them",
        ),
        (
            lambda: run_folds(array(adder_tree=2), [fold()], psum=EXACT),
            "stepped array: adder_tree must be 1, not 2; every element adds one product a cycle",
        ),
        (
            lambda: run_folds(
                array("output_stationary", drain="right"), [fold(start=np.array([[1]]))], psum=EXACT
            ),
            "stepped array: partial sums cannot be preloaded where drain = 'right', whose chain enters at the left; "
            "use drain = 'down' or 'none', or add them to the results",
        ),
        (
            lambda: Fold(ifmap=np.ones((2, 3), int), weight=np.ones((2, 3), int)),
            "fold: ifmap must be [m, k], weight [k, n] and start [m, n], not [2, 3], [2, 3] and none",
        ),
        (
            lambda: Fold(ifmap=np.ones((2, 3)), weight=np.ones((3, 3), int)),
            "fold: ifmap must be a non-empty integer matrix, not float64 [2, 3]",
        ),
        (
            lambda: run_mapping(
                Mapping(gemm=gemm(2, 3, 4), array=array(), tile_m=2, tile_k=3, tile_n=4),
                np.ones((2, 3), int), np.ones((4, 4), int), psum=EXACT, accumulator=EXACT,
            ),
            "stepped array: weight must be ['k', 'n'] = [3, 4], not [4, 4]",
        ),
        (
            lambda: run_mapping(
                Mapping(gemm=gemm(2, 3, 4), array=array(), tile_m=2, tile_k=3, tile_n=4, mac=MacShape(k_lanes=2)),
                np.ones((2, 3), int), np.ones((3, 4), int), psum=EXACT, accumulator=EXACT,
            ),
            f"stepped array: every element must compute one product of one group a cycle, not {MacShape(k_lanes=2)} "
            "and 1 groups in the array; the closed form prices these",
        ),
    ],
)  # fmt: skip
def test_refusals(make, message):
    with pytest.raises(ExecutionError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "psum", "lane"),
    [
        (100, "exact", np.int32),
        (1 << 20, "int32:wrap", np.int32),  # what wraps in the lanes wraps in the register
        (1 << 20, "int33:wrap", np.int64),
        (1 << 20, "exact", np.int64),
        (100, "int64:saturate", np.int32),  # nothing can reach its ends
        (1 << 20, "int30:saturate", np.int64),
        (1 << 40, "int64:wrap", np.int64),
        (1 << 40, "exact", np.object_),
        (1 << 40, "int64:saturate", np.object_),
    ],
)
def test_the_narrowest_exact_lanes(value, psum, lane):
    ready = prepare(array(), [fold(value=value)], psum=Accumulator.parse(psum))
    assert ready.lane is lane
    (record,) = run_folds(array(), [fold(value=value)], psum=Accumulator.parse(psum)).folds
    assert record.values.tolist() == [[Accumulator.parse(psum).reduce(value * value)]]


@pytest.mark.parametrize("register", ["exact", "int62:wrap", "int60:saturate", "int64:saturate"])
def test_accumulators_of_any_width(register):
    """Two folds of 2^58 on a start of 2^61 meet in the accumulator behind the array."""
    accumulator = Accumulator.parse(register)
    mapping = Mapping(gemm=gemm(1, 4, 1), array=array(), tile_m=1, tile_k=4, tile_n=1)
    ifmap, weight = np.full((1, 4), 1 << 28), np.full((4, 1), 1 << 29)
    done = run_mapping(mapping, ifmap, weight, psum=EXACT, accumulator=accumulator, start=1 << 61)
    total = accumulator.reduce(1 << 61)
    for _ in range(2):
        total = accumulator.reduce(total + (1 << 58))
    assert done.values.tolist() == [[total]]
