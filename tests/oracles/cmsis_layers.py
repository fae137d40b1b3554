"""Layers of CMSIS-NN's test data as graphs of this library.

Layers come with integer multipliers; ``scales`` finds float32 scales that give them. Where no scales serve all channels of a
layer, its channels are computed a part at a time.
"""

import numpy as np

from hwsim.execute.integer import run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.shapes import output_shapes
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition
from tests.integers import layers_of
from tests.oracles.scales import scales_of

FIRST = (0, 3, 1, 2)


def grid(kind, scale, zero_point=0, axis=None):
    scales = tuple(float(np.float32(value)) for value in np.atleast_1d(scale))
    assert np.array_equal(np.float64(scales), np.atleast_1d(scale))  # float32 holds them
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    number = IntFormat.parse(kind)
    return QuantParams(
        format=number, scale=scales, zero_point=(int(zero_point),) * len(scales), granularity=granularity
    )


def holding(kind, zero_point):
    """Return the type, or int16 where the zero point is none of its codes: the clamp to the type's codes is the layer's own."""
    return kind if IntFormat.parse(kind).contains(zero_point) else "int16"


def unpacked(packed, count):
    """Return signed 4-bit numbers, two to a byte, the low nibble first."""
    raw = packed.astype(np.uint8)
    nibbles = np.stack([raw & 15, raw >> 4], axis=1).reshape(-1)[:count].astype(np.int8)
    return np.where(nibbles > 7, nibbles - 16, nibbles).astype(np.int8)


def constants_of(cfg, arrays):
    multipliers = np.atleast_1d(arrays.get("mult", cfg.get("OUTPUT_MULTIPLIER"))).astype(np.int64)
    return multipliers, np.atleast_1d(arrays.get("shift", cfg.get("OUTPUT_SHIFT"))).astype(np.int64)


