"""Shape rules of operators that slide a window: convolution and pooling, ``[batch, channels, height, width]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hwsim.errors import GraphError
from hwsim.graph.window import window_count
from hwsim.interchange.shapes.common import Shape, expect_rank, text


def _windows(attributes: Mapping[str, Any], spatial: Shape) -> Shape:
    top, left, bottom, right = attributes["pads"]
    dilations = attributes.get("dilations", (1, 1))
    return tuple(
        window_count(
            size, kernel=kernel, stride=stride, before=before, after=after, dilation=dilation,
            ceil_mode=attributes.get("ceil_mode", False),
        )
        for size, kernel, stride, before, after, dilation in zip(
            spatial, attributes["kernel"], attributes["strides"], (top, left), (bottom, right), dilations, strict=True
        )
    )  # fmt: skip


def conv(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """Conv: x ``[n, c, h, w]``, weight ``[o, c / groups, kh, kw]``, bias ``[o]``."""
    x, weight = shapes[0], shapes[1]
    expect_rank(x, 4)
    expect_rank(weight, 4, "the weight")
    groups, out_channels = attributes["groups"], weight[0]
    if weight[1] * groups != x[1]:
        raise GraphError(
            f"the weight {text(weight)} reads {weight[1]} channels in each of {groups} groups, the input {text(x)} has {x[1]}"
        )
    if out_channels % groups:
        raise GraphError(f"{out_channels} output channels do not divide into {groups} groups")
    _check_kernel_and_bias(attributes, shapes, out_channels)
    return [(x[0], out_channels, *_windows(attributes, x[2:]))]


def conv_transpose(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """ConvTranspose: x ``[n, c, h, w]``, weight ``[c, o / groups, kh, kw]``, bias ``[o]``."""
    x, weight = shapes[0], shapes[1]
    expect_rank(x, 4)
    expect_rank(weight, 4, "the weight")
    groups = attributes["groups"]
    if weight[0] != x[1] or weight[0] % groups:
        raise GraphError(f"the weight {text(weight)} does not fit the input {text(x)} in {groups} groups")
    out_channels = weight[1] * groups
    _check_kernel_and_bias(attributes, shapes, out_channels)
    pads = attributes["pads"]
    spatial = tuple(
        (x[2 + i] - 1) * attributes["strides"][i]
        + attributes["dilations"][i] * (attributes["kernel"][i] - 1)
        + 1
        + attributes["output_padding"][i]
        - pads[i]
        - pads[i + 2]
        for i in range(2)
    )
    if min(spatial) < 1:
        raise GraphError(f"the pads {text(pads)} leave an output of {text(spatial)}")
    return [(x[0], out_channels, *spatial)]


def _check_kernel_and_bias(attributes: Mapping[str, Any], shapes: Sequence[Shape], out_channels: int) -> None:
    if tuple(attributes["kernel"]) != shapes[1][2:]:
        raise GraphError(f"kernel_shape {text(attributes['kernel'])} differs from the weight {text(shapes[1])}")
    if len(shapes) > 2 and shapes[2] != (out_channels,):
        raise GraphError(f"the bias must have shape [{out_channels}], not {text(shapes[2])}")


def pool(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """MaxPool and AveragePool."""
    expect_rank(shapes[0], 4)
    return [(*shapes[0][:2], *_windows(attributes, shapes[0][2:]))]


def global_pool(attributes: Mapping[str, Any], shapes: Sequence[Shape]) -> list[Shape]:
    """GlobalAveragePool and GlobalMaxPool."""
    expect_rank(shapes[0], 4)
    return [(*shapes[0][:2], 1, 1)]
