"""Our RTL array in Icarus Verilog shows, at every cycle and every port, what the stepped array shows."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from hwsim.hardware.parts import SystolicArray
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.formats import IntFormat
from hwsim.stepped import Fold, run_folds
from tests.cost.machines import FLOWS
from tests.rtl.cosimulation import drawn, formats_of, icarus, parameters

FIRST_SEED = int(os.environ.get("HWSIM_COSIMULATION_SEED", "0"))
pytestmark = pytest.mark.skipif(
    not (shutil.which("iverilog") or os.environ.get("HWSIM_REQUIRE_IVERILOG")),
    reason="Icarus Verilog (iverilog) is not installed; with HWSIM_REQUIRE_IVERILOG set this is a failure",
)


def configuration(seed):
    """Draw an array, its register, its operands' formats, and one to four folds."""
    random = np.random.default_rng(seed)
    flag = lambda: bool(random.integers(2))  # noqa: E731
    array = SystolicArray(
        dataflow=FLOWS[seed % 3],
        rows=int(random.integers(1, 7)),
        columns=int(random.integers(1, 7)),
        vertical_hop_registers=int(random.integers(1, 4)),
        pipeline_latency_cycles=int(random.integers(0, 3)),
        multiplier_latency_cycles=int(random.integers(0, 3)),
        adder_latency_cycles=int(random.integers(0, 3)),
        drain=str(random.choice(["none", "down", "right"])),
        overlap_load=flag(),
        overlap_drain=flag(),
        drain_start=str(random.choice(["as_ready", "when_complete"])),
        stream_block=int(random.integers(1, 4)),
    )
    formats = formats_of(random, IntFormat.parse)
    psum = Accumulator(
        bits=int(random.integers(4, 24)), overflow=[Overflow.WRAP, Overflow.SATURATE][int(random.integers(2))]
    )
    flow = array.flow
    preloads = flag() and not (flow.reduces_in_time and array.drain == "right")
    folds = []
    for _ in range(int(random.integers(1, 5))):
        limits = {flow.rows: array.rows, flow.columns: array.columns, flow.time: 9}
        m, k, n = (int(random.integers(1, limits[dim] + 1)) for dim in "mkn")
        start = random.integers(psum.minimum, psum.maximum, (m, n), endpoint=True) if preloads else None
        ifmap, weight = drawn(formats["ifmap"], (m, k), random), drawn(formats["weight"], (k, n), random)
        folds.append(Fold(ifmap=ifmap, weight=weight, start=start))
    return array, psum, formats, folds


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 24))  # a failure names its seed
def test_random_configurations(seed, tmp_path):
    array, psum, formats, folds = configuration(seed)
    run = run_folds(array, folds, psum=psum, **formats, trace=True)
    made = parameters(array, psum, formats)
    assert icarus(tmp_path, run.trace, made) == run.cycles * run.trace.output.shape[1]


@pytest.mark.parametrize("port", ["output", "valid"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_one_wrong_bit_is_found(seed, port, tmp_path):
    array, psum, formats, folds = configuration(seed)
    trace = run_folds(array, folds, psum=psum, **formats, trace=True).trace
    changed = getattr(trace, port).astype(np.int64)
    changed[trace.cycles // 2, 0] ^= 1
    with pytest.raises(AssertionError, match="FAIL: 1 of"):
        icarus(tmp_path, replace(trace, **{port: changed}), parameters(array, psum, formats))
