"""The laws of the units in the reference data, as hwsim computes them: on kernels, and on the definitions in unbounded integers."""

import numpy as np

from hwsim.kernels.accumulate import accumulate as fast_accumulate
from hwsim.kernels.mac import accumulate_gemm
from hwsim.numerics.accumulator import Accumulator, Overflow, accumulate
from hwsim.numerics.multithreshold import count_reached
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import nvdla_sdp
from hwsim.numerics.rounding import Rounding, rounding_shift
from tests.oracles.requantizer_agreement import agree
from tests.oracles.unit_laws import law

EXACT = Accumulator()
FLOAT = Requantizer(scheme="float32")
CACC = Requantizer(scheme="nvdla_cacc")
SDP = Requantizer(scheme="nvdla_sdp")


def ends(bits, *, signed=True):
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def float32_of(bits, count):
    return np.full(1, bits, np.uint32).view(np.float32).repeat(count)


def is_relu(record):
    assert record["activation"] in ("none", "relu"), record["activation"]
    return record["activation"] == "relu"


def summed(record, *, psum=EXACT, accumulator=EXACT, start=0):
    """Return ``start + A . W`` as the registers hold it, k ascending, and how many additions did not fit."""
    a, w, folds = np.array(record["A"]), np.array(record["W"]), [record["K"]]
    start = np.broadcast_to(start, (a.shape[0], w.shape[1]))
    a_range = ends(record["bits_a"], signed=record["signedness"].startswith("signed"))
    done = accumulate_gemm(a, w, folds, psum=psum, accumulator=accumulator, start=start, a_range=a_range)
    events = 0
    for (row, column), first in np.ndenumerate(start):
        products = (a[row] * w[:, column]).tolist()
        total, more, _ = accumulate(products, segments=folds, psum=psum, accumulator=accumulator, start=int(first))
        assert total == done.values[row, column]
        events += more
    assert events == done.overflow_events
    return done.values, events


@law("FINN thresholding", "thresholds", "input", "output", "bits_out", text=r"y=#\{i:T_i<=x\}")
def check_thresholds(record, _):
    """The number of thresholds that are reached."""
    values, thresholds = np.array(record["input"]), np.array(record["thresholds"])
    assert count_reached(values[:, None], thresholds[None, :], 1)[:, 0].tolist() == record["output"]
    assert max(record["output"]) < 1 << record["bits_out"]


@law(
    "Gemmini accumulator scale", "input", "output", "scale_bits", "activation",
    text=r"clip(?P<bits>\d+)\(rne_int\(fp32\(x\)\*fp32\(scale\)\)\)(?P<relu>;reluappliedontheint32accumulatorbeforescaling)?",
)  # fmt: skip
def check_accumulator_scale(record, match):
    """The RTL clips at 0 before it scales, the C model afterwards."""
    x, relu = np.array(record["input"]), is_relu(record)
    assert match["relu"] or not relu, "the function does not say where ReLU stands"
    scale, zeros = float32_of(record["scale_bits"], len(x)), np.zeros(len(x), np.int64)
    low, high = ends(int(match["bits"]))
    agree(np.maximum(x, 0) if relu else x, scale, zeros, FLOAT, low, high, record["output"])
    if "golden_c_output" in record:
        agree(x, scale, zeros, FLOAT, 0 if relu else low, high, record["golden_c_output"])


@law(
    "NVDLA SDP output converter", "input", "output", "offset", "scale", "truncate", "out_bits", "sat_flag",
    text=r"sat_out\(sat17\(round_half_away\(\(x-offset\)\*scale/2\^truncate\)\)\)",
)  # fmt: skip
def check_output_converter(record, _):
    """The registers as recorded, the flag that is raised where 17 bits do not hold the result, and the kernel.

    The kernel takes the lanes whose difference to the offset has 32 bits, as an accumulator would.
    """
    offset, multiplier, places = record["offset"], record["scale"], record["truncate"]
    low, high = ends(record["out_bits"])
    assert [nvdla_sdp.convert(x, offset, multiplier, places, low, high) for x in record["input"]] == record["output"]
    exact = [rounding_shift((x - offset) * multiplier, places, Rounding.HALF_AWAY) for x in record["input"]]
    least, most = ends(17)
    assert [int(not least <= value <= most) for value in exact] == record["sat_flag"]
    centred = np.array(record["input"]) - offset
    least, most = ends(32)
    kept = (centred >= least) & (centred <= most)
    columns = (np.full(int(kept.sum()), value, np.int64) for value in (multiplier, places))
    agree(centred[kept], *columns, SDP, low, high, np.array(record["output"])[kept])


