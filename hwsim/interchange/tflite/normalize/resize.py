"""RESIZE_BILINEAR as a row of Resize, RESIZE_NEAREST_NEIGHBOR as that or as what it picks."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.tflite.layout import CHANNELS_FIRST
from hwsim.interchange.tflite.normalize.common import Normalizer
from hwsim.interchange.tflite.normalize.spatial import Pair, height_and_width
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_alias, emit_result

LARGEST_PICKED = 2**24  # rows or columns; float32 counts them exactly


def _options(operator: FileOperator, reading: Reading) -> tuple[Pair, bool, bool]:
    """Return the wanted height and width, align_corners and half_pixel_centers."""
    size = reading.integers(operator.inputs[1], "size")
    aligned, half = bool(operator.get("align_corners")), bool(operator.get("half_pixel_centers"))
    if len(size) != 2 or min(size) < 1 or max(size) > LARGEST_PICKED:
        raise GraphError(f"size must be height and width, 1 to {LARGEST_PICKED}, not {list(size)}")
    if aligned and half:
        raise GraphError("align_corners and half_pixel_centers exclude one another; convert the model again")
    return (size[0], size[1]), aligned, half


def _emit_resize(operator: FileOperator, reading: Reading, size: Pair, mode: str, coordinates: str) -> None:
    height, width = height_and_width(reading, operator.inputs[0])
    emit_result(
        reading, operator, "Resize", [reading.operand(operator.inputs[0], CHANNELS_FIRST)], CHANNELS_FIRST,
        mode=mode, coordinate_transformation_mode=coordinates, nearest_mode="floor",
        scales=(size[0] / height, size[1] / width), output_size=size,
    )  # fmt: skip


def resize_bilinear(operator: FileOperator, reading: Reading) -> None:
    """RESIZE_BILINEAR."""
    size, aligned, half = _options(operator, reading)
    coordinates = "align_corners" if aligned else "half_pixel" if half else "asymmetric"
    _emit_resize(operator, reading, size, "linear", coordinates)


def resize_nearest(operator: FileOperator, reading: Reading) -> None:
    """RESIZE_NEAREST_NEIGHBOR: repetition where that is what it does, else one Gather of rows and one of columns.

    The runtime computes places in float32, so that it sometimes picks a neighbour of the nearest element.
    """
    x, index = operator.inputs[0], operator.outputs[0]
    given = height_and_width(reading, x)
    size, aligned, half = _options(operator, reading)
    picks = [
        nearest_places(length, target, aligned=aligned, half=half) for length, target in zip(given, size, strict=True)
    ]
    if all(_repeats(found, length) for found, length in zip(picks, given, strict=True)):
        _emit_resize(operator, reading, size, "nearest", "asymmetric")
        return
    source, name = reading.operand(x, CHANNELS_FIRST), reading.names[index]
    changed = [
        (axis, found)
        for axis, found, length in zip((2, 3), picks, given, strict=True)
        if found.tolist() != list(range(length))
    ]
    for axis, found in changed[:-1]:
        target = reading.fresh(f"{name}/rows")
        places = reading.add_constant(f"{name}/row_places", found)
        reading.emit("Gather", target, [source, places], [target], axis=axis)
        source = target
    if not changed:
        emit_alias(reading, index, source, CHANNELS_FIRST)
        return
    axis, found = changed[-1]
    places = reading.add_constant(f"{name}/places", found)
    emit_result(reading, operator, "Gather", [source, places], CHANNELS_FIRST, axis=axis)


def nearest_places(length: int, target: int, *, aligned: bool, half: bool) -> np.ndarray:
    """Return the element that each of ``target`` results picks out of ``length``, int64, as the runtime computes it.

    ``floor((place + offset) * scale)``, of aligned corners rounded instead, every operation in float32
    (``resize_nearest_neighbor.h: GetNearestNeighbor``).

    >>> nearest_places(3, 6, aligned=False, half=False).tolist(), nearest_places(3, 5, aligned=True, half=False).tolist()
    ([0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 2])
    """
    corners = aligned and target > 1
    scale = np.float32(length - corners) / np.float32(target - corners)
    places = (np.arange(target, dtype=np.float32) + np.float32(0.5 if half else 0.0)) * scale
    whole = np.floor(places.astype(np.float64) + 0.5) if aligned else np.floor(places)
    return np.clip(whole, 0, length - 1).astype(np.int64)


def _repeats(picks: np.ndarray, length: int) -> bool:
    """Whether the result repeats every element equally often, which is what the row of Resize computes exactly."""
    times, rest = divmod(picks.size, length)
    return not rest and bool((picks == np.arange(picks.size) // times).all())


NORMALIZERS: dict[str, Normalizer] = {"RESIZE_BILINEAR": resize_bilinear, "RESIZE_NEAREST_NEIGHBOR": resize_nearest}