def pads_of(cfg, reach):
    """Return the four pads: the data's first two, and as much behind as the size of the result needs."""
    sides = []
    for axis, side in (("H", "Y"), ("W", "X")):
        before = cfg[f"PAD_{side}"]
        needed = (cfg[f"OUTPUT_{axis}"] - 1) * cfg[f"STRIDE_{side}"] + reach[axis]
        sides.append((before, max(0, needed - cfg[f"INPUT_{axis}"] - before)))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def weights_of(record, packed):
    """Return operator, attributes and weights in this library's layout: ``[out, in, h, w]`` or ``[k, out]``."""
    cfg = record["cfg"]
    if "ACCUMULATION_DEPTH" in cfg:
        shape = cfg["OUT_CH"], cfg["ACCUMULATION_DEPTH"]
        codes = unpacked(packed, shape[0] * shape[1]) if record["int4"] else packed
        return "Gemm", {}, codes.reshape(shape).T
    rows, columns, out, channels = (cfg[key] for key in ("FILTER_Y", "FILTER_X", "OUT_CH", "IN_CH"))
    dilations = cfg.get("DILATION_Y", 1), cfg.get("DILATION_X", 1)
    reach = {"H": (rows - 1) * dilations[0] + 1, "W": (columns - 1) * dilations[1] + 1}
    if "CH_MULT" in cfg:
        shape, order, groups = (1, rows, columns, out), (3, 0, 1, 2), channels
    else:
        count = packed.size * (2 if record["int4"] else 1)
        each = min(channels, count // (out * rows * columns))  # fewer in groups
        shape, order, groups = (out, rows, columns, each), FIRST, channels // each
    codes = unpacked(packed, int(np.prod(shape))) if record["int4"] else packed
    attributes = {
        "kernel": (rows, columns),
        "strides": (cfg["STRIDE_Y"], cfg["STRIDE_X"]),
        "dilations": dilations,
        "pads": pads_of(cfg, reach),
        "groups": groups,
    }
    return "Conv", attributes, codes.reshape(shape).transpose(order)


def layer(machine, record, arrays, x, weight, attributes, op, kept):
    """Return the codes of the output channels ``kept`` ``[batch, channels, ...]``, or None where no scales serve them all."""
    cfg = record["cfg"]
    multipliers, shifts = constants_of(cfg, arrays)
    per_channel = len(multipliers) > 1
    if per_channel:
        multipliers, shifts = multipliers[kept], shifts[kept]
    found = scales_of(multipliers, shifts)
    if found is None:
        return None
    own, of_weight, output = found
    axis = 0 if op == "Conv" else 1
    weight = np.take(weight, kept, axis=axis)
    input_grid = grid(record["in_t"], own, -cfg["INPUT_OFFSET"])
    weight_grid = grid(
        "int4" if record["int4"] else "int8", of_weight, -cfg.get("FILTER_OFFSET", 0), axis if per_channel else None
    )
    output_grid = grid(holding(record["out_t"], cfg["OUTPUT_OFFSET"]), output, cfg["OUTPUT_OFFSET"])
    derived = definition("tflite_double").constants(
        definition("tflite_double").real_scale(own, weight_grid.scales(), output), machine.datapath.requantizer.unit
    )
    assert derived.multiplier.tolist() == multipliers.tolist()
    assert (31 - derived.shift).tolist() == shifts.tolist()
    clamp = tuple(output * (cfg[f"OUT_ACTIVATION_{end}"] - cfg["OUTPUT_OFFSET"]) for end in ("MIN", "MAX"))
    tensors = [
        Tensor(name="x", shape=x.shape, quant=input_grid),
        Tensor.of_codes("w", np.ascontiguousarray(weight), weight_grid),
    ]
    if record["bias_t"] is not None:
        bias = arrays["b"][kept]
        unit = np.float32(np.float32(own) * weight_grid.scales()).astype(np.float64)
        tensors.append(Tensor.of_codes("b", bias, grid(record["bias_t"], unit, axis=0 if per_channel else None)))
    shape = output_shapes(op, attributes, [tensor.shape for tensor in tensors])[0]
    names = tuple(tensor.name for tensor in tensors)
    tensors.append(Tensor(name="y", shape=shape, quant=output_grid))
    node = Node(name="node", op=op, inputs=names, outputs=("y",), attributes={**attributes, "clamp": clamp})
    graph = Graph(
        name="one",
        nodes=(node,),
        tensors={t.name: t for t in tensors},
        inputs=("x",),
        outputs=("y",),
        code_inputs=("x",),
    )
    return execute(machine, graph, {"x": x})


def execute(machine, graph, inputs, observe=None):
    return run_integer(graph, layers_of(graph, machine), inputs, observe=observe)[graph.outputs[0]]


def outputs(machine, record, arrays):
    """Return all codes of one case in the library's order."""
    cfg = record["cfg"]
    op, attributes, weight = weights_of(record, arrays["w"])
    x = arrays["x"].astype(record["in_t"])
    if op == "Gemm":
        x = x.reshape(-1, cfg["ACCUMULATION_DEPTH"])
    else:
        x = np.ascontiguousarray(x.reshape(-1, cfg["INPUT_H"], cfg["INPUT_W"], cfg["IN_CH"]).transpose(FIRST))
    codes = by_parts(machine, record, arrays, x, weight, attributes, op, np.arange(cfg["OUT_CH"]))
    return codes if op == "Gemm" else codes.transpose(0, 2, 3, 1)


def by_parts(machine, record, arrays, x, weight, attributes, op, channels):
    """Return the codes of ``channels``: all at once, else group by group, else half by half."""
    codes = layer(machine, record, arrays, x, weight, attributes, op, channels)
    if codes is not None:
        return codes
    groups = attributes.get("groups", 1)
    if groups > 1:
        pairs = zip(np.split(channels, groups), np.split(x, groups, axis=1), strict=True)
        parts, attributes = [(part, np.ascontiguousarray(own)) for part, own in pairs], {**attributes, "groups": 1}
    else:
        assert len(channels) > 1, "no float32 scales give the multiplier of this channel"
        parts = [(part, x) for part in np.array_split(channels, 2)]
    done = [by_parts(machine, record, arrays, own, weight, attributes, op, part) for part, own in parts]
    return np.concatenate(done, axis=1)
