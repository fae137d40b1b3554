"""Resize and Upsample: two spatial dimensions, scales and output sizes both explicit."""

from __future__ import annotations

import numpy as np

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, integers
from hwsim.interchange.onnx.normalize.spatial import emit_lifted, lift
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text

_COORDINATES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")
_NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def resize(operator: Operator, draft: Draft) -> None:
    """Resize to nearest or by linear interpolation, of the spatial dimensions."""
    mode = operator.get("mode", "nearest")
    coordinates = operator.get("coordinate_transformation_mode", "half_pixel")
    nearest = operator.get("nearest_mode", "round_prefer_floor")
    if mode not in ("nearest", "linear"):
        raise GraphError(f"mode {mode!r} is not supported; use nearest or linear")
    if coordinates not in _COORDINATES:
        raise GraphError(
            f"coordinate_transformation_mode {coordinates!r} is not supported; use {', '.join(_COORDINATES)}"
        )
    if nearest not in _NEAREST:
        raise GraphError(f"nearest_mode must be one of {', '.join(_NEAREST)}, not {nearest!r}")
    shape = draft.shape(operator.inputs[0])
    scales, sizes = _scales_and_sizes(operator, draft, shape)
    if operator.get("antialias", 0) and min(scales) < 1:
        raise GraphError("antialias is not supported; export the model without it")
    _emit(operator, draft, scales, sizes, mode, coordinates, nearest)


def _scales_and_sizes(
    operator: Operator, draft: Draft, shape: tuple[int, ...]
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Return scale and output size for every dimension of the input."""
    axes = tuple(positive_axis(axis, len(shape)) for axis in operator.get("axes") or range(len(shape)))
    wanted = integers(operator, draft, "sizes", 3) or None
    scales, sizes = [1.0] * len(shape), list(shape)
    if wanted:
        ratios = {axis: size / shape[axis] for axis, size in zip(axes, wanted, strict=True)}
        policy = operator.get("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch":
            common = (min if policy == "not_larger" else max)(ratios.values())
            ratios = dict.fromkeys(axes, common)
            wanted = tuple(int(np.floor(common * shape[axis] + 0.5)) for axis in axes)
        for axis, size in zip(axes, wanted, strict=True):
            batch = axis == 0 and size == draft.batch
            scales[axis], sizes[axis] = (1.0, shape[0]) if batch else (ratios[axis], size)
    else:
        index = 2 if operator.opset >= 11 else 1
        given = draft.constant(operator.inputs[index], "scales").reshape(-1) if operator.has(index) else np.empty(0)
        if not given.size:
            raise GraphError("it has neither scales nor sizes; export the model again")
        for axis, factor in zip(axes, given.astype(np.float32), strict=True):
            scales[axis], sizes[axis] = float(factor), int(np.floor(np.float32(shape[axis]) * factor))
    return tuple(scales), tuple(sizes)


def _emit(
    operator: Operator, draft: Draft, scales: tuple[float, ...], sizes: tuple[int, ...], mode: str, coordinates: str,
    nearest: str,
) -> None:  # fmt: skip
    shape = draft.shape(operator.inputs[0])
    if sizes[:2] != shape[:2] or len(shape) not in (3, 4):
        raise GraphError(
            f"it resizes {text(shape)} to {text(sizes)}; only the height and width of [batch, channels, height, width] can be resized"
        )
    lifted = lift(operator, draft)
    emit_lifted(
        operator, draft, lifted, [lifted.tensor], op="Resize",
        mode=mode, coordinate_transformation_mode=coordinates, nearest_mode=nearest,
        scales=(1.0, *scales[2:])[-2:], output_size=(1, *sizes[2:])[-2:],
    )  # fmt: skip


def old_resize(operator: Operator, draft: Draft) -> None:
    """Resize of operator set 10, and Upsample: asymmetric coordinates, nearest by floor when it enlarges."""
    if "scales" in operator.attributes:
        scales = np.array(operator.get("scales"), np.float32)
        name = draft.add_constant(f"{operator.outputs[0]}/scales", scales)
        operator = operator.changed(inputs=(operator.inputs[0], name))
    mode = operator.get("mode", "nearest")
    given = draft.constant(operator.inputs[1], "scales")
    attributes = {
        "mode": "linear" if mode == "bilinear" else mode,
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "ceil" if (given < 1).any() else "floor",
    }
    resize(operator.changed(attributes=attributes, opset=10), draft)


def any_resize(operator: Operator, draft: Draft) -> None:
    """Resize of every operator set."""
    (resize if operator.opset >= 11 else old_resize)(operator, draft)


NORMALIZERS: dict[str, Normalizer] = {"Resize": any_resize, "Upsample": old_resize}
