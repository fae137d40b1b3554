"""Thresholds against their table, and what runtimes choose by the layer: the scheme, and the precision of the scale."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import layer_scale, names, nvdla_cacc, thresholds

UNIT = Requantizer(scheme="thresholds")


@given(
    scale=st.floats(1e-6, 300) | st.integers(-12, 3).map(lambda e: 2.0**e),
    zero_point=st.integers(-8, 7),
    ends=st.sampled_from([(-8, 7), (0, 15), (-1, 0), (0, 3)]),
    data=st.data(),
)
def test_counting_thresholds_is_rounding_half_up(scale, zero_point, ends, data):
    """On, below and above every threshold, and anywhere."""
    table = thresholds.thresholds_of(scale, zero_point, *ends)
    assert len(table) == ends[1] - ends[0]
    assert table == sorted(table)
    anywhere = data.draw(st.lists(st.integers(-(2**40), 2**40), max_size=5))
    for value in [*anywhere, *(t + d for t in table for d in (-1, 0, 1))]:
        counted = ends[0] + sum(value >= threshold for threshold in table)
        assert counted == thresholds.requantize_one(value, scale, 0, UNIT, zero_point, *ends)
        exact = Fraction(value) * Fraction(scale) + zero_point
        if ends[0] <= exact <= ends[1]:
            assert -Fraction(1, 2) < counted - exact <= Fraction(1, 2)


def test_thresholds_of_a_negative_scale():
    with pytest.raises(HwsimError, match=r"channel 1 has the scale -0\.5; negate its weights, or use fixed_point"):
        thresholds.constants(np.array([1.0, -0.5]), UNIT)


def test_cacc_truncates_by_five_bits():
    for scale, shift in ((2.0, -1), (2.0**-32, 32)):
        with pytest.raises(HwsimError, match=f"truncates by 0 to 31 places, not {shift}"):
            nvdla_cacc.constants(np.array([scale]), Requantizer(scheme="nvdla_cacc"))
    assert (
        nvdla_cacc.requantize_one(1 << 40, 1, 2, Requantizer(scheme="nvdla_cacc"), 0, -(1 << 50), 1 << 50) == 2**31 - 1
    )


@pytest.mark.parametrize(
    ("scheme", "ifmap_bits", "bias_bits", "layer", "chosen"),
    [
        ("tflite", 8, 32, "convolution", "tflite_double"),
        ("tflite", 8, None, "convolution", "tflite_double"),
        ("tflite", 16, 64, "convolution", "tflite_int16x8"),
        ("tflite", 16, None, "convolution", "tflite_int16x8"),
        ("tflite", 16, 32, "convolution", "tflite_double"),
        ("cmsis_nn", 8, 32, "convolution", "cmsis_nn"),
        ("cmsis_nn", 16, 64, "convolution", "tflite_int16x8"),
        ("cmsis_nn", 16, None, "convolution", "cmsis_nn"),
        ("tflite_double", 16, 64, "convolution", "tflite_double"),
        ("tflite", 8, 32, "fully_connected", "float64"),
        ("tflite", 16, 64, "fully_connected", "float64"),
        ("tflite", 16, 64, "matmul", "tflite_int16x8"),
        ("cmsis_nn", 8, 32, "fully_connected", "cmsis_nn"),
    ],
)
def test_runtimes_choose_by_kind_and_widths_of_a_layer(scheme, ifmap_bits, bias_bits, layer, chosen):
    unit = Requantizer(scheme=scheme).resolved(ifmap_bits=ifmap_bits, bias_bits=bias_bits, layer=layer)
    assert unit.scheme == chosen


def test_other_units_stay_what_they_are():
    unit = Requantizer(multiplier_bits=12)
    assert unit.resolved(ifmap_bits=16, bias_bits=64, layer="fully_connected") is unit


X, W, Y = float(np.float32(0.1)), np.float32([0.3]), float(np.float32(0.013))


def test_scales_of_tensorflow_lite_by_layer():
    """Convolutions multiply and divide in float64, fully connected layers multiply in float32, Mul divides there too."""
    double = np.float64(np.float32(0.1)) * np.float64(np.float32(0.3)) / np.float64(np.float32(0.013))
    product = np.float64(np.float32(0.1) * np.float32(0.3)) / np.float64(np.float32(0.013))
    single = np.float64(np.float32(0.1) * np.float32(0.3) / np.float32(0.013))
    assert len({double, product, single}) == 3
    for scheme in ("tflite", "tflite_double", "tflite_int16x8", "cmsis_nn"):
        assert layer_scale(scheme, "convolution", X, W, Y).tolist() == [double]
        assert layer_scale(scheme, "matmul", X, W, Y).tolist() == [product]
        assert layer_scale(scheme, "fully_connected", X, W, Y).tolist() == [product]
        assert layer_scale(scheme, "product", X, W, Y).tolist() == [single]
        assert layer_scale(scheme, "matmul", X, W.repeat(2), Y).tolist() == [double] * 2  # per channel


@pytest.mark.parametrize("scheme", names())
def test_other_schemes_have_one_scale(scheme):
    kinds = {layer: layer_scale(scheme, layer, X, W, Y)[0] for layer in ("convolution", "matmul", "product")}
    assert len(set(kinds.values())) == (3 if "tflite" in scheme or scheme == "cmsis_nn" else 1)
