"""The operators hwsim knows, as rows of data: what kind of work each is and which attributes its node carries.

Layout is that of ONNX: activations ``[batch, channels, height, width]``, convolution weights
``[out_channels, in_channels / groups, kernel_height, kernel_width]`` (ConvTranspose ``[in, out / groups, kh, kw]``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Work(StrEnum):
    """Where an operator's work is done and in which arithmetic."""

    GEMM = "gemm"  # the array: integer products and sums
    INTEGER = "integer"  # the vector unit, in integers with the machine's requantizer
    TABLE = "table"  # the vector unit: one input element, one look-up
    FLOAT = "float"  # the vector unit, in float32: dequantize, compute, quantize
    MOVE = "move"  # no arithmetic: the same codes elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class OpSpec:
    """Facts of one operator.

    Args:
        work: see ``Work``.
        attributes: names every node of this operator carries, normalized by the frontend.
        same_grid: the output has the grid of the first input (no arithmetic that changes a scale).
        operations: vector operations per output element, for the cost model (kind as in the energy table, count);
            ``window`` multiplies by the elements reduced into one output.
    """

    work: Work
    attributes: tuple[str, ...] = ()
    same_grid: bool = False
    operations: tuple[tuple[str, int], ...] = ()
    window: bool = False


_CONV = ("kernel", "strides", "pads", "dilations", "groups")
_POOL = ("kernel", "strides", "pads", "ceil_mode")
_UNARY = (("lookup", 1),)

