"""Groups of k and scales found at run time, a whole network of them against plain numpy."""

import numpy as np
import pytest

import hwsim
from hwsim.quantization.recipes.probe import probe_network
from tests.integers import every_tensor

BATCH, FRACTION, PLACES = 5, 8, 15  # edge_16x16 rescales segments by fixed_point:16:8, rounded half up
F32 = np.float32


def weights_of(tensor):
    """Return codes ``[n, channels, taps]``, and scales ``[n, channels]`` in float32."""
    grid, low, high = tensor.quant, -(2 ** (tensor.quant.format.bits - 1)), 2 ** (tensor.quant.format.bits - 1) - 1
    data = tensor.data.T[:, :, None] if tensor.data.ndim == 2 else tensor.data.reshape(*tensor.shape[:2], -1)
    scales = np.array(grid.scale, F32).reshape(len(data), -1)
    if grid.granularity.groups is not None:
        scales = scales[:, list(grid.granularity.groups)]
    scales = np.broadcast_to(scales, data.shape[:2])
    return np.clip(np.rint(data / scales[:, :, None]), low, high).astype(np.int64), scales


def summed(rows, codes, scales, ifmap_scale):
    """Return float32 sums of centred codes: rows ``[m, channels, taps]``; where scales change, each run's sum is rescaled."""
    result = np.zeros((len(rows), len(codes)), F32)
    for n, (code, scale) in enumerate(zip(codes, scales, strict=True)):
        runs = np.split(np.arange(len(scale)), np.flatnonzero(np.diff(scale)) + 1)
        if len(runs) == 1:
            total, unit = (rows * code).sum(axis=(1, 2)), F32(ifmap_scale) * scale[0]
        else:
            largest = max(float(ifmap_scale) * float(scale[run[0]]) for run in runs if code[run].any())
            total = np.zeros(len(rows), np.int64)
            for run in runs:
                factor = int(np.rint(float(ifmap_scale) * float(scale[run[0]]) / largest * 2**PLACES))
                shift = PLACES - FRACTION
                total += ((rows[:, run] * code[run]).sum(axis=(1, 2)) * factor + 2 ** (shift - 1)) >> shift
            unit = F32(largest / 2**FRACTION)
        result[:, n] = total.astype(F32) * unit
    return result


def convolved(x, tensor, node, ifmap_scale):
    """Return float32 sums ``[batch, n, h, w]`` of centred codes ``x``."""
    codes, scales = weights_of(tensor)
    size, pad, groups = node.attributes["kernel"][0], node.attributes["pads"][0], node.attributes["groups"]
    batch, channels, high, wide = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    taps = [padded[:, :, i : i + high, j : j + wide] for i in range(size) for j in range(size)]
    rows = np.stack(taps, axis=-1).transpose(0, 2, 3, 1, 4).reshape(-1, channels, size * size)
    parts = [
        summed(part, *pair, ifmap_scale)
        for part, *pair in zip(
            *(np.split(a, groups, axis) for a, axis in ((rows, 1), (codes, 0), (scales, 0))), strict=True
        )
    ]
    return np.concatenate(parts, axis=1).reshape(batch, high, wide, -1).transpose(0, 3, 1, 2)


def found_scale(x, bits, signed):
    axes = tuple(range(1, x.ndim))
    scale = np.abs(x).max(axis=axes, keepdims=True) / F32(2 ** (bits - signed) - 1)
    scale = np.where(scale > 0, scale, F32(1))
    return scale, np.clip(np.rint(x / scale), -(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1).astype(int)


def in_numpy(graph, image):
    """Return every tensor, by formulas alone."""
    values = {"image": image}
    grid = graph.tensors["image"].quant
    for node in graph.nodes:
        x = values[node.inputs[0]]
        weight = graph.tensors[node.inputs[1]] if len(node.inputs) > 1 else None
        if node.op == "DynamicQuantize":
            number = graph.tensors[node.outputs[0]].quant.format
            scale, codes = found_scale(x, number.bits, number.signed)
            values |= {node.outputs[0]: codes, node.outputs[1]: scale}
            continue
        if node.op == "Conv" and node.inputs[0] == "image":
            codes = np.rint(x / F32(grid.scale[0])) + grid.zero_point[0]
            x = np.clip(codes, grid.format.minimum, grid.format.maximum).astype(int) - grid.zero_point[0]
            y = convolved(x, weight, node, grid.scale[0])
        elif node.op == "Conv":
            y = convolved(x, weight, node, 1.0)
        elif node.op == "Gemm":
            y = summed(x[:, :, None], *weights_of(weight), 1.0)
        elif node.op == "Rescale":
            scale = values.get(node.inputs[1], weight.data)
            y = x * scale + graph.tensors[node.inputs[2]].data
        elif node.op == "Add":
            y = x + values[node.inputs[1]]
        elif node.op == "GlobalAveragePool":
            y = np.ascontiguousarray(x).mean(axis=(2, 3), keepdims=True, dtype=F32)  # float32, in numpy's order
        else:
            assert node.op == "Flatten"
            y = x.reshape(len(x), -1)
        low, high = node.clamp
        values[node.outputs[0]] = y if (low, high) == (None, None) else np.clip(y, low, high).astype(F32)
    return values


@pytest.mark.parametrize("stated", [{}, {"weights": "int4", "activations": "uint4"}])
def test_the_whole_network_in_numpy(stated):
    random = np.random.default_rng(5)
    shown = {"image": random.random((8, 3, 6, 6), dtype=F32)}
    image = random.random((BATCH, 3, 6, 6), dtype=F32) * np.linspace(0.2, 1.4, BATCH, dtype=F32)[:, None, None, None]
    machine = hwsim.accelerator("edge_16x16")
    graph = hwsim.quantize(probe_network(), recipe="zeroquant_groups", calibration=shown, accelerator=machine, **stated)
    found, expected = every_tensor(graph, machine, {"image": image}), in_numpy(graph, image)
    assert {node.op for node in graph.nodes} >= {"DynamicQuantize", "Rescale"}
    assert sum(row["segments"] == 2 for row in hwsim.simulate(graph, machine).layers.rows()) == 2
    for node in graph.nodes:
        for name in node.outputs:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
