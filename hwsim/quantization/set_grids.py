"""The steps of a recipe that put a network on grids, and set the ranges of its activations again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.quantization.calibrate import needs_of, observe
from hwsim.quantization.quantize import quantize, with_activations, with_decoded_weights
from hwsim.quantization.ranges import Observation, needs
from hwsim.quantization.state import State
from hwsim.quantization.statistics import observe_statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGrids:
    """Give every tensor its grid by the scheme, from calibration images or from what normalizations tell.

    Args:
        keys: of the plan's default that hold where the user states nothing, as ``{"range": "mse"}``.
    """

    keys: Mapping[str, str] | None = None

    def __call__(self, state: State) -> State:
        """Return the state with the quantized graph and the scheme that made it."""
        state = with_keys(state, self.keys or {})
        return state.with_(graph=quantize(state.graph, state.scheme, state.calibration))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGridsFromStatistics:
    """Give every tensor its grid without looking at an image: activations from what normalizations tell.

    Args:
        input_range: of every network input, which no normalization tells.
        keys: as of ``SetGrids``; ``activation_range`` must be an estimator that reads statistics.

    Raises:
        HwsimError: (when called) an ``activation_range`` of the plan that needs images.
    """

    input_range: tuple[float, float]
    keys: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        low, high = self.input_range
        if not low < high:
            raise HwsimError(
                f"grids from statistics: the inputs' smallest value must be below the largest, not {low} and {high}"
            )

    def __call__(self, state: State) -> State:
        """Return the state with the quantized graph and the scheme that made it."""
        state = with_keys(state, self.keys or {})
        _check_statistics(state)
        seen = observe_statistics(state.graph, dict.fromkeys(state.graph.inputs, self.input_range))
        return state.with_(graph=quantize(state.graph, state.scheme, None, seen=seen))


def _check_statistics(state: State) -> None:
    """Raise HwsimError where the plan states an estimator of activations that reads images."""
    plan = state.scheme.plan
    for layer in (*state.graph.inputs, *(node.name for node in state.graph.nodes)):
        name = plan.for_layer(layer).activation_range
        if needs(name) != {"statistics"}:
            raise HwsimError(
                f"activation_range {name} of {layer!r} needs images, and none are looked at here; leave it out, or choose a "
                "recipe that takes calibration images"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PowersOfTwo:
    """Allow only scales that are powers of two, which a requantizer of shifts alone needs."""

    def __call__(self, state: State) -> State:
        """Return the state with that rule in its scheme."""
        return state.with_(scheme=replace(state.scheme, power_of_two=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetActivations:
    """Set the ranges of activations again, on the network with its quantized weights (Nagel et al. 2021, figure 3.6, last step)."""

    def __call__(self, state: State) -> State:
        """Return the state with other activation grids; weights keep their codes."""
        images = state.images("activation ranges")
        seen = observe_quantized(state, images)
        return state.with_(graph=with_activations(state.graph, state.scheme, seen))


def observe_quantized(state: State, images: Mapping[str, np.ndarray]) -> dict[str, Observation]:
    """Return what activations look like with quantized weights and real activations."""
    if not state.graph.is_quantized:
        raise HwsimError("activation ranges: the network has no grids yet; SetGrids comes first")
    needs = needs_of(state.graph, state.scheme.plan)
    return observe(with_decoded_weights(state.graph), images, needs)


def with_keys(state: State, keys: Mapping[str, str]) -> State:
    """Return the state whose plan has ``keys`` where the user stated nothing."""
    plan = state.scheme.plan
    missing = {key: value for key, value in keys.items() if getattr(plan.default, key) is None}
    default = type(plan.default).model_validate({**plan.default.model_dump(exclude_none=True), **missing})
    return state.with_(scheme=replace(state.scheme, plan=plan.model_copy(update={"default": default})))
