"""From the options of a verb to a network, a machine, a precision plan and images."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.errors import HwsimError

if TYPE_CHECKING:
    import numpy as np

    from hwsim.graph import Graph
    from hwsim.hardware import Accelerator, PrecisionPlan
    from hwsim.simulation.metrics import Metric

CALIBRATION_IMAGES = 64
DRAWN_CALIBRATION_IMAGES = 4
DEFAULT_RANGE = "mse"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """Images to run, images to calibrate on, and the files they came from; ``images`` None means cost only."""

    images: dict[str, np.ndarray] | None
    calibration: dict[str, np.ndarray] | None
    files: dict[str, Path]
    notes: tuple[str, ...] = ()


def resolve_network(network: str, batch: int, dimensions: Sequence[str] | None, seed: int) -> Graph:
    """Load the network."""
    from hwsim.interchange.load import load

    sizes = {}
    for text in dimensions or ():
        name, _, value = text.partition("=")
        if not value.isdigit() or int(value) < 1:
            raise HwsimError(f"--dimension: {text!r} must be a name and a positive size, as seq=128")
        sizes[name] = int(value)
    return load(network, batch=batch, dimensions=sizes or None, seed=seed)


def resolve_plan(precision: Path | None, **options: str | None) -> PrecisionPlan:
    """Return the plan of ``--precision`` with the options of the command line as its default, where they are stated."""
    from hwsim.hardware import PrecisionPlan, load_precision
    from hwsim.hardware.precision import DATAPATH_KEYS, GRID_KEYS
    from hwsim.hardware.problems import validate

    plan = load_precision(precision) if precision else PrecisionPlan()
    stated = {key: value for key, value in options.items() if value is not None}
    given = validate(PrecisionPlan, {"default": stated}, "command line").default
    default = plan.default.model_copy(update=given.stated(GRID_KEYS + DATAPATH_KEYS))
    return plan.model_copy(update={"default": default})


def runtime_keys(runtime: str | None, requantizer: str | None) -> dict[str, str | None]:
    """Return the datapath keys of ``--runtime``; a stated ``--requantizer`` wins over its own."""
    from hwsim.errors import did_you_mean
    from hwsim.hardware.runtimes import RUNTIMES

    if runtime is None:
        return {"requantizer": requantizer}
    if runtime not in RUNTIMES:
        raise HwsimError(f"--runtime: {runtime!r} is unknown{did_you_mean(runtime, RUNTIMES)}")
    keys: dict[str, str | None] = dict(RUNTIMES[runtime])
    return keys | ({"requantizer": requantizer} if requantizer is not None else {})


def plan_of(graph: Graph, plan: PrecisionPlan) -> PrecisionPlan:
    """Return the plan with the command line's default range estimator; raise HwsimError if the graph keeps its own grids."""
    from hwsim.quantization.quantize import keep_grids

    keep_grids(graph, plan)
    if graph.is_quantized or plan.default.range is not None:
        return plan
    return plan.model_copy(update={"default": plan.default.model_copy(update={"range": DEFAULT_RANGE})})


def resolve_machine(hardware: str, overrides: Sequence[str] | None, plan: PrecisionPlan) -> Accelerator:
    """Load the machine with its overrides and the plan's registers and requantizers."""
    from hwsim.hardware import load_accelerator

    return load_accelerator(hardware, overrides=tuple(overrides or ()), precision=plan)


def resolve_metric(text: str) -> Metric:
    """Return the metric; a module of the working folder can be named, as with ``python -m``."""
    from hwsim.simulation.metrics import metric_of

    folder = str(Path.cwd())
    if ":" in text and folder not in sys.path:
        sys.path.insert(0, folder)
    return metric_of(text)


