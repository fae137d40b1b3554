"""Requantizers against C code and RTL that we did not write: every row of every file of reference data, no mismatch.

Each is compared twice: the fast kernel on whole columns, and the definition on unbounded integers value by value.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from hwsim.kernels.accumulate import accumulate as fast_accumulate
from hwsim.kernels.mac import accumulate_gemm
from hwsim.kernels.requantize import requantize
from hwsim.numerics.accumulator import Accumulator, Overflow, accumulate
from hwsim.numerics.multithreshold import count_reached
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, nvdla_sdp
from hwsim.numerics.requantizers._constants import Constants
from hwsim.numerics.rounding import Rounding, rounding_shift

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
INT32 = -(1 << 31), (1 << 31) - 1
SHIFT = Requantizer(scheme="power_of_two", rounding=Rounding.HALF_EVEN)
FLOAT = Requantizer(scheme="float32")
CACC = Requantizer(scheme="nvdla_cacc")


def files(pattern):
    found = sorted(FOLDER.glob(pattern))
    if not found:
        pytest.skip(f"no reference data: {FOLDER / pattern} (set HWSIM_REFERENCE_DATA)")
    return found


def records(pattern):
    return [record for path in files(pattern) for record in json.loads(path.read_text("utf-8"))]


@pytest.fixture(scope="module")
def column():
    """The columns of every ``requant_c_golden*.npz``, end to end."""
    parts: dict[str, list] = {}
    for path in files("arithmetic/requant_c_golden*.npz"):
        with np.load(path) as arrays:
            for name, values in zip(arrays["cols"].tolist(), arrays["data"].T, strict=True):
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def agree(values, multiplier, shift, unit, low, high, expected):
    """Kernel and definition both give ``expected``: one row of values, constants of each."""
    constants = Constants(multiplier=multiplier, shift=shift)
    got = requantize(np.asarray(values)[None, :], constants, unit, 0, low, high).codes[0]
    wrong = np.flatnonzero(got != expected)
    assert not wrong.size, f"{wrong.size} of {len(expected)} rows differ, the first is row {wrong[0]}"
    one = definition(unit.scheme).requantize_one
    rows = zip(np.asarray(values).tolist(), multiplier, shift.tolist(), strict=True)
    assert [one(x, m, s, unit, 0, low, high) for x, m, s in rows] == np.asarray(expected).tolist()


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("tflite_double", Requantizer(scheme="tflite_double")),
        ("cmsis", Requantizer(scheme="cmsis_nn")),
        ("single", Requantizer(scheme="fixed_point", rounding=Rounding.HALF_UP)),
    ],
)
def test_multiplier_and_shift_in_c(column, name, unit):
    """A shift above 0 is to the left there: ``x * mult * 2^(shift - 31)``."""
    agree(column["x"], column["mult"], 31 - column["shift"], unit, *INT32, column[name])


def test_roundings_differ_in_the_data(column):
    """Otherwise the rows would not tell the schemes apart."""
    assert (column["tflite_double"] != column["single"]).sum() > len(column["x"]) // 100


def test_gemmini_rounding_right_shift_in_c(column):
    shift = column["sh"]
    agree(column["x"], np.ones_like(shift), shift, SHIFT, *INT32, column["gemmini_rshift"])


def test_gemmini_accumulator_scale_in_c(column):
    scale = column["scale_bits"].astype(np.uint32).view(np.float32)
    agree(column["x"], scale, np.zeros(scale.shape, np.int64), FLOAT, -128, 127, column["gemmini_acc_scale"])


def test_gemmini_accumulator_scale_in_rtl():
    """The RTL clips at 0 before it scales, the C model afterwards."""
    found = records("rtl/requant_gemmini*.json")
    for record in found:
        x, relu = np.array(record["input"]), record["activation"] == "relu"
        scale = np.full(1, record["scale_bits"], np.uint32).view(np.float32).repeat(len(x))
        zeros = np.zeros(len(x), np.int64)
        agree(np.maximum(x, 0) if relu else x, scale, zeros, FLOAT, -128, 127, record["output"])
        if "golden_c_output" in record:
            agree(x, scale, zeros, FLOAT, 0 if relu else -128, 127, record["golden_c_output"])
    assert found


def test_gemmini_matmul_in_c():
    """Sums that wrap at 32 bits, scaled; ReLU after the scale."""
    for record in records("rtl/golden_c_*.json"):
        acc = np.array(record["A"]) @ np.array(record["W"]) + np.array(record.get("BIAS") or 0)
        acc = acc.astype(np.int32).ravel()
        scale = np.full(1, record["acc_scale_bits"], np.uint32).view(np.float32).repeat(len(acc))
        low = 0 if record["activation"] == "relu" else -128
        agree(acc, scale, np.zeros(len(acc), np.int64), FLOAT, low, 127, np.array(record["OUT"]).ravel())


def test_nvdla_output_converter_in_rtl():
    """The registers as recorded, and the flag that the RTL raises where 17 bits do not hold the result."""
    for record in records("rtl/requant_nvdla_sdp*.json"):
        offset, scale, places = record["offset"], record["scale"], record["truncate"]
        low, high = -(1 << record["out_bits"] - 1), (1 << record["out_bits"] - 1) - 1
        got = [nvdla_sdp.convert(x, offset, scale, places, low, high) for x in record["input"]]
        assert got == record["output"]
        exact = [rounding_shift((x - offset) * scale, places, Rounding.HALF_AWAY) for x in record["input"]]
        assert [int(value != min(max(value, -65536), 65535)) for value in exact] == record["sat_flag"]


def test_nvdla_output_converter_kernel():
    """The lanes whose difference to the offset has 32 bits, as an accumulator would."""
    lanes = 0
    for record in records("rtl/requant_nvdla_sdp*.json"):
        centred, output = np.array(record["input"]) - record["offset"], np.array(record["output"])
        kept = (centred >= INT32[0]) & (centred <= INT32[1])
        scale, places = (np.full(int(kept.sum()), record[key], np.int64) for key in ("scale", "truncate"))
        low, high = -(1 << record["out_bits"] - 1), (1 << record["out_bits"] - 1) - 1
        agree(centred[kept], scale, places, Requantizer(scheme="nvdla_sdp"), low, high, output[kept])
        lanes += int(kept.sum())
    assert lanes


def test_nvdla_accumulator_and_its_output_in_rtl():
    """Partial sums added in order to a register that saturates, then truncated, rounded and saturated to 32 bits."""
    for record in records("rtl/sat_acc_nvdla_cacc*.json"):
        register = Accumulator(bits=record["acc_bits"], overflow=Overflow.SATURATE)
        inputs, exact, seed = record["inputs"], Accumulator(), record["seed"] or 0
        steps = [
            accumulate(inputs[:n], segments=[1] * n, psum=exact, accumulator=register, start=seed)
            for n in range(1, len(inputs) + 1)
        ]
        assert [total for total, _, _ in steps[:-1]] == record["partials"]
        total, overflows, _ = steps[-1]
        assert bool(overflows) == record["saturated"]
        column = np.array(inputs)[None, :]
        fast = fast_accumulate(column, np.ones((len(inputs), 1), np.int64), [1] * len(inputs), exact, register, seed)
        assert (int(fast.values[0, 0]), int(fast.events[0, 0])) == (total, overflows)
        low, high = -(1 << record["out_bits"] - 1), (1 << record["out_bits"] - 1) - 1
        shift = np.array([record["truncate"]])
        agree([total], np.ones(1, np.int64), shift, CACC, low, high, np.array([record["output"]]))
        rounded = rounding_shift(total, record["truncate"], Rounding.HALF_AWAY)
        assert int(not low <= rounded <= high) == record["sat_flag"]


def test_saturating_dot_products_in_rtl():
    """k ascending, saturated after every addition: the definition on every output, the kernel on the whole product."""
    for record in records("rtl/sat_gemm*.json"):
        register = Accumulator(bits=record["bits_acc"], overflow=Overflow.SATURATE)
        a, w, expected = (np.array(record[name]) for name in ("A", "W", "OUT"))
        depth = record["K"]
        one = [
            [
                accumulate((row * column).tolist(), segments=[depth], psum=register, accumulator=Accumulator())
                for column in w.T
            ]
            for row in a
        ]
        assert [[total for total, _, _ in row] for row in one] == expected.tolist()
        ends = -(1 << record["bits_a"] - 1), (1 << record["bits_a"] - 1) - 1
        done = accumulate_gemm(a, w, [depth], psum=register, accumulator=Accumulator(), a_range=ends)
        assert np.array_equal(done.values, expected)
        assert done.overflow_events == sum(events for row in one for _, events, _ in row)
        assert (expected != a @ w).any() == record["overflow_occurs"]


def test_thresholds_in_rtl():
    """FINN's unit counts thresholds; where they are those of a scale, the requantizer gives the same codes."""
    for record in records("rtl/requant_finn*.json"):
        values, thresholds = np.array(record["input"]), np.array(record["thresholds"])
        assert count_reached(values[:, None], thresholds[None, :], 1)[:, 0].tolist() == record["output"]
        assert max(record["output"]) < 1 << record["bits_out"]
