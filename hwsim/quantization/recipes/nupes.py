"""Power-exponent grids: small weights get small steps, and codes are decoded by a square or a table before they are multiplied."""

from __future__ import annotations

from hwsim.numerics.formats import power_exponent
from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import State
from hwsim.quantization.tables.steps import FitExponent, with_weights

_SET = SetGrids(keys={"range": "mse", "weight_granularity": "channel"})


def _uniform(state: State) -> float:
    """Return the weight error of exponent 1, the uniform grid, at the same width."""
    default = state.scheme.plan.default.weights
    assert default is not None
    plain = state.with_(graph=state.reference)
    return weight_error(_SET(with_weights(plain, power_exponent(default.bits, 1.0))))


RECIPE = Recipe(
    title="power-exponent weight grids, the exponent of least squared error per layer, one scale per output channel",
    paper="Yvinec et al. 2023, arXiv 2308.05600 (its grids; exponents are searched in closed form, not learned)",
    steps=lambda options: (FitExponent(scope=options["scope"], keys=_SET.keys), _SET),
    loss=weight_error,
    baseline=_uniform,
    options=(
        Option(
            name="scope", default="layer", help="one exponent for the net, or one per layer", choices=("net", "layer")
        ),
    ),
)
