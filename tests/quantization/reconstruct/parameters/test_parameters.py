"""What every learned parameter promises: it starts where the network stands, and leaves codes and grids that say what it computed."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.numerics.formats import parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from hwsim.quantization.reconstruct.fake_quantize import quantizer
from hwsim.quantization.reconstruct.parameters import (
    ActivationScale,
    ClippedWeight,
    RealConstant,
    RoundedWeight,
    StraightThroughWeight,
)
from hwsim.quantization.reconstruct.parameters.adaround import Hardening

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

SHAPE = (6, 4, 1, 1)
GRANULARITIES = {
    "tensor": PER_TENSOR,
    "channel": Granularity(axis=0),
    "block": Granularity(axis=1, block=2),
    "groups": Granularity(axis=1, groups=(0, 0, 1, 1), by=0),
}


def grid(granularity=PER_TENSOR, text="int4", zero_point=0, shape=SHAPE):
    count = int(np.prod(granularity.scale_shape(shape)))
    scales = tuple(float(np.float32(0.2 + 0.01 * index)) for index in range(count))
    return QuantParams(
        format=parse_format(text), scale=scales, zero_point=(zero_point,) * count, granularity=granularity
    )


def weight(granularity=PER_TENSOR, text="int4", zero_point=0, spread=0.5):
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32) * spread
    return Tensor(name="w", shape=SHAPE, data=data, quant=grid(granularity, text, zero_point))


def rounded(tensor):
    return RoundedWeight(tensor, rate=0.01, hardening=Hardening())


WEIGHT_PARAMETERS = {
    "adaround": rounded,
    "straight_through": lambda tensor: StraightThroughWeight(tensor, rate=0.1),
    "weight_scale": lambda tensor: ClippedWeight(tensor, rate=0.1),
}


@pytest.mark.parametrize("zero_point", [0, 2])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("kind", WEIGHT_PARAMETERS)
def test_every_variable_moves_the_weight(kind, granularity, zero_point):
    parameter = WEIGHT_PARAMETERS[kind](weight(GRANULARITIES[granularity], zero_point=zero_point))
    value = parameter.constants()["w"]
    assert tuple(value.shape) == SHAPE
    gradients = torch.autograd.grad((value * torch.arange(value.numel()).reshape(SHAPE)).sum(), parameter.variables())
    assert all(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("zero_point", [0, 2])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("kind", ["straight_through", "weight_scale"])
def test_hard_parameters_compute_what_their_results_decode_to(kind, granularity, zero_point):
    parameter = WEIGHT_PARAMETERS[kind](weight(GRANULARITIES[granularity], zero_point=zero_point))
    with torch.no_grad():
        for variable in parameter.variables():
            variable.add_(torch.randn(variable.shape, generator=torch.Generator().manual_seed(1)) * 0.3)
        value = parameter.constants()["w"].numpy()
    (result,) = parameter.results()
    np.testing.assert_allclose(result.quant.decode(result.encoded()), value, rtol=1e-5, atol=1e-6)


def test_adaround_starts_at_the_weight_itself():
    """h(V) is the fraction: the soft weight is the real one, up to fractions within 0.01 of an end."""
    tensor = weight()
    np.testing.assert_allclose(rounded(tensor).constants()["w"].detach().numpy(), tensor.data, atol=0.0101 * 0.2)


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_adaround_goes_up_where_v_is_not_negative(granularity):
    parameter = rounded(weight(GRANULARITIES[granularity]))
    with torch.no_grad():
        parameter.v[:] = 20.0
        parameter.v[0] = -20.0
    (result,) = parameter.results()
    np.testing.assert_array_equal(result.codes[0], parameter.low_codes[0])
    np.testing.assert_array_equal(result.codes[1:], parameter.high_codes[1:])
    np.testing.assert_allclose(
        result.quant.decode(result.codes), parameter.constants()["w"].detach().numpy(), rtol=1e-6, atol=1e-6
    )
    assert float(parameter.penalty(1.0).detach()) == 0.0


def test_an_untouched_adaround_rounds_to_nearest():
    tensor = weight()
    (result,) = rounded(tensor).results()
    np.testing.assert_array_equal(result.codes, tensor.encoded())


def test_the_penalty_is_that_of_the_paper():
    hardening = Hardening(strength=2.0, first_beta=20.0, last_beta=2.0)
    parameter = RoundedWeight(weight(), rate=0.01, hardening=hardening)
    h = np.clip(1.2 / (1 + np.exp(-parameter.v.detach().numpy().astype(np.float64))) - 0.1, 0, 1)
    assert parameter.penalty(0.19) is None
    for progress, beta in ((0.2, 20.0), (0.6, 11.0), (1.0, 2.0)):
        expected = 2.0 * np.mean(1 - np.abs(2 * h - 1) ** beta)
        assert float(parameter.penalty(progress).detach()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_beta_falls_from_first_to_last(decay):
    betas = [Hardening(decay=decay).beta(progress) for progress in np.linspace(0.2, 1.0, 20)]
    assert (betas[0], betas[-1]) == (20.0, 2.0)
    assert all(a > b for a, b in pairwise(betas))


@pytest.mark.parametrize("kind", WEIGHT_PARAMETERS)
def test_pruned_weights_stay_zero(kind):
    tensor = weight()
    codes = tensor.encoded().copy()
    codes[:, ::2] = 0
    parameter = WEIGHT_PARAMETERS[kind](replace(tensor, codes=codes, sparsity=Sparsity.parse("2:4")))
    with torch.no_grad():
        for variable in parameter.variables():
            variable.add_(3.0)
        value = parameter.constants()["w"].numpy()
    (result,) = parameter.results()
    assert not result.encoded()[:, ::2].any()
    assert not value[:, ::2].any()
    assert result.encoded()[:, 1::2].any()


def test_clipping_starts_at_the_grid_inside_of_the_weights_span():
    tensor = weight(Granularity(axis=0), spread=5.0)
    (result,) = ClippedWeight(tensor, rate=0.1).results()
    np.testing.assert_allclose(result.quant.scales(), tensor.quant.scales(), rtol=1e-5)


def activation(granularity=PER_TENSOR, zero_point=3):
    shape = (1, 6, 2, 2)
    return Tensor(name="a", shape=shape, quant=grid(granularity, "uint4", zero_point, shape))


@pytest.mark.parametrize("granularity", [PER_TENSOR, Granularity(axis=1)])
def test_an_activation_scale_starts_at_its_grid(granularity):
    tensor = activation(granularity)
    parameter = ActivationScale(tensor, rate=0.01)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 6, 2, 2)).astype(np.float32))
    with torch.no_grad():
        np.testing.assert_allclose(
            parameter.quantizers()["a"](x).numpy(), quantizer(tensor.quant)(x).numpy(), rtol=1e-6, atol=1e-6
        )
    assert parameter.results()[0].quant == tensor.quant


def test_the_gradient_of_a_scale_is_that_of_lsq():
    """Esser et al. 2020, eq. 3: round(x / s) - x / s inside, the end code outside, here on a zero point of 3."""
    parameter = ActivationScale(activation(), rate=0.01)
    x = np.float32([-9.0, -0.31, 0.05, 0.5, 9.0])
    (gradient,) = torch.autograd.grad(parameter.quantizers()["a"](torch.from_numpy(x)).sum(), parameter.variables())
    scale = 0.2
    steps = x / scale
    expected = np.where(steps < -3, -3, np.where(steps > 12, 12, np.round(steps) - steps)).sum() * scale
    assert float(gradient) == pytest.approx(expected / np.sqrt(24 * 15), rel=1e-4)


def test_learned_scales_are_what_was_used():
    parameter = ActivationScale(activation(Granularity(axis=1)), rate=0.01)
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 6, 2, 2)).astype(np.float32))
    with torch.no_grad():
        parameter.factor.mul_(torch.linspace(0.5, 2.0, 6))
        found = parameter.quantizers()["a"](x).numpy()
    grid = parameter.results()[0].quant
    np.testing.assert_allclose(found, grid.decode(grid.encode(x.numpy())), rtol=1e-5, atol=1e-6)


def test_powers_of_two_and_a_least_factor_are_kept():
    parameter = ActivationScale(activation(), rate=0.01, power_of_two=True, least=0.6)
    with torch.no_grad():
        parameter.factor.fill_(0.01)
    (scale,) = parameter.results()[0].quant.scale
    assert scale == 0.125  # 0.6 * 0.2 lies next to it


def test_a_real_constant_is_its_data():
    tensor = Tensor(name="gamma", shape=(3,), data=np.float32([1, 2, 3]))
    parameter = RealConstant(tensor, rate=0.1)
    with torch.no_grad():
        parameter.values.add_(1.0)
    assert parameter.results()[0].data.tolist() == [2, 3, 4]
    assert tensor.data.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", WEIGHT_PARAMETERS)
def test_a_weight_without_a_grid_is_refused(kind):
    with pytest.raises(HwsimError, match="tensor 'w'"):
        WEIGHT_PARAMETERS[kind](replace(weight(), quant=None))


def test_a_real_constant_has_no_grid_and_an_activation_scale_needs_integers():
    with pytest.raises(HwsimError, match="must be a constant without a grid"):
        RealConstant(weight(), rate=0.1)
    with pytest.raises(HwsimError, match="needs a calibrated grid of integers"):
        ActivationScale(replace(activation(), quant=grid(text="fp8e4m3fn", shape=(1, 6, 2, 2))), rate=0.1)
