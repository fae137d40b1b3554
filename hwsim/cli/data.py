"""From the options of a verb to images: those to run, and those that set the ranges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwsim.cli.groups import Images
from hwsim.errors import HwsimError

if TYPE_CHECKING:
    import numpy as np

    from hwsim.graph import Graph

CALIBRATION_IMAGES = 64
DRAWN_CALIBRATION_IMAGES = 4
RANGES_ONLY = "ranges were set on"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Data:
    """Images to run, images to calibrate on, and the files they came from; ``images`` None means cost only."""

    images: dict[str, np.ndarray] | None
    calibration: dict[str, np.ndarray] | None
    files: dict[str, Path]
    notes: tuple[str, ...] = ()


def find_data(network: str, graph: Graph, stated: Images, seed: int, *, use: str | None = RANGES_ONLY) -> Data:
    """Find the images: the files given, else those bundled with a trained network, else drawn ones if asked for.

    ``use`` tells what calibration images are for, in a note where they are taken from ``inputs``; None: they are not looked at.
    """
    from hwsim.zoo import dataset, entry, names

    inputs, calibration, images = stated.inputs, stated.calibration, stated.images
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
    if graph.is_quantized or use is None:
        return Data(images=arrays, calibration=None, files=files, notes=notes)
    shown = _first({name: given[name] for name in graph.inputs}, CALIBRATION_IMAGES)  # whatever --images runs
    count = len(shown[graph.inputs[0]])
    seen_twice = "" if use == RANGES_ONLY else ", which are also among those measured"
    note = f"{use} the first {count} images of --inputs{seen_twice}; --calibration takes others"
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
