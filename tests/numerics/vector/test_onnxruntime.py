"""ONNX Runtime's formulas: kernels against exact definitions, arrays against loops that round every step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.kernels.vector.qlinear import qlinear_add, qlinear_mul
from hwsim.numerics.vector.onnxruntime.add import add_constants, add_one, folded_operand
from hwsim.numerics.vector.onnxruntime.average_pool import average_codes, dequantized
from hwsim.numerics.vector.onnxruntime.mul import mul_one, mul_ratio
from hwsim.numerics.vector.onnxruntime.resize import resize_linear, taps
from hwsim.numerics.vector.onnxruntime.softmax import exponentials, softmax_codes

POWERS = st.integers(-8, 2).map(lambda power: 2.0**power)
SCALES = st.tuples(*[POWERS | st.floats(2.0**-10, 4.0, width=32)] * 3)
BYTES = {"uint8": (0, 255), "int8": (-128, 127)}


def codes(rng, kind, shape):
    low, high = BYTES[kind]
    return rng.integers(low, high + 1, shape).astype(kind)


@settings(deadline=None, max_examples=60)
@given(SCALES, st.sampled_from(sorted(BYTES)), st.integers(0, 2**32 - 1), st.sampled_from([None, 0, 1]))
def test_add_kernel_is_its_definition(scales, kind, seed, folded):
    rng = np.random.default_rng(seed)
    low, high = BYTES[kind]
    constants = add_constants(scales, tuple(int(z) for z in rng.integers(low, high + 1, 3)))
    a, b = codes(rng, kind, 40), codes(rng, kind, 40)
    done = qlinear_add(a, b, constants, folded, low, high)
    pairs = list(zip(a.tolist(), b.tolist(), strict=True))
    assert done.codes.tolist() == [add_one(x, y, constants, folded, low, high) for x, y in pairs]
    wide = np.array([add_one(x, y, constants, folded, low - 1, high + 1) for x, y in pairs])
    assert (done.clipped_low, done.clipped_high) == ((wide < low).sum(), (wide > high).sum())


def test_add_of_every_code():
    """Scales of powers of two, whose sums are often ties."""
    constants = add_constants((0.5, 0.25, 1.0), (3, 128, 7))
    a, b = (part.reshape(-1).astype(np.uint8) for part in np.meshgrid(np.arange(256), np.arange(0, 256, 5)))
    expected = [add_one(x, y, constants, None, 0, 255) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert qlinear_add(a, b, constants, None, 0, 255).codes.tolist() == expected


def unfused(a, b, constants, order):
    """The sum with every product rounded, in float32; ``order`` names the operand that is added first."""
    terms = [np.float32(x) * ratio for x, ratio in zip((a, b), constants.ratios, strict=True)]
    return np.clip(np.rint(terms[1 - order] + (terms[order] + constants.fixed)), 0, 255)


@pytest.mark.parametrize("folded", [None, 0, 1])
def test_where_the_forms_of_add_differ_the_kernel_is_its_definition(folded):
    """Fused, folded and plain forms, on scales that bring half of all sums next to a tie; against the exact definition."""
    rng, hard = np.random.default_rng(0), 0
    for _ in range(8):
        near = 0.5 * (1 + rng.integers(-3, 4, 2) * 2.0**-22)
        constants = add_constants((*near, 1.0), tuple(int(z) for z in rng.integers(0, 256, 3)))
        a, b = (part.reshape(-1).astype(np.uint8) for part in np.meshgrid(np.arange(256), np.arange(256)))
        forms = [qlinear_add(a, b, constants, form, 0, 255).codes for form in (None, 0, 1)]
        forms += [unfused(a, b, constants, order) for order in (0, 1)]
        differ = np.flatnonzero((np.array(forms) != forms[0]).any(axis=0))
        got = forms[{None: 0, 0: 1, 1: 2}[folded]]
        for index in differ[::50]:
            assert got[index] == add_one(int(a[index]), int(b[index]), constants, folded, 0, 255)
        hard += len(differ)
    assert hard > 1000


@settings(deadline=None, max_examples=60)
@given(SCALES, st.sampled_from(sorted(BYTES)), st.integers(0, 2**32 - 1))
def test_mul_kernel_is_its_definition(scales, kind, seed):
    rng = np.random.default_rng(seed)
    low, high = BYTES[kind]
    ratio, zero_points = mul_ratio(scales), tuple(int(z) for z in rng.integers(low, high + 1, 3))
    a, b = codes(rng, kind, (8, 5)), codes(rng, kind, (5,))
    got = qlinear_mul(a, b, ratio, zero_points, low, high).codes
    for (i, j), code in np.ndenumerate(got):
        centred = int(a[i, j]) - zero_points[0], int(b[j]) - zero_points[1]
        assert code == mul_one(*centred, ratio, zero_points[2], low, high)


def test_what_the_processor_does_beyond_32_bits():
    """``cvtps2dq`` gives the smallest integer for 2^31 and more, which then saturates low."""
    constants = add_constants((2.0**25, 1.0, 1.0), (0, 0, 0))
    a, b = np.array([63, 64, 65], np.uint8), np.zeros(3, np.uint8)
    assert qlinear_add(a, b, constants, None, 0, 255).codes.tolist() == [255, 0, 0]
    assert [add_one(int(x), 0, constants, None, 0, 255) for x in a] == [255, 0, 0]


def test_scales_beyond_float32_are_refused():
    with pytest.raises(HwsimError, match=r"QLinearAdd: the scales .* give ratios beyond float32"):
        add_constants((1e30, 1.0, 1e-30), (0, 0, 0))
    with pytest.raises(HwsimError, match=r"QLinearMul: the scales .* give a ratio beyond float32"):
        mul_ratio((1e30, 1e30, 1.0))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((), (), 0),
        ((4,), (4,), None),
        ((1,), (4,), 0),
        ((2, 4), (2, 1), 1),
        ((2, 1), (2, 1), None),
        ((1, 1), (9, 1, 1), 0),
    ],
)
def test_which_operand_is_folded(a, b, expected):
    assert folded_operand(a, b) == expected


def test_average_step_by_step():
    rng = np.random.default_rng(1)
    x, zero, scale, out = codes(rng, "uint8", (50, 6)), 77, np.float32(0.25), (np.float32(0.125), 5)
    sums = []
    for row in x.tolist():
        total = np.float32(0)
        for code in row:
            total = total + scale * np.float32(code - zero)
        sums.append(total)
    expected = [np.rint(total / np.float32(6) / out[0] + np.float32(out[1])) for total in sums]
    assert dequantized(x, 0.25, zero).sum(axis=1, dtype=np.float32).tolist() == sums  # exact for this scale
    assert average_codes(np.array(sums), np.array([6]), float(out[0]), out[1]).tolist() == expected


@pytest.mark.parametrize("kind", sorted(BYTES))
def test_softmax_step_by_step(kind):
    rng = np.random.default_rng(2)
    x, low = codes(rng, kind, (6, 300)), BYTES[kind][0]
    table = exponentials(0.05, 300)
    got = softmax_codes(x, table, 1 / 256, low)
    for row, results in zip(x.tolist(), got.tolist(), strict=True):
        terms = [table[code - max(row) + 255] for code in row]
        total = np.float32(0)
        for term in terms:
            total = total + term
        assert results == [int(np.rint(term * np.float32(256) / total)) + low for term in terms]
        exact = np.exp(0.05 * (np.array(row) - max(row)))
        assert np.abs((np.array(results) - low) / 256 - exact / exact.sum()).max() < 0.502 / 256


def test_softmax_adds_one_after_the_other():
    """Terms too small for the running sum are lost, all of them, where a sum in pairs would keep them."""
    x = np.full((1, 60000), 80, np.uint8)
    table = exponentials(0.1, x.size)
    different = 0
    for code in range(200, 255):
        x[0, :2] = 255, code
        terms = table[x[0].astype(int)]
        kept, lost = (np.rint(terms[:2] * np.float32(256) / total).tolist() for total in (terms.sum(), terms[:2].sum()))
        assert softmax_codes(x, table, 1 / 256, 0)[0, :2].tolist() == lost
        different += kept != lost
    assert different


def test_softmax_refuses_a_result_beyond_float32():
    with pytest.raises(HwsimError, match=r"QLinearSoftmax: a result scale of 0.001 makes exponentials leave float32"):
        softmax_codes(np.zeros((1, 2), np.uint8), exponentials(0.1, 2), 0.001, 0)


def test_resize_step_by_step():
    """Every sum in the order of the four corners, cut off."""
    rng = np.random.default_rng(3)
    x = codes(rng, "int8", (1, 1, 4, 5))
    rows, columns = taps("half_pixel", 4, 7, 7 / 4), taps("half_pixel", 5, 3, 3 / 5)
    got = resize_linear(x, rows, columns)[0, 0]
    for (i, j), code in np.ndenumerate(got):
        total = np.float32(0)
        for row, weight in ((rows.low, rows.low_weight), (rows.high, rows.high_weight)):
            for column, other in ((columns.low, columns.low_weight), (columns.high, columns.high_weight)):
                total = total + other[j] * weight[i] * np.float32(x[0, 0, row[i], column[j]])
        assert code == int(total)
