"""Operators that change only the shape or the order of dimensions."""

from __future__ import annotations

from collections.abc import Callable

from hwsim.errors import GraphError
from hwsim.interchange.reading.batch import any_batch
from hwsim.interchange.tflite.layout import CHANNELS_FIRST, identity
from hwsim.interchange.tflite.normalize.common import Normalizer, in_order, natural_layout
from hwsim.interchange.tflite.normalize.spatial import height_and_width
from hwsim.interchange.tflite.reading import Reading
from hwsim.interchange.tflite.records import FileOperator
from hwsim.interchange.tflite.result import emit_alias, emit_result
from hwsim.interchange.tflite.shapes import expanded_shape, permutation_of, reshaped_shape, squeezed_shape

_TARGETS: dict[str, Callable[[Reading, FileOperator], tuple[int, ...]]] = {
    "RESHAPE": reshaped_shape,
    "SQUEEZE": squeezed_shape,
    "EXPAND_DIMS": expanded_shape,
}


def reshape(operator: FileOperator, reading: Reading) -> None:
    """RESHAPE, SQUEEZE and EXPAND_DIMS read the file's order of elements; the target holds for every batch."""
    draft, index = reading.draft, operator.outputs[0]
    shape = _TARGETS[operator.code](reading, operator)
    layout = natural_layout(reading, index, shape)
    source = in_order(reading, operator.inputs[0])
    target = tuple(shape[axis] for axis in layout)
    stored, behind = any_batch(draft.shape(source), target, draft.places.get(source), draft.batch)
    before = len(draft.nodes)
    emit_result(reading, operator, "Reshape", [source], layout, shape=stored)
    if behind is not None:
        draft.places.update({name: behind for node in draft.nodes[before:] for name in node.outputs})


def transpose(operator: FileOperator, reading: Reading) -> None:
    """TRANSPOSE: one permutation from the input's layout to the result's, nothing where that is the identity."""
    x, index = operator.inputs[0], operator.outputs[0]
    own = reading.layout(x)
    permutation = permutation_of(reading, operator)

    def order(layout: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(own.index(permutation[axis]) for axis in layout)

    rank = len(own)
    layouts = [identity(rank), CHANNELS_FIRST] if rank == len(CHANNELS_FIRST) else [identity(rank)]
    if index in reading.wanted:
        layouts.reverse()
    layout = next((layout for layout in layouts if order(layout) == identity(rank)), layouts[0])
    if order(layout) == identity(rank):
        emit_alias(reading, index, reading.operand(x), layout)
    else:
        emit_result(reading, operator, "Transpose", [reading.operand(x)], layout, permutation=order(layout))


def depth_to_space(operator: FileOperator, reading: Reading) -> None:
    """DEPTH_TO_SPACE: the block comes from the outer channels."""
    height_and_width(reading, operator.inputs[0])
    source = reading.operand(operator.inputs[0], CHANNELS_FIRST)
    block = _block(operator)
    emit_result(reading, operator, "DepthToSpace", [source], CHANNELS_FIRST, blocksize=block, mode="DCR")


def space_to_depth(operator: FileOperator, reading: Reading) -> None:
    """SPACE_TO_DEPTH: cut height and width into blocks, and let a block's places become the outer channels."""
    x, block = operator.inputs[0], _block(operator)
    height, width = height_and_width(reading, x)
    if height % block or width % block:
        raise GraphError(f"height {height} and width {width} do not divide by the block of {block}")
    source = reading.operand(x, CHANNELS_FIRST)
    batch, channels = reading.draft.shape(source)[:2]
    name = reading.names[operator.outputs[0]]
    blocks, turned = reading.fresh(f"{name}/blocks"), reading.fresh(f"{name}/turned")
    cut = (batch, channels, height // block, block, width // block, block)
    reading.reshape(blocks, source, blocks, cut)
    reading.emit("Transpose", turned, [blocks], [turned], permutation=(0, 3, 5, 1, 2, 4))
    target = (batch, channels * block * block, height // block, width // block)
    place = reading.draft.places.get(turned)
    stored, _ = any_batch(reading.draft.shape(turned), target, place, reading.draft.batch)
    emit_result(reading, operator, "Reshape", [turned], CHANNELS_FIRST, shape=stored)


def _block(operator: FileOperator) -> int:
    block = int(operator.get("block_size"))
    if block < 1:
        raise GraphError(f"block_size must be positive, not {block}")
    return block


NORMALIZERS: dict[str, Normalizer] = {
    **dict.fromkeys(_TARGETS, reshape),
    "TRANSPOSE": transpose,
    "DEPTH_TO_SPACE": depth_to_space,
    "SPACE_TO_DEPTH": space_to_depth,
}
