"""Run a recipe: from a float network to one on grids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from hwsim.errors import HwsimError
from hwsim.graph import Graph
from hwsim.graph.layouts import in_graph_layout
from hwsim.hardware.accelerator import Accelerator
from hwsim.quantization.prepare import prepare
from hwsim.quantization.recipes import recipe_of
from hwsim.quantization.recipes.record import Value
from hwsim.quantization.scheme import Scheme
from hwsim.quantization.state import State, Step


def run_recipe(
    name: str,
    graph: Graph,
    scheme: Scheme,
    machine: Accelerator,
    calibration: Mapping[str, np.ndarray] | None,
    *,
    options: Mapping[str, Value] | None = None,
    seed: int = 0,
    progress: Callable[[tuple[Step, ...]], Iterable[Step]] = iter,
) -> State:
    """Return the state that the recipe ends with; its graph is quantized and can be executed.

    Args:
        name: of the recipe.
        graph: the float network.
        scheme: formats and granularity that the user states; the recipe fills in what is not stated.
        machine: what it is quantized for.
        calibration: images by input name (other keys are ignored), as the file has them; a data-free recipe does not look at them.
        options: of the recipe, by name; values or their texts.
        seed: of everything that is drawn.
        progress: wraps the steps, to show how far they are.

    Raises:
        HwsimError: an unknown recipe or option, an option beside a key that it decides, a network that came quantized, no images where the recipe needs them.
    """
    recipe = recipe_of(name)
    chosen = recipe.chosen(name, options, scheme.plan.default)
    if graph.is_quantized:
        raise HwsimError(f"recipe {name}: {graph.name} came quantized and keeps its grids; give the float model")
    if calibration is None and not recipe.is_data_free:
        raise HwsimError(
            f"recipe {name}: needs calibration images; give calibration=images (--calibration images.npz), or take the recipe data_free"
        )
    ready = prepare(graph)
    missing = [] if calibration is None else [key for key in ready.inputs if key not in calibration]
    if missing and not recipe.is_data_free:
        raise HwsimError(
            f"recipe {name}: calibration has keys {', '.join(calibration or ())} but {graph.name} needs {', '.join(missing)}"
        )
    images = None
    if calibration is not None and not recipe.is_data_free:
        images = in_graph_layout(ready, {key: calibration[key] for key in ready.inputs if key in calibration})
    plain = replace(ready, file_layouts={})  # inside a recipe arrays are in the graph's layout
    state = State(reference=plain, graph=plain, calibration=images, scheme=scheme, machine=machine, seed=seed)
    state = state.with_(note=recipe.assumes(chosen, options or {}))
    for step in progress(recipe.steps(chosen)):
        state = step(state)
    noted = replace(state.graph, file_layouts=ready.file_layouts, notes=(*state.graph.notes, *state.notes))
    return state.with_(graph=noted)
