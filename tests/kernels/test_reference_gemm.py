"""Whole units that we did not write: accumulation and requantization of recorded matrices."""

import numpy as np

from hwsim.kernels.accumulate import accumulate
from hwsim.kernels.mac import accumulate_gemm
from hwsim.kernels.requantize import requantize
from hwsim.numerics.accumulator import Accumulator, Overflow
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.rounding import Rounding


def test_gemmini_matmul_in_c(reference_records):
    """Accumulate with a bias, scale in float32, clip: ``matmul_cpu`` of gemmini-rocc-tests."""
    records = reference_records("golden_c_gemmini*.json")
    for record in records:
        a, w = np.array(record["A"], np.int8), np.array(record["W"], np.int8)
        bias = np.array(record["BIAS"]) if record["BIAS"] is not None else 0
        wrap = Accumulator.parse("int32:wrap")
        done = accumulate_gemm(
            a, w, [record["K"]], psum=Accumulator(), accumulator=wrap, start=bias, a_range=(-128, 127)
        )
        assert done.values.tolist() == record["ACC"]
        scale = np.array([record["acc_scale_bits"]], np.uint32).view(np.float32)
        constants = Constants(multiplier=scale, shift=np.zeros(1, np.int64))
        low = 0 if record["activation"] == "relu" else -128
        got = requantize(done.values, constants, Requantizer(scheme="float32"), 0, low, 127)
        assert got.codes.tolist() == record["OUT"]
    assert records


def test_saturating_accumulator_in_verilog(reference_records):
    """jt12: saturate after every addition, k ascending; through the ordered kernel and through the proving front."""
    records = reference_records("sat_gemm_*.json")
    for record in records:
        a, w = np.array(record["A"]), np.array(record["W"])
        register = Accumulator(bits=record["bits_acc"], overflow=Overflow.SATURATE)
        limit = 1 << (record["bits_a"] - 1)
        assert accumulate(a, w, [record["K"]], register, register).values.tolist() == record["OUT"]
        done = accumulate_gemm(a, w, [record["K"]], psum=register, accumulator=register, a_range=(-limit, limit - 1))
        assert done.values.tolist() == record["OUT"]
        assert done.overflow_outputs >= record["overflow_occurs"]
    assert any(record["overflow_occurs"] for record in records)


def test_nvdla_accumulator(reference_records):
    """CACC: one saturating addition per step (a fold of one product), then shift, halves away from zero, 32 bits."""
    records = reference_records("sat_acc_nvdla_cacc_int*.json")
    unit = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_AWAY)
    for record in records:
        register = Accumulator(bits=record["acc_bits"], overflow=Overflow.SATURATE)
        steps, seed = np.array(record["inputs"]), record["seed"] or 0
        ones = np.ones((len(steps), 1), int)
        sums = [
            accumulate(steps[None, :count], ones[:count], [1] * count, Accumulator(), register, seed).values
            for count in range(1, len(steps) + 1)
        ]
        assert [int(value[0, 0]) for value in sums[:-1]] == record["partials"]
        constants = Constants(multiplier=np.ones(1, np.int64), shift=np.array([record["truncate"]]))
        assert requantize(sums[-1], constants, unit, 0, -(2**31), 2**31 - 1).codes[0, 0] == record["output"]
    assert any(record["saturated"] for record in records)
