import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.errors import HwsimError
from hwsim.numerics.formats import parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantOrder, QuantParams
from hwsim.numerics.rounding import Rounding
from hwsim.quantization.reconstruct.fake_quantize import quantizer

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

SHAPE = (3, 4, 5)
GRANULARITIES = (PER_TENSOR, Granularity(axis=1), Granularity(axis=1, groups=(0, 1, 1, 0)))


def grid(text, granularity=PER_TENSOR, zero_point=0, **more):
    count = int(np.prod(granularity.scale_shape(SHAPE)))
    scales = tuple(float(np.float32(0.1 * (1 + index))) for index in range(count))
    return QuantParams(
        format=parse_format(text), scale=scales, zero_point=(zero_point,) * count, granularity=granularity, **more
    )


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 2**31),
    st.sampled_from(GRANULARITIES),
    st.sampled_from(("uint8", "uint3", "int4")),
    st.integers(0, 7),
)
def test_rounds_as_the_grid_does(seed, granularity, text, zero_point):
    x = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    params = grid(text, granularity, zero_point)
    expected = params.decode(params.encode(x))
    np.testing.assert_allclose(quantizer(params)(torch.from_numpy(x)).numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "params",
    [
        grid("fp8e4m3fn"),
        grid("ternary"),
        grid("fixed<6,3>"),
        grid("int4", rounding=Rounding.FLOOR),
        grid("uint4", zero_point=3, order=QuantOrder.OFFSET_CLAMP_ROUND),
    ],
    ids=lambda params: f"{params.format} {params.rounding} {params.order}",
)
def test_other_formats_and_roundings_take_their_codes(params):
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    expected = params.decode(params.encode(x))
    np.testing.assert_allclose(quantizer(params)(torch.from_numpy(x)).numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("text", ["uint4", "fp4e2m1"])
def test_the_gradient_passes_inside_of_the_range_only(text):
    params = grid(text, zero_point=2 if text == "uint4" else 0)
    low, high = (-0.2, 1.3) if text == "uint4" else (-0.6, 0.6)
    x = torch.tensor([low - 0.2, low + 0.03, 0.11, high - 0.03, high + 0.2], requires_grad=True)
    quantizer(params)(x).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


def test_a_grid_without_scales_is_refused():
    with pytest.raises(HwsimError, match="has no scale yet"):
        quantizer(QuantParams(format=parse_format("int8")))
