"""What the verbs have in common: the same options give the same machine and the same integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hwsim.cli import resolve
from hwsim.cli.data import RANGES_ONLY, Data, find_data
from hwsim.cli.groups import Images, Loading, Method, Target

if TYPE_CHECKING:
    import numpy as np

    from hwsim.graph import Graph
    from hwsim.hardware import Accelerator, PrecisionPlan
    from hwsim.quantization import Scheme
    from hwsim.quantization.state import State


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A network ready for a machine; without calibration images its grids have widths only.

    Args:
        plan: every choice of precision, the command line's included.
        machine: with the plan's registers and requantizers.
        data: the images.
        graph: the quantized network; its notes tell what was decided for the user.
        state: how a recipe ended; None without one.
    """

    plan: PrecisionPlan
    machine: Accelerator
    data: Data
    graph: Graph
    state: State | None = None

    @property
    def reference(self) -> Graph | None:
        """The float network before a recipe transformed it; None without a recipe."""
        return None if self.state is None else self.state.reference


def prepare(target: Target, plan: PrecisionPlan, loading: Loading, method: Method, images: Images) -> Prepared:
    """Load network, machine and images, and quantize the network, by a recipe if one is named, unless it came quantized."""
    from hwsim.quantization import quantize, scheme_for

    recipe = method.recipe
    machine = resolve.resolve_machine(target, plan)
    graph = resolve.resolve_network(target.network, loading)
    stated = resolve.recipe_options(recipe, method.recipe_options)
    plan = plan if recipe else resolve.plan_of(graph, plan)
    use = _use_of(recipe, stated)
    data = find_data(target.network, graph, images, loading.seed, use=use)
    scheme, notes = scheme_for(graph, machine, plan)
    shown = None
    if data.calibration is not None:
        shown = {name: data.calibration[name] for name in graph.inputs if name in data.calibration}
    if use is None and images.calibration is not None:
        notes += (f"recipe {recipe} looks at no image: --calibration has no say",)
    noted = replace(graph, notes=(*graph.notes, *data.notes, *notes))
    if recipe is not None:
        state = _by_recipe(recipe, noted, scheme, machine, shown, stated, loading.seed)
        return Prepared(plan=state.scheme.plan, machine=machine, data=data, graph=state.graph, state=state)
    quantized = quantize(noted, scheme, shown)
    return Prepared(plan=plan, machine=machine, data=data, graph=quantized)


def _use_of(recipe: str | None, options: Mapping[str, str]) -> str | None:
    """Return what is done with calibration images, for a note; None where a recipe looks at none."""
    from hwsim.quantization.recipes import recipe_of

    if recipe is None:
        return RANGES_ONLY
    found = recipe_of(recipe)
    if found.is_data_free:
        return None
    learns = found.learns(found.chosen(recipe, options))
    return f"recipe {recipe} {'learned' if learns else 'was calibrated'} on"


def _by_recipe(
    name: str,
    graph: Graph,
    scheme: Scheme,
    machine: Accelerator,
    calibration: Mapping[str, np.ndarray] | None,
    options: Mapping[str, str],
    seed: int,
) -> State:
    from hwsim.quantization.recipes.run import run_recipe
    from hwsim.reporting.progress import progress

    return run_recipe(
        name,
        graph,
        scheme,
        machine,
        calibration,
        options=options,
        seed=seed,
        progress=lambda steps: progress(steps, f"recipe {name}"),
    )


def prepare_priced(
    target: Target, plan: PrecisionPlan, loading: Loading, method: Method, images: Images
) -> tuple[Graph, Accelerator]:
    """Return a quantized network and the machine, for verbs that only price; refuse what no layer could execute.

    Without a recipe activations are calibrated only where images are stated: widths are enough for a price.
    """
    from hwsim.execute.integer import check_executable
    from hwsim.quantization import quantize, scheme_for

    if method.recipe is not None or images.are_stated:
        ready = prepare(target, plan, loading, method, images)
        check_executable(ready.graph, ready.machine)
        return ready.graph, ready.machine
    resolve.recipe_options(None, method.recipe_options)
    machine = resolve.resolve_machine(target, plan)
    graph = resolve.resolve_network(target.network, loading)
    scheme, _ = scheme_for(graph, machine, resolve.plan_of(graph, plan))
    quantized = quantize(graph, scheme, None)
    check_executable(quantized, machine)
    return quantized, machine
