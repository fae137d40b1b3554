"""Grids of weights and biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hwsim.graph import Node, Tensor, out_axis
from hwsim.graph.fusion import bias_format
from hwsim.hardware.precision import LayerPrecision
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.quantization.grid import params_of_ranges
from hwsim.quantization.ranges import Observation, estimator


def weight_params(node: Node, weight: Tensor, precision: LayerPrecision, *, power_of_two: bool) -> QuantParams:
    """Return the grid of a constant weight by the layer's estimator, per output channel or per tensor."""
    data = np.asarray(weight.data)
    axis = out_axis(node, weight) if precision.weight_granularity == "channel" else None
    symmetric = precision.weight_symmetry == "symmetric"
    estimate = estimator(precision.range)
    slices = [data] if axis is None else list(np.moveaxis(data, axis, 0))
    ranges = [estimate(Observation.of(part), precision.weights, symmetric) for part in slices]
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    return params_of_ranges(
        ranges, precision.weights, symmetric=symmetric, power_of_two=power_of_two, granularity=granularity
    )


def widened_for_bias(ifmap: QuantParams, weight: QuantParams, bias: Tensor) -> QuantParams:
    """Return the weight's grid with scales widened by powers of two until the bias fits its codes.

    A channel whose weights are almost zero (a dead batch-norm channel) has a tiny scale, in whose units the bias would
    overflow; its weights lose nothing that matters, the bias would lose everything.
    """
    if ifmap.scale is None or weight.scale is None:
        return weight
    largest = np.abs(np.asarray(bias.data, dtype=np.float64)).reshape(-1)
    if len(weight.scale) == 1:
        largest = np.array([largest.max()])
    elif largest.size == 1:
        largest = np.full(len(weight.scale), largest[0])
    scales = weight.scales().astype(np.float64)
    least = largest / (ifmap.scale[0] * (bias_format(ifmap, weight).maximum // 2))
    needed = np.ceil(np.log2(np.maximum(least / scales, 1.0)))
    return replace(weight, scale=tuple(float(scale) for scale in scales * 2.0**needed))