@law(
    "NVDLA CACC", "seed", "inputs", "partials", "output", "sat_flag", "saturated", "truncate", "acc_bits", "out_bits",
    text=r"acc=sat(?P<register>\d+)\(acc\+x\)perstep;out=sat(?P<out>\d+)\(round_half_away\(acc/2\^truncate\)\)",
)  # fmt: skip
def check_accumulator_and_output(record, match):
    """Partial sums added in order to a register that saturates, then truncated, rounded and saturated."""
    assert (int(match["register"]), int(match["out"])) == (record["acc_bits"], record["out_bits"])
    register = Accumulator(bits=record["acc_bits"], overflow=Overflow.SATURATE)
    inputs, seed = record["inputs"], record["seed"] or 0
    steps = [
        accumulate(inputs[:n], segments=[1] * n, psum=EXACT, accumulator=register, start=seed)
        for n in range(1, len(inputs) + 1)
    ]
    assert [total for total, _, _ in steps[:-1]] == record["partials"]
    total, overflows, _ = steps[-1]
    assert bool(overflows) == record["saturated"]
    ones = np.ones((len(inputs), 1), np.int64)
    fast = fast_accumulate(np.array(inputs)[None, :], ones, [1] * len(inputs), EXACT, register, seed)
    assert (int(fast.values[0, 0]), int(fast.events[0, 0])) == (total, overflows)
    low, high = ends(record["out_bits"])
    shift = np.array([record["truncate"]])
    agree([total], np.ones(1, np.int64), shift, CACC, low, high, np.array([record["output"]]))
    rounded = rounding_shift(total, record["truncate"], Rounding.HALF_AWAY)
    assert int(not low <= rounded <= high) == record["sat_flag"]


@law(
    "saturating dot product", "A", "W", "OUT", "K", "bits_a", "bits_acc", "signedness", "overflow_occurs",
    stated_in="overflow_behaviour", text=r"saturateaftereveryaddition,kascending",
)  # fmt: skip
def check_saturating_product(record, _):
    """k ascending, saturated after every addition."""
    values, events = summed(record, psum=Accumulator(bits=record["bits_acc"], overflow=Overflow.SATURATE))
    assert values.tolist() == record["OUT"]
    assert (values != np.array(record["A"]) @ np.array(record["W"])).any() == record["overflow_occurs"]
    assert events or not record["overflow_occurs"]


@law(
    "Gemmini matmul in C", "A", "W", "BIAS", "OUT", "K", "bits_a", "bits_acc", "signedness", "overflow_behaviour",
    "acc_scale_bits", "activation", stated_in="file", text=r".*matmul_cpu.*\(ACC_SCALE,ROUND_NEAR_EVEN\)",
)  # fmt: skip
def check_scaled_product(record, _):
    """Sums that wrap, scaled and clipped to the operands' width; ReLU after the scale."""
    bits = record["bits_acc"]
    assert record["overflow_behaviour"].startswith(f"acc int{bits} wrap"), record["overflow_behaviour"]
    register, bias = Accumulator(bits=bits, overflow=Overflow.WRAP), record["BIAS"]
    acc = summed(record, accumulator=register, start=0 if bias is None else np.array(bias))[0].ravel()
    if "ACC" in record:
        assert acc.tolist() == np.ravel(record["ACC"]).tolist()
    low, high = ends(record["bits_a"])
    scale, zeros = float32_of(record["acc_scale_bits"], len(acc)), np.zeros(len(acc), np.int64)
    agree(acc, scale, zeros, FLOAT, 0 if is_relu(record) else low, high, np.ravel(record["OUT"]))
