"""A fused activation clips at the codes that the runtime computes for its ends."""

from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.execute.integer.requantize import code_range
from hwsim.interchange.tflite import read_tflite
from hwsim.interchange.tflite.result import real_ends
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding
from tests.interchange.tflite import cases

ENDS = {1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
FORMATS = {"INT8": IntFormat(bits=8), "UINT8": IntFormat(bits=8, signed=False), "INT16": IntFormat(bits=16)}


def runtime_code(end, scale, zero_point):
    """``zero_point + TfLiteRound(end / scale)``: one float32 division, halves away from zero."""
    quotient = float(np.float32(end) / np.float32(scale))
    return zero_point + (floor(quotient + 0.5) if quotient >= 0 else -floor(-quotient + 0.5))


@given(
    kind=st.sampled_from(sorted(FORMATS)),
    scale=st.one_of(
        st.floats(2**-20, 64, width=32), st.sampled_from([2.0, 4.0, 12.0, 6 / 255, 0.5 / 3, 2**-16]).map(np.float32)
    ),
    share=st.floats(0, 1),
    activation=st.sampled_from(sorted(ENDS)),
)
def test_ends_are_encoded_as_the_runtime_encodes_them(kind, scale, share, activation):
    number = FORMATS[kind]
    zero_point = 0 if kind == "INT16" else round(number.minimum + share * (number.levels - 1))
    grid = QuantParams(format=number, scale=(float(scale),), zero_point=(zero_point,), rounding=Rounding.HALF_AWAY)
    low, high = ENDS[activation]
    least = max(number.minimum, runtime_code(low, scale, zero_point))
    most = number.maximum if high is None else min(number.maximum, runtime_code(high, scale, zero_point))
    assert code_range(grid, real_ends((low, high), grid)) == (min(least, number.maximum), max(most, number.minimum))


@pytest.mark.parametrize("activation", sorted(ENDS))
def test_the_clamp_of_a_node(activation):
    for seed in range(12):
        data, draw = cases.model(cases.conv, "INT8", seed)
        written = draw.file.operators[0][4]["FusedActivationFunction"]
        node, grid = read_tflite(data).nodes[0], read_tflite(data).tensors["y"].quant
        if written == activation:
            assert node.clamp == real_ends(ENDS[activation], grid)
        elif written == 0:
            assert node.clamp == (None, None)
