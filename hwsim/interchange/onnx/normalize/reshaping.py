"""Operators that change only the shape or the order of dimensions."""

from __future__ import annotations

from hwsim.errors import GraphError
from hwsim.interchange.onnx.normalize.common import Normalizer, integers
from hwsim.interchange.onnx.operator import Operator, positive_axis
from hwsim.interchange.reading.batch import any_batch
from hwsim.interchange.reading.draft import Draft
from hwsim.interchange.shapes.common import text


def reshape(operator: Operator, draft: Draft) -> None:
    """Reshape, with a target that holds for every batch."""
    shape = draft.shape(operator.inputs[0])
    target = integers(operator, draft, "shape", 1)
    if target is None:
        raise GraphError("its target shape is missing; export the model again")
    if operator.get("allowzero", 0) and 0 in target:
        raise GraphError(f"a target {text(target)} without elements is not supported")
    place = draft.places.get(operator.inputs[0])
    stored, behind = any_batch(shape, target, place, draft.batch)
    draft.emit("Reshape", operator.name, operator.inputs[:1], operator.outputs, shape=stored)
    if behind is not None:
        draft.places[operator.outputs[0]] = behind


def flatten(operator: Operator, draft: Draft) -> None:
    """Flatten; the axis may be the rank itself."""
    rank = len(draft.shape(operator.inputs[0]))
    axis = operator.get("axis", 1)
    axis = rank if axis == rank else positive_axis(axis, rank)
    draft.emit("Flatten", operator.name, operator.inputs, operator.outputs, axis=axis)


def squeeze(operator: Operator, draft: Draft) -> None:
    """Squeeze; without axes every dimension of size 1."""
    shape = draft.shape(operator.inputs[0])
    axes = integers(operator, draft, "axes", 1)
    if axes is None:
        axes = tuple(dim for dim, size in enumerate(shape) if size == 1)
    normalized = tuple(sorted({positive_axis(axis, len(shape)) for axis in axes}))
    draft.emit("Squeeze", operator.name, operator.inputs[:1], operator.outputs, axes=normalized)


def unsqueeze(operator: Operator, draft: Draft) -> None:
    """Unsqueeze; axes count in the output."""
    axes = integers(operator, draft, "axes", 1) or ()
    rank = len(draft.shape(operator.inputs[0])) + len(axes)
    normalized = tuple(sorted({positive_axis(axis, rank) for axis in axes}))
    if len(normalized) != len(axes):
        raise GraphError(f"the axes {text(axes)} repeat")
    draft.emit("Unsqueeze", operator.name, operator.inputs[:1], operator.outputs, axes=normalized)


def transpose(operator: Operator, draft: Draft) -> None:
    """Transpose; without a permutation it reverses the dimensions."""
    rank = len(draft.shape(operator.inputs[0]))
    permutation = tuple(positive_axis(axis, rank) for axis in operator.get("perm") or range(rank - 1, -1, -1))
    if sorted(permutation) != list(range(rank)):
        raise GraphError(f"perm {text(permutation)} is no permutation of {rank} dimensions")
    draft.emit("Transpose", operator.name, operator.inputs, operator.outputs, permutation=permutation)


def depth_to_space(operator: Operator, draft: Draft) -> None:
    """DepthToSpace."""
    mode = operator.get("mode", "DCR")
    if len(draft.shape(operator.inputs[0])) != 4 or mode not in ("DCR", "CRD"):
        raise GraphError("it needs an input [batch, channels, height, width] and the mode DCR or CRD")
    draft.emit(
        "DepthToSpace", operator.name, operator.inputs, operator.outputs,
        blocksize=int(operator.get("blocksize")), mode=mode,
    )  # fmt: skip


NORMALIZERS: dict[str, Normalizer] = {
    "Reshape": reshape,
    "Flatten": flatten,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Transpose": transpose,
    "DepthToSpace": depth_to_space,
}
