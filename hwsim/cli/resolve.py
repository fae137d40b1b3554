"""From the options of a verb to a network, a machine and a precision plan."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.cli.groups import Loading, Mapper, Method, Precision, Registers, Target
from hwsim.errors import HwsimError, did_you_mean

if TYPE_CHECKING:
    from hwsim.graph import Graph
    from hwsim.hardware import Accelerator, PrecisionPlan
    from hwsim.schedule import Options
    from hwsim.simulation.metrics import Metric

DEFAULT_RANGE = "mse"


def resolve_network(network: str, loading: Loading) -> Graph:
    """Load the network."""
    from hwsim.interchange.load import load

    sizes = {}
    for text in loading.dimensions or ():
        name, _, value = text.partition("=")
        if not value.isdigit() or int(value) < 1:
            raise HwsimError(f"--dimension: {text!r} must be a name and a positive size, as seq=128")
        sizes[name] = int(value)
    return load(network, batch=loading.batch, dimensions=sizes or None, seed=loading.seed)


def resolve_plan(
    precision: Precision | None = None,
    registers: Registers | None = None,
    method: Method | None = None,
    runtime: str | None = None,
) -> PrecisionPlan:
    """Return the plan of ``--precision`` with the options of the command line as its default, where they are stated."""
    from hwsim.hardware import PrecisionPlan, load_precision
    from hwsim.hardware.precision import KEYS
    from hwsim.hardware.problems import validate

    precision, registers, method = precision or Precision(), registers or Registers(), method or Method()
    plan = load_precision(precision.precision) if precision.precision else PrecisionPlan()
    options = {
        "weights": precision.weights,
        "activations": precision.activations,
        "accumulator": registers.accumulator,
        "psum": registers.psum,
        "range": method.range_,
        "weight_granularity": method.granularity,
        **runtime_keys(runtime, precision.requantizer),
    }
    stated = {key: value for key, value in options.items() if value is not None}
    given = validate(PrecisionPlan, {"default": stated}, "command line").default
    default = plan.default.model_copy(update=given.stated(KEYS))
    return plan.model_copy(update={"default": default})


def runtime_keys(runtime: str | None, requantizer: str | None) -> dict[str, str | None]:
    """Return the datapath keys of ``--runtime``; a stated ``--requantizer`` wins over its own."""
    from hwsim.hardware.runtimes import RUNTIMES

    if runtime is None:
        return {"requantizer": requantizer}
    if runtime not in RUNTIMES:
        raise HwsimError(f"--runtime: {runtime!r} is unknown{did_you_mean(runtime, RUNTIMES)}")
    keys: dict[str, str | None] = dict(RUNTIMES[runtime])
    return keys | ({"requantizer": requantizer} if requantizer is not None else {})


def recipe_options(recipe: str | None, texts: Sequence[str] | None) -> dict[str, str]:
    """Return the recipe's options by name, their values as typed."""
    stated = {}
    for text in texts or ():
        name, separator, value = text.partition("=")
        if not separator or not name or not value:
            raise HwsimError(f"--option: {text!r} must be a name and a value, as iterations=500")
        if recipe is None:
            raise HwsimError("--option: it is one of a recipe; name that with --recipe (hwsim show recipes)")
        stated[name] = value
    return stated


def plan_of(graph: Graph, plan: PrecisionPlan) -> PrecisionPlan:
    """Return the plan with the command line's default range estimator; raise HwsimError if the graph keeps its own grids."""
    from hwsim.quantization.quantize import keep_grids

    keep_grids(graph, plan)
    if graph.is_quantized or plan.default.range is not None:
        return plan
    return plan.model_copy(update={"default": plan.default.model_copy(update={"range": DEFAULT_RANGE})})


def resolve_machine(target: Target, plan: PrecisionPlan) -> Accelerator:
    """Load the machine with its overrides and the plan's registers and requantizers; a ``.cfg`` is SCALE-Sim's."""
    overrides = tuple(target.overrides or ())
    if target.hardware.endswith(".cfg"):
        from hwsim.interchange.scalesim import read_scalesim_machine

        return read_scalesim_machine(target.hardware, overrides=overrides, precision=plan)
    from hwsim.hardware import load_accelerator

    return load_accelerator(target.hardware, overrides=overrides, precision=plan)


def resolve_scheduling(mapper: Mapper, mapping: Path | None = None) -> Options:
    """Return what the mapper minimizes and may use, with the mappings that a file states."""
    from hwsim.mapping.stated_file import load_stated
    from hwsim.schedule import OBJECTIVES, Options

    chosen = next((known for known in OBJECTIVES if known == mapper.objective), None)
    if chosen is None:
        raise HwsimError(f"--objective: {mapper.objective!r} is unknown{did_you_mean(mapper.objective, OBJECTIVES)}")
    stated = load_stated(mapping) if mapping else None
    return Options(objective=chosen, residency=mapper.residency, prefetch=mapper.prefetch, stated=stated)


def resolve_metric(text: str) -> Metric:
    """Return the metric; a module of the working folder can be named, as with ``python -m``."""
    from hwsim.simulation.metrics import metric_of

    folder = str(Path.cwd())
    if ":" in text and folder not in sys.path:
        sys.path.insert(0, folder)
    return metric_of(text)


def resolved_command() -> str:
    """Return the command line as typed."""
    import shlex

    return shlex.join(["hwsim", *sys.argv[1:]])


def energy_provenance(accelerator: Accelerator) -> list[dict[str, Any]]:
    """Return where each price of the machine's energy table comes from, as rows for the report."""
    from dataclasses import asdict

    from hwsim.energy import load_table

    return [asdict(row) for row in load_table(accelerator.energy_table).provenance()]
