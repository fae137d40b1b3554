"""The option tables of the operators that are read: class in the schema, and its fields by their schema names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tflite

from hwsim.errors import GraphError

_ACTIVATION = ("fused_activation_function",)
_CONV = ("padding", "stride_w", "stride_h", "dilation_w_factor", "dilation_h_factor", *_ACTIVATION)
_POOL = ("padding", "stride_w", "stride_h", "filter_width", "filter_height", *_ACTIVATION)
_RESIZE = ("align_corners", "half_pixel_centers")

_TABLES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", _CONV),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_CONV, "depth_multiplier")),
    "TRANSPOSE_CONV": ("TransposeConvOptions", ("padding", "stride_w", "stride_h", *_ACTIVATION)),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("weights_format", "keep_num_dims", *_ACTIVATION)),
    "BATCH_MATMUL": ("BatchMatMulOptions", ("adj_x", "adj_y")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "ADD": ("AddOptions", (*_ACTIVATION, "pot_scale_int16")),
    "SUB": ("SubOptions", (*_ACTIVATION, "pot_scale_int16")),
    "MUL": ("MulOptions", _ACTIVATION),
    "DIV": ("DivOptions", _ACTIVATION),
    "CONCATENATION": ("ConcatenationOptions", ("axis", *_ACTIVATION)),
    "MEAN": ("ReducerOptions", ("keep_dims",)),
    "REDUCE_PROD": ("ReducerOptions", ("keep_dims",)),
    "RESHAPE": ("ReshapeOptions", ("new_shape",)),
    "SQUEEZE": ("SqueezeOptions", ("squeeze_dims",)),
    "MIRROR_PAD": ("MirrorPadOptions", ("mode",)),
    "SOFTMAX": ("SoftmaxOptions", ("beta",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("alpha",)),
    "GELU": ("GeluOptions", ("approximate",)),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "offset"),
    ),
    "SPLIT": ("SplitOptions", ("num_splits",)),
    "SPLIT_V": ("SplitVOptions", ("num_splits",)),
    "PACK": ("PackOptions", ("values_count", "axis")),
    "UNPACK": ("UnpackOptions", ("num", "axis")),
    "GATHER": ("GatherOptions", ("axis", "batch_dims")),
    "RESIZE_BILINEAR": ("ResizeBilinearOptions", _RESIZE),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", _RESIZE),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("block_size",)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("block_size",)),
}


def read_options(code: str, operator: Any) -> dict[str, Any]:
    """Return the options of the flatbuffer table ``operator``; empty where it has none or its row is not known.

    Raises:
        GraphError: options of another operator, which only a broken file has.
    """
    if code not in _TABLES or operator.BuiltinOptions() is None:
        return {}
    name, fields = _TABLES[code]
    kind = operator.BuiltinOptionsType()
    if kind == tflite.BuiltinOptions.NONE:
        return {}
    if kind != getattr(tflite.BuiltinOptions, name):
        raise GraphError(f"operator {code} carries options of another operator (number {kind}, not {name})")
    table = getattr(tflite, name)()
    table.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return {field: _value(table, field) for field in fields}


def _value(table: Any, field: str) -> Any:
    """Return one field; vectors as tuples."""
    accessor = "".join(part.capitalize() for part in field.split("_"))
    if hasattr(table, f"{accessor}AsNumpy"):
        count = getattr(table, f"{accessor}Length")()
        return tuple(int(value) for value in getattr(table, f"{accessor}AsNumpy")()) if count else ()
    return getattr(table, accessor)()