def resolve_data(
    network: str, graph: Graph, inputs: Path | None, calibration: Path | None, images: int | None, seed: int
) -> Data:
    """Find the images: the files given, else those bundled with a trained network, else drawn ones if asked for."""
    from hwsim.zoo import dataset, entry, names

    if calibration is not None and graph.is_quantized:
        raise HwsimError(f"--calibration: {graph.name} came quantized and keeps its grids; leave the option out")
    if inputs is None and network in names():
        record = entry(network)
        if record.trained:
            ranges = read_npz(calibration) if calibration else dataset(network, "calibration")
            return Data(images=_first(dataset(network, "test"), images), calibration=ranges, files={})
        if images is not None:
            return _drawn(graph, images, seed)
        note = "cost only: this topology has no trained weights; --images N computes the integers of N drawn images"
        return Data(images=None, calibration=None, files={}, notes=(note,))
    if inputs is None:
        shown = read_npz(calibration) if calibration else None
        note = "cost only: give --inputs images.npz to compute integers, errors and metrics"
        return Data(images=None, calibration=shown, files={}, notes=(note,))
    given = read_npz(inputs)
    arrays = _first(given, images)
    _check_names(graph, arrays, inputs)
    ignored = [name for name in arrays if name not in (*graph.inputs, "labels")]
    notes = (f"keys of {inputs.name} that are no input were left out: {', '.join(ignored)}",) if ignored else ()
    arrays = {name: array for name, array in arrays.items() if name not in ignored}
    files = {"inputs": inputs}
    if calibration is not None:
        files["calibration"] = calibration
        return Data(images=arrays, calibration=read_npz(calibration), files=files, notes=notes)
    if graph.is_quantized:
        return Data(images=arrays, calibration=None, files=files, notes=notes)
    shown = _first({name: given[name] for name in graph.inputs}, CALIBRATION_IMAGES)  # whatever --images runs
    count = len(shown[graph.inputs[0]])
    note = f"ranges were set on the first {count} images of --inputs; --calibration takes others"
    return Data(images=arrays, calibration=shown, files=files, notes=(*notes, note))


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz without pickles; raise HwsimError for anything else."""
    import numpy as np

    if not path.is_file():
        what = "is a folder" if path.is_dir() else "no such file"
        raise HwsimError(f"{path}: {what}; give an .npz whose keys are the network's input names")
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise HwsimError(f"{path}: holds one unnamed array; save it with numpy.savez(path, input_name=array)")
            arrays = {name: archive[name] for name in archive.files}
    except HwsimError:
        raise
    except Exception as error:  # numpy, zipfile, zlib and tokenize each raise kinds of their own on damaged bytes
        raise HwsimError(
            f"{path}: is not a readable .npz archive of plain arrays ({type(error).__name__}); write it with numpy.savez"
        ) from None
    if not arrays:
        raise HwsimError(f"{path}: is empty; save the images with numpy.savez(path, input_name=array)")
    scalars = [name for name, array in arrays.items() if array.ndim == 0]
    if scalars:
        raise HwsimError(f"{path}: {scalars[0]!r} is a single number; dimension 0 of every array must count the images")
    return arrays


def _check_names(graph: Graph, arrays: dict[str, np.ndarray], path: Path) -> None:
    missing = [name for name in graph.inputs if name not in arrays]
    if missing:
        raise HwsimError(
            f"{path}: has keys {', '.join(sorted(arrays))} but {graph.name} needs {', '.join(graph.inputs)}; "
            f"save the array under the input's name"
        )


def _first(arrays: dict[str, Any], count: int | None) -> dict[str, Any]:
    return arrays if count is None else {name: array[:count] for name, array in arrays.items()}


def _drawn(graph: Graph, images: int, seed: int) -> Data:
    from hwsim.zoo import natural_images

    name = graph.inputs[0]
    shape = graph.tensors[name].shape[1:]
    channels, height, width = shape
    drawn = natural_images(images, channels, height, width, seed=seed)
    shown = natural_images(DRAWN_CALIBRATION_IMAGES, channels, height, width, seed=seed + 1)
    note = f"the {images} images are drawn from seed {seed}, not photographs"
    return Data(images={name: drawn}, calibration={name: shown}, files={}, notes=(note,))


def resolved_command() -> str:
    """Return the command line as typed."""
    import shlex

    return shlex.join(["hwsim", *sys.argv[1:]])


def with_notes(graph: Graph, notes: tuple[str, ...]) -> Graph:
    """Return the graph with more notes."""
    return replace(graph, notes=(*graph.notes, *notes))


def energy_provenance(accelerator: Accelerator) -> list[dict[str, Any]]:
    """Return where each price of the machine's energy table comes from, as rows for the report."""
    from dataclasses import asdict

    from hwsim.energy import load_table

    return [asdict(row) for row in load_table(accelerator.energy_table).provenance()]
