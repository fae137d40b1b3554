"""The RTL array at full size in a second simulator: 16 x 16 in Verilator, every output at every cycle."""

import shutil

import numpy as np
import pytest

from hwsim.hardware.parts import SystolicArray
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.stepped import Fold, run_folds
from tests.rtl.cosimulation import drawn, parameters, verilator

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not shutil.which("verilator"), reason="Verilator is not installed"),
]
FORMATS = {"ifmap": IntFormat.parse("uint8"), "weight": IntFormat.parse("int8")}


def workload(flow, folds=3, stream=40):
    """A full 16 x 16 array, a register that overflows, and full folds of random operands."""
    array = SystolicArray(dataflow=flow, rows=16, columns=16, pipeline_latency_cycles=1)
    random = np.random.default_rng(16)
    sizes = {array.flow.rows: 16, array.flow.columns: 16, array.flow.time: stream}
    m, k, n = (sizes[dim] for dim in "mkn")
    return array, [
        Fold(ifmap=drawn(FORMATS["ifmap"], (m, k), random), weight=drawn(FORMATS["weight"], (k, n), random))
        for _ in range(folds)
    ]


@pytest.mark.parametrize(
    ("flow", "register"), [("weight_stationary", "int16:wrap"), ("output_stationary", "int17:saturate")]
)
def test_sixteen_by_sixteen(flow, register, tmp_path):
    array, folds = workload(flow)
    psum = Accumulator.parse(register)
    run = run_folds(array, folds, psum=psum, **FORMATS, trace=True)
    exact = [fold.ifmap @ fold.weight for fold in folds]
    assert any((record.values != values).any() for record, values in zip(run.folds, exact, strict=True))
    equal, _ = verilator(tmp_path, run.trace, parameters(array, psum, FORMATS))
    assert equal == run.cycles * run.trace.output.shape[1]
