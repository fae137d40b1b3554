"""One-layer networks and small machines of every dataflow, and the archive of vectors that a run of them gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import hwsim
from hwsim.graph import Graph, Tensor
from hwsim.hardware import Accelerator
from hwsim.numerics.formats import Codebook, parse_format
from hwsim.numerics.quant_params import QuantParams
from hwsim.simulation.vectors import write_vectors
from tests.execute.integer.networks import grid, network, on_grid

FLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def middle(rng, text, scale):
    """A grid for the results of these layers, its zero point near the middle, so that some results clip and most do not."""
    params = grid(rng, text, scale=scale)
    zero_point = (params.format.minimum + params.format.maximum) // 2 + int(rng.integers(-9, 10))
    return replace(params, zero_point=(zero_point,))


def conv(rng, *, groups=1, batch=1, weights="int8", activations="uint8", symmetric=True, output="int8", scale=3.0):
    """A 3 x 2 convolution with padding and strides, 6 channels in and 8 out, with a bias."""
    attributes = {"kernel": (3, 2), "strides": (1, 2), "pads": (1, 0, 1, 1), "dilations": (1, 1), "groups": groups}
    x_grid = grid(rng, activations)
    w_grid = grid(rng, weights, channels=8, axis=0, symmetric=symmetric)
    b_grid = grid(rng, "int32", channels=8, axis=0, symmetric=True)
    weight, _ = on_grid(rng, (8, 6 // groups, 3, 2), w_grid)
    bias = b_grid.decode(rng.integers(-3000, 3000, 8)).astype(np.float32)
    operands = [((batch, 6, 5, 6), x_grid, None), (weight.shape, w_grid, weight), ((8,), b_grid, bias)]
    return network("Conv", attributes, operands, middle(rng, output, scale))


def gemm(rng, *, batch=2, weights="int8", activations="int8", symmetric=False, output="uint8", scale=3.0):
    """A matrix product of 37 by 21, per-column scales and zero points."""
    x_grid, w_grid = grid(rng, activations), grid(rng, weights, channels=21, axis=1, symmetric=symmetric)
    weight, _ = on_grid(rng, (37, 21), w_grid)
    operands = [((batch, 37), x_grid, None), (weight.shape, w_grid, weight)]
    return network("Gemm", {}, operands, middle(rng, output, scale))


def tables(rng, weights):
    """A matrix product of 23 by 11 whose weight codes are not what is multiplied: floating point or a table."""
    number = parse_format(weights)
    w_grid = QuantParams(format=number, scale=(0.07,))
    x_grid = middle(rng, "int8", 0.05)
    codes = rng.integers(0, len(number.values) if isinstance(number, Codebook) else 1 << number.bits, (23, 11))
    operands = [((2, 23), x_grid, None), ((23, 11), w_grid, np.ones((23, 11)))]
    graph = network("Gemm", {}, operands, middle(rng, "int8", 0.5 * float(number.unit)))
    return graph.with_changes(tensors=[Tensor.of_codes("in1", codes, w_grid)])


def matmul(rng, *, batch=1, output="int8", scale=0.2):
    """Two computed operands: three products per image."""
    left, right = middle(rng, "int8", 0.05), middle(rng, "uint8", 0.05)
    operands = [((batch, 3, 7, 19), left, None), ((batch, 3, 19, 5), right, None)]
    return network("MatMul", {}, operands, middle(rng, output, scale))


def machine(flow="weight_stationary", *, rows=4, columns=3, tree=1, memory=None, **datapath) -> Accelerator:
    """A small array; ``memory`` bytes of each on-chip memory force several tiles."""
    keys = {"array.dataflow": flow, "array.rows": rows, "array.columns": columns, "array.adder_tree": tree}
    keys |= {f"datapath.{key}": value for key, value in datapath.items()}
    if memory is not None:
        thresholds = (
            2000 if datapath.get("requantizer") == "thresholds" else 0
        )  # those of every column lie with the weights
        sizes = {"ifmap": memory, "weights": memory + thresholds, "ofmap": memory, "accumulators": memory}
        keys |= {f"memory.{name}.size_bytes": size for name, size in sizes.items()}
    return hwsim.accelerator("edge_16x16", overrides=[f"{key}={value}" for key, value in keys.items()])


def images(rng, graph: Graph, count: int) -> dict[str, np.ndarray]:
    """Real values on the inputs' grids."""
    shapes = {name: graph.tensors[name] for name in graph.inputs}
    return {name: on_grid(rng, (count, *tensor.shape[1:]), tensor.quant)[0] for name, tensor in shapes.items()}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A folder of vectors of one layer: its index entry and its arrays as int64 or float32."""

    folder: Any
    index: dict[str, Any]
    entry: dict[str, Any]
    arrays: dict[str, np.ndarray]


def written(graph, accelerator, inputs, folder, **options) -> Written:
    """Write and read back with numpy and json alone."""
    path = write_vectors(graph, accelerator, inputs, folder, **options)
    index = json.loads(path.read_text("utf-8"))
    entry = index["layers"][0]
    with np.load(path.parent / entry["folder"] / "vectors.npz") as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays = {name: array.astype(np.int64) if array.dtype.kind != "f" else array for name, array in arrays.items()}
    return Written(folder=path.parent, index=index, entry=entry, arrays=arrays)
