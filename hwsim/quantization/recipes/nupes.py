"""Power-exponent grids: small weights get small steps, and codes are decoded by a square or a table before they are multiplied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hwsim.errors import HwsimError
from hwsim.numerics.formats import power_exponent
from hwsim.quantization.recipes.losses import weight_error
from hwsim.quantization.recipes.record import Option, Recipe
from hwsim.quantization.reconstruct import LearnExponents
from hwsim.quantization.set_grids import SetGrids
from hwsim.quantization.state import State, Step
from hwsim.quantization.tables.steps import FitExponent, with_weights

_SET = SetGrids(keys={"range": "mse", "weight_granularity": "channel"})


def _uniform(state: State) -> float:
    """Return the weight error of exponent 1, the uniform grid, at the same width."""
    default = state.scheme.plan.default.weights
    assert default is not None
    plain = state.with_(graph=state.reference)
    return weight_error(_SET(with_weights(plain, power_exponent(default.bits, 1.0))))


def _steps(options: Mapping[str, Any]) -> tuple[Step, ...]:
    if options["learn"] and options["scope"] == "net":
        raise HwsimError("recipe nupes: exponents are learned per layer; leave out scope=net, or learn=true")
    learning = (LearnExponents(iterations=options["iterations"]),) if options["learn"] else ()
    return FitExponent(scope=options["scope"], keys=_SET.keys), _SET, *learning


def _own(state: State) -> float:
    return state.losses.get("nupes.loss", weight_error(state))


def _baseline(state: State) -> float:
    return state.losses["nupes.searched"] if "nupes.searched" in state.losses else _uniform(state)


RECIPE = Recipe(
    title="power-exponent weight grids, the exponent of least squared error per layer, one scale per output channel",
    paper="Yvinec et al. 2023, arXiv 2308.05600",
    steps=_steps,
    loss=_own,
    baseline=_baseline,
    options=(
        Option(
            name="scope", default="layer", help="one exponent for the net, or one per layer", choices=("net", "layer")
        ),
        Option(
            name="learn",
            default=False,
            help="from the exponents of least weight error on, learn exponents and codes so that each layer's result is kept",
            extra="train",
        ),
        Option(name="iterations", default=500, help="steps of Adam per layer, where it learns", least=1),
    ),
)