OPS: dict[str, OpSpec] = {
    # kernel, strides, dilations: (height, width); pads: (top, left, bottom, right); groups: int
    "Conv": OpSpec(work=Work.GEMM, attributes=_CONV),  # x, weight[, bias]
    "ConvTranspose": OpSpec(work=Work.GEMM, attributes=(*_CONV, "output_padding")),
    "Gemm": OpSpec(
        work=Work.GEMM
    ),  # y = x @ weight + bias: x [m, k], weight [k, n] (frontend resolves trans/alpha/beta)
    "MatMul": OpSpec(work=Work.GEMM),  # batched; either operand may be a constant
    "Add": OpSpec(work=Work.INTEGER, operations=(("multiply", 2), ("add", 1))),
    "Sub": OpSpec(work=Work.INTEGER, operations=(("multiply", 2), ("add", 1))),
    "Sum": OpSpec(work=Work.INTEGER, operations=(("multiply", 2), ("add", 1))),
    "Mul": OpSpec(work=Work.INTEGER, operations=(("multiply", 1),)),
    "Concat": OpSpec(work=Work.INTEGER, attributes=("axis",)),
    "MaxPool": OpSpec(
        work=Work.INTEGER, attributes=(*_POOL, "dilations"), same_grid=True, operations=(("compare", 1),), window=True
    ),
    "AveragePool": OpSpec(
        work=Work.INTEGER, attributes=(*_POOL, "dilations", "count_include_pad"), operations=(("add", 1),), window=True
    ),
    "GlobalAveragePool": OpSpec(work=Work.INTEGER, operations=(("add", 1),), window=True),
    "GlobalMaxPool": OpSpec(work=Work.INTEGER, same_grid=True, operations=(("compare", 1),), window=True),
    "ReduceMean": OpSpec(work=Work.INTEGER, attributes=("axes", "keepdims"), operations=(("add", 1),), window=True),
    "Relu": OpSpec(work=Work.TABLE, operations=(("compare", 1),)),
    "Clip": OpSpec(work=Work.TABLE, attributes=("minimum", "maximum"), operations=(("compare", 2),)),
    "LeakyRelu": OpSpec(work=Work.TABLE, attributes=("alpha",), operations=_UNARY),
    "PRelu": OpSpec(work=Work.FLOAT, operations=(("compare", 1), ("multiply", 1))),  # x, slope
    "Sigmoid": OpSpec(work=Work.TABLE, operations=_UNARY),
    "HardSigmoid": OpSpec(work=Work.TABLE, attributes=("alpha", "beta"), operations=_UNARY),
    "HardSwish": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Tanh": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Gelu": OpSpec(work=Work.TABLE, attributes=("approximate",), operations=_UNARY),
    "Erf": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Sqrt": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Exp": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Neg": OpSpec(work=Work.TABLE, operations=_UNARY),
    "Pow": OpSpec(work=Work.FLOAT, operations=(("multiply", 1),)),
    "Div": OpSpec(work=Work.FLOAT, operations=(("divide", 1),)),
    # x, y, condition: x where the condition is not 0, else y; all three broadcast
    "Where": OpSpec(work=Work.FLOAT, operations=(("compare", 1),)),
    "Softmax": OpSpec(
        work=Work.FLOAT, attributes=("axis",), operations=(("exp", 1), ("add", 1), ("divide", 1), ("compare", 1))
    ),
    # x, scale[, bias]; normalized over the dimensions from axis on
    "LayerNormalization": OpSpec(
        work=Work.FLOAT, attributes=("axis", "epsilon"), operations=(("multiply", 3), ("add", 3))
    ),
    # x, scale, bias, mean, variance
    "BatchNormalization": OpSpec(work=Work.FLOAT, attributes=("epsilon",), operations=(("multiply", 1), ("add", 1))),
    "LRN": OpSpec(
        work=Work.FLOAT,
        attributes=("alpha", "beta", "bias", "size"),
        operations=(("multiply", 4), ("add", 3), ("exp", 1)),
    ),
    # mode nearest|linear, coordinate_transformation_mode, nearest_mode; output_size (h, w), scales (h, w)
    "Resize": OpSpec(
        work=Work.FLOAT,
        attributes=("mode", "coordinate_transformation_mode", "nearest_mode", "scales", "output_size"),
        operations=(("multiply", 4), ("add", 3)),
    ),
    "DepthToSpace": OpSpec(work=Work.MOVE, attributes=("blocksize", "mode"), same_grid=True),
    # pads: numpy order ((before, after), ...); mode constant|reflect|edge; value real
    "Pad": OpSpec(work=Work.MOVE, attributes=("pads", "mode", "value"), same_grid=True),
    "Reshape": OpSpec(work=Work.MOVE, attributes=("shape",), same_grid=True),  # 0 copies a dimension, -1 infers one
    "Flatten": OpSpec(work=Work.MOVE, attributes=("axis",), same_grid=True),
    "Squeeze": OpSpec(work=Work.MOVE, attributes=("axes",), same_grid=True),
    "Unsqueeze": OpSpec(work=Work.MOVE, attributes=("axes",), same_grid=True),
    "Transpose": OpSpec(work=Work.MOVE, attributes=("permutation",), same_grid=True),
    "Slice": OpSpec(work=Work.MOVE, attributes=("starts", "ends", "axes", "steps"), same_grid=True),
    "Split": OpSpec(work=Work.MOVE, attributes=("axis", "sizes"), same_grid=True),
    "Gather": OpSpec(work=Work.MOVE, attributes=("axis",), same_grid=True),  # x, constant integer indices
    "Identity": OpSpec(work=Work.MOVE, same_grid=True),
    # to the grid of the output, or to real values where it has none: QuantizeLinear, DequantizeLinear and both in a row
    "Quantize": OpSpec(work=Work.TABLE, operations=(("multiply", 1),)),
    # x; uint8 codes, their scale and zero point: the range of the whole tensor decides at run time
    "DynamicQuantizeLinear": OpSpec(work=Work.FLOAT, operations=(("compare", 2), ("divide", 1), ("add", 1))),
    # x; its codes on a grid of scale 1, and the scale of every index of the dimensions before axis, found at run time
    "DynamicQuantize": OpSpec(
        work=Work.FLOAT,
        attributes=("axis", "format"),
        operations=(("compare", 1), ("divide", 1)),
    ),
    # x, scale that broadcasts[, bias]: x * scale + bias, where a scale was found at run time
    "Rescale": OpSpec(work=Work.FLOAT, operations=(("multiply", 1), ("add", 1))),
    # x, constant thresholds [channels or 1, count]: y = offset + factor * #{i : x >= T_i}; axis: the channels of x
    "MultiThreshold": OpSpec(work=Work.TABLE, attributes=("axis", "factor", "offset"), operations=(("compare", 1),)),
    # x[, zero point]; the same codes, read on the grid of the output: real y = factor * x + offset - zero point
    "Reinterpret": OpSpec(work=Work.MOVE, attributes=("factor", "offset")),
}
