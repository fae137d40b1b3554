"""Shape rules of operators that move, join, cut or reduce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from hwsim.errors import GraphError
from hwsim.interchange.shapes.common import Shape, text


def concat(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Concat; an operand with one row in dimension 0 is repeated over the batch where another axis is joined."""
    axis = attributes["axis"]
    batch = max(shape[0] for shape in shapes)
    result = list(shapes[0])
    for shape in shapes:
        if len(shape) != len(result):
            raise GraphError(f"the operands {' and '.join(map(text, shapes))} differ in rank")
        for dim, size in enumerate(shape):
            if dim != axis and size != result[dim] and not (dim == 0 and {size, result[0]} <= {1, batch}):
                raise GraphError(f"the operands {' and '.join(map(text, shapes))} differ outside of axis {axis}")
    if axis != 0:
        result[0] = batch
    result[axis] = sum(shape[axis] for shape in shapes)
    return [tuple(result)]


def reduce_mean(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """ReduceMean over ``axes``."""
    axes = attributes["axes"]
    if attributes["keepdims"]:
        return [tuple(1 if dim in axes else size for dim, size in enumerate(shapes[0]))]
    return [tuple(size for dim, size in enumerate(shapes[0]) if dim not in axes)]


def resize(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Resize of the last two dimensions."""
    return [(*shapes[0][:-2], *attributes["output_size"])]


def depth_to_space(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """DepthToSpace: channels shrink by blocksize squared."""
    batch, channels, height, width = shapes[0]
    block = attributes["blocksize"]
    if channels % (block * block):
        raise GraphError(f"{channels} channels do not divide by blocksize squared, {block * block}")
    return [(batch, channels // (block * block), height * block, width * block)]


def pad(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Pad; pads are ((before, after), ...)."""
    return [tuple(size + before + after for size, (before, after) in zip(shapes[0], attributes["pads"], strict=True))]


def reshape(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Reshape: 0 copies a dimension, one -1 is inferred."""
    target = attributes["shape"]
    if any(size == 0 and dim >= len(shapes[0]) for dim, size in enumerate(target)):
        raise GraphError(f"the target {text(target)} copies a dimension that the input {text(shapes[0])} does not have")
    sizes = [shapes[0][dim] if size == 0 else size for dim, size in enumerate(target)]
    total, known = prod(shapes[0]), prod(size for size in sizes if size != -1)
    if sizes.count(-1) == 1 and known and total % known == 0:
        sizes[sizes.index(-1)] = total // known
    if -1 in sizes or prod(sizes) != total:
        raise GraphError(f"an input of shape {text(shapes[0])} cannot be reshaped to {text(target)}")
    return [tuple(sizes)]


def flatten(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Flatten into two dimensions at ``axis``."""
    axis = attributes["axis"]
    return [(prod(shapes[0][:axis]), prod(shapes[0][axis:]))]


def squeeze(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Remove dimensions of size 1."""
    for axis in attributes["axes"]:
        if shapes[0][axis] != 1:
            raise GraphError(f"axis {axis} of the input {text(shapes[0])} is not 1 and cannot be squeezed")
    return [tuple(size for dim, size in enumerate(shapes[0]) if dim not in attributes["axes"])]


def unsqueeze(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Insert dimensions of size 1 at ``axes`` of the output."""
    axes = attributes["axes"]
    sizes = iter(shapes[0])
    return [tuple(1 if dim in axes else next(sizes) for dim in range(len(shapes[0]) + len(axes)))]


def transpose(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Permute dimensions."""
    return [tuple(shapes[0][dim] for dim in attributes["permutation"])]


def slice_(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Slice; normalized bounds as in a Python slice."""
    result = list(shapes[0])
    for start, end, axis, step in zip(*(attributes[key] for key in ("starts", "ends", "axes", "steps")), strict=True):
        result[axis] = len(range(*slice(start, end, step).indices(shapes[0][axis])))
        if not result[axis]:
            raise GraphError(f"the slice [{start}:{end}:{step}] of axis {axis} of {text(shapes[0])} is empty")
    return [tuple(result)]


def split(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Split along ``axis`` into ``sizes``."""
    axis, sizes = attributes["axis"], attributes["sizes"]
    if sum(sizes) != shapes[0][axis]:
        raise GraphError(f"the parts {text(sizes)} do not add up to {shapes[0][axis]}, axis {axis} of the input")
    return [(*shapes[0][:axis], size, *shapes[0][axis + 1 :]) for size in sizes]


def gather(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Gather: the indices' shape replaces ``axis``."""
    axis = attributes["axis"]
    return [(*shapes[0][:axis], *shapes[1], *shapes[0][axis + 1 :])]
