"""The learned exponent: it starts at the grid, its gradient is the one of its equation, and it ends on a table."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.errors import HwsimError
from hwsim.graph import Tensor
from hwsim.numerics.formats import LearnedTable, parse_format, power_exponent
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.sparsity import Sparsity
from hwsim.quantization.reconstruct.fake_quantize import straight_through
from hwsim.quantization.reconstruct.parameters import Exponent
from hwsim.quantization.reconstruct.parameters.exponent import UNIT
from hwsim.quantization.tables.scales import grid_end

torch = pytest.importorskip("torch", reason='learns: pip install "hwsim[train]"')

SHAPE = (6, 4, 1, 1)
GRANULARITIES = {"tensor": PER_TENSOR, "channel": Granularity(axis=0), "groups": Granularity(axis=1, groups=(0, 0, 1, 1), by=0)}  # fmt: skip
TABLE = LearnedTable.parse("power4@12")


def weight(granularity=PER_TENSOR, book=None):
    book = book or power_exponent(4, 0.7, 12)
    count = int(np.prod(granularity.scale_shape(SHAPE)))
    scales = tuple(float(np.float32((1.5 + 0.1 * index) / grid_end(book))) for index in range(count))
    grid = QuantParams(format=book, scale=scales, zero_point=(0,) * count, granularity=granularity)
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    return Tensor(name="w", shape=SHAPE, data=data, quant=grid)


def moved(tensor, *, tilt, table=TABLE, **options):
    parameter = Exponent(tensor, table, rate=0.1, **options)
    with torch.no_grad():
        parameter.moved.add_(torch.randn(parameter.moved.shape, generator=torch.Generator().manual_seed(1)))
        parameter.tilt.fill_(tilt / UNIT)
    return parameter


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_it_starts_on_the_grid_and_says_what_it_computed(granularity):
    tensor = weight(GRANULARITIES[granularity])
    assert Exponent(tensor, TABLE, rate=0.1).results()[0].quant == tensor.quant
    untouched = Exponent(tensor, TABLE, rate=0.1).constants()["w"].detach().numpy()
    np.testing.assert_allclose(untouched, tensor.quant.decode(tensor.encoded()), rtol=1e-6)
    parameter = moved(tensor, tilt=-0.15)
    (result,) = parameter.results()
    assert result.quant.format == power_exponent(4, 0.55, 12)
    np.testing.assert_allclose(
        result.quant.decode(result.codes), parameter.constants()["w"].detach().numpy(), rtol=1e-6
    )
    assert not np.array_equal(result.codes, tensor.encoded())


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("exponent", [0.5, 0.62, 1.0, 1.2])
def test_the_gradient_is_that_of_its_equation(granularity, exponent):
    """Against automatic differentiation of ``range round(Q u^a)^(1/a)``, where codes are not 0."""
    tensor = weight(GRANULARITIES[granularity])
    parameter = moved(tensor, tilt=exponent - 0.7)
    upstream = torch.from_numpy(np.random.default_rng(2).normal(size=SHAPE).astype(np.float32))
    (found,) = torch.autograd.grad((parameter.constants()["w"] * upstream).sum(), [parameter.tilt])

    latent = parameter._latent().detach().double()
    ends = torch.from_numpy(tensor.quant.granularity.spread(parameter.ranges, SHAPE)) * torch.ones(SHAPE)
    a = torch.tensor(exponent, dtype=torch.float64, requires_grad=True)
    power = 7 * (latent.abs() / ends).clamp(max=1.0).pow(a)
    q = straight_through(power.round(), power)
    alive = power.round() > 0
    value = latent.sign() * ends * torch.where(alive, q / 7, torch.ones(())).pow(1 / a)
    (expected,) = torch.autograd.grad((value * upstream * alive).sum(), [a])
    assert float(found) / UNIT == pytest.approx(float(expected), rel=5e-3, abs=1e-3)


def test_weights_move_by_what_lies_inside_of_the_range():
    tensor = weight()
    parameter = Exponent(tensor, TABLE, rate=0.1)
    (found,) = torch.autograd.grad(parameter.constants()["w"].sum(), [parameter.moved])
    inside = np.abs(tensor.data) <= 1.5
    assert inside.any()
    assert (~inside).any()
    np.testing.assert_allclose(found.numpy(), np.where(inside, 1.5 / 7, 0.0), rtol=1e-6)


@pytest.mark.parametrize(("tilt", "said"), [(-5.0, "0.26"), (5.0, "1.34")])
def test_exponents_stay_where_a_table_tells_codes_apart(tilt, said):
    (result,) = moved(weight(), tilt=tilt).results()
    assert str(result.quant.format) == f"power4:{said}@12"


def test_ranges_stay_where_no_table_is_needed():
    tensor = weight(Granularity(axis=0))
    (result,) = moved(tensor, tilt=0.3).results()
    assert str(result.quant.format) == "power4:1"
    np.testing.assert_allclose(result.quant.scales() * 7, tensor.quant.scales() * 2047, rtol=1e-6)


def test_powers_of_two_and_what_a_bias_needs_are_kept():
    (result,) = moved(weight(), tilt=0.1, power_of_two=True).results()
    assert np.frexp(result.quant.scale[0])[0] == 0.5
    twice = moved(weight(), tilt=0.1, widened=lambda grid: replace(grid, scale=tuple(2 * s for s in grid.scale)))
    assert twice.results()[0].quant.scale[0] == 2 * weight().quant.scale[0]


def test_pruned_weights_stay_zero():
    tensor = weight()
    codes = tensor.encoded().copy()
    codes[:, ::2] = 7  # stands for 0
    parameter = moved(replace(tensor, codes=codes, sparsity=Sparsity.parse("2:4")), tilt=0.2)
    (result,) = parameter.results()
    assert (result.codes[:, ::2] == 7).all()
    assert (result.codes[:, 1::2] != 7).any()
    assert not parameter.constants()["w"][:, ::2].any()


def test_other_grids_are_refused():
    with pytest.raises(HwsimError, match="tensor 'w' has no calibrated grid"):
        Exponent(replace(weight(), quant=None), TABLE, rate=0.1)
    with pytest.raises(HwsimError, match="tensor 'w' is on int4, not on a grid of powers"):
        Exponent(replace(weight(), quant=replace(weight().quant, format=parse_format("int4"))), TABLE, rate=0.1)
    with pytest.raises(HwsimError, match="pot4 is no grid of powers"):
        Exponent(weight(book=parse_format("pot4")), TABLE, rate=0.1)
