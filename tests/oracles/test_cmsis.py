"""CMSIS-NN's own test data through the product: graphs of its layers on a machine with its arithmetic, every code equal.

Layers come with integer multipliers; ``scales`` finds float32 scales that give them. Where no scales serve all channels of a
layer, its channels are computed a few at a time.
"""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.hardware import load_accelerator
from hwsim.interchange.shapes import output_shapes
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizers import definition
from hwsim.schedule import schedule
from tests.oracles.scales import scales_of

pytestmark = pytest.mark.oracle

FOLDER = Path(os.environ.get("HWSIM_REFERENCE_DATA", Path(__file__).parents[3] / "shared" / "data"))
FEW = 3
FIRST = (0, 3, 1, 2)


@pytest.fixture(scope="module")
def machine():
    keys = {"accumulator": "exact", "psum": "exact", "requantizer": "cmsis_nn", "arithmetic": "tflite"}
    return load_accelerator("edge_16x16", overrides=[f"datapath.{key}={value}" for key, value in keys.items()])


def files(pattern):
    found = sorted(FOLDER.glob(pattern))
    if not found:
        pytest.skip(f"no reference data: {FOLDER / pattern} (set HWSIM_REFERENCE_DATA)")
    return found


def cases():
    """Return ``name, record, arrays`` of every case of every file."""
    found = []
    for path in files("arithmetic/cmsis_nn_cases*.npz"):
        with np.load(path) as data:
            for name, record in json.loads(bytes(data["__meta__"]).decode()).items():
                keys = ("x", "w", "b", "mult", "shift", "ref")
                arrays = {key: data[f"{name}/{key}"] for key in keys if f"{name}/{key}" in data}
                found.append((name, record, arrays))
    return found


def grid(kind, scale, zero_point=0, axis=None):
    scales = tuple(float(np.float32(value)) for value in np.atleast_1d(scale))
    assert np.array_equal(np.float64(scales), np.atleast_1d(scale))  # float32 holds them
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    number = IntFormat.parse(kind)
    return QuantParams(
        format=number, scale=scales, zero_point=(int(zero_point),) * len(scales), granularity=granularity
    )


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
        each = cfg.get("FILTER_CH", channels)
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
    output_grid = grid(record["out_t"], output, cfg["OUTPUT_OFFSET"])
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
    mappings = schedule(graph, machine)
    layers = {node.name: Layer.of(graph, node, machine, mappings.get(node.name)) for node in graph.nodes}
    return run_integer(graph, layers, inputs, observe=observe)[graph.outputs[0]]


def outputs(machine, record, arrays):
    """Return all codes of one case in the library's order."""
    cfg = record["cfg"]
    op, attributes, weight = weights_of(record, arrays["w"])
    x = arrays["x"].astype(record["in_t"])
    if op == "Gemm":
        x = x.reshape(-1, cfg["ACCUMULATION_DEPTH"])
    else:
        x = np.ascontiguousarray(x.reshape(-1, cfg["INPUT_H"], cfg["INPUT_W"], cfg["IN_CH"]).transpose(FIRST))
    channels = np.arange(cfg["OUT_CH"])
    codes = layer(machine, record, arrays, x, weight, attributes, op, channels)
    if codes is None:
        assert attributes.get("groups", 1) == 1  # channels of groups read other inputs
        parts = [channels[start : start + FEW] for start in range(0, len(channels), FEW)]
        codes = np.concatenate([layer(machine, record, arrays, x, weight, attributes, op, p) for p in parts], axis=1)
    return codes if op == "Gemm" else codes.transpose(0, 2, 3, 1)


def test_every_layer(machine):
    compared, kinds = 0, set()
    for name, record, arrays in cases():
        got = outputs(machine, record, arrays).reshape(-1)
        wrong = int((got != arrays["ref"]).sum())
        assert not wrong, f"{name}: {wrong} of {got.size} codes differ"
        compared += got.size
        kinds.add((record["in_t"], record["bias_t"], record["int4"]))
    assert compared
    assert {("int16", "int64", False), ("int16", "int32", False), ("int8", "int32", True)} <= kinds


def test_the_rule_of_the_bias_can_be_seen(machine):
    """With a bias of 32 bits instead of 64, the other requantizer gives other codes in some 16-bit layer."""
    changed = 0
    for _, record, arrays in cases():
        if (record["in_t"], record["bias_t"]) == ("int16", "int64") and np.abs(arrays["b"]).max() < 1 << 31:
            got = outputs(machine, record | {"bias_t": "int32"}, arrays).reshape(-1)
            changed += int((got != arrays["ref"]).sum())
    assert changed


def layers_of(defines):
    """Return ``(number, kind)`` of the network's layers in order, from names such as CONV_2D_3_OUT_CH."""
    found = {(int(m[2]), m[1]) for m in (re.fullmatch(r"([A-Z_]+(?:_2D)?)_(\d+)_[A-Z_]+", key) for key in defines) if m}
    return sorted(found)


class Network:
    """Builds the graph of a sequence; grids meet through Reinterpret, because each layer's scales are found on their own."""

    def __init__(self, defines, arrays, name):
        self.defines, self.arrays, self.name = defines, arrays, name
        self.tensors, self.nodes, self.last, self.grid = {}, [], None, None

    def add(self, op, attributes, result, constants=()):
        """Append a node that reads the last result and ``constants``."""
        names = (self.last, *(tensor.name for tensor in constants))
        self.tensors |= {tensor.name: tensor for tensor in constants}
        shapes = [self.tensors[name].shape for name in names]
        name = f"{op}_{len(self.nodes)}"
        shape = output_shapes(op, attributes, shapes)[0]
        self.tensors[name] = Tensor(name=name, shape=tuple(shape), quant=result)
        self.nodes.append(Node(name=f"node_{name}", op=op, inputs=names, outputs=(name,), attributes=attributes))
        self.last, self.grid = name, result

    def meet(self, wanted):
        """Read the last result on the grid ``wanted``: the same codes."""
        if wanted != self.grid:
            factor = wanted.scale[0] / self.grid.scale[0]
            self.add("Reinterpret", {"factor": factor, "offset": 0.0}, wanted)

    def cfg(self, kind, number):
        prefix = f"{kind}_{number}_"
        return {key[len(prefix) :]: value for key, value in self.defines.items() if key.startswith(prefix)}

    def array(self, number, suffix):
        (key,) = [key for key in self.arrays if re.search(rf"_layer_{number}_\w*{suffix}$", key)]
        return self.arrays[key]

    def product(self, kind, number):
        """A convolution or the fully connected layer, whose channel counts are swapped in the data."""
        cfg = self.cfg(kind, number)
        cfg.pop("ACCUMULATION_DEPTH", None)  # depthwise layers carry it too
        record = {"cfg": cfg, "int4": False, "in_t": "int8", "out_t": "int8", "bias_t": "int32"}
        if kind.startswith("DEPTHWISE"):
            cfg["CH_MULT"] = 1
        if kind == "FULLY_CONNECTED":
            cfg["OUT_CH"], cfg["IN_CH"] = cfg["IN_CH"], cfg["OUT_CH"]
            cfg["ACCUMULATION_DEPTH"] = cfg["IN_CH"]
            constants = np.array([cfg["OUTPUT_MULTIPLIER"]]), np.array([cfg["OUTPUT_SHIFT"]])
            if len(self.tensors[self.last].shape) > 2:
                self.add("Flatten", {"axis": 1}, self.grid)
        else:
            constants = self.array(number, "output_mult"), self.array(number, "output_shift")
        op, attributes, weight = weights_of(record, self.array(number, "weights"))
        own, of_weight, output = scales_of(*constants)
        axis = None if len(of_weight) == 1 else 0
        input_grid = grid("int8", own, -cfg["INPUT_OFFSET"])
        if self.last is None:
            self.tensors["x"] = Tensor(
                name="x", shape=(1, cfg["IN_CH"], cfg["INPUT_H"], cfg["INPUT_W"]), quant=input_grid
            )
            self.last, self.grid = "x", input_grid
        self.meet(input_grid)
        unit = np.float32(np.float32(own) * np.float32(of_weight)).astype(np.float64)
        tensors = (
            Tensor.of_codes(f"w{number}", np.ascontiguousarray(weight), grid("int8", of_weight, 0, axis)),
            Tensor.of_codes(f"b{number}", self.array(number, "bias"), grid("int32", unit, 0, axis)),
        )
        clamp = tuple(output * (cfg[f"OUT_ACTIVATION_{end}"] - cfg["OUTPUT_OFFSET"]) for end in ("MIN", "MAX"))
        self.add(op, {**attributes, "clamp": clamp}, grid("int8", output, cfg["OUTPUT_OFFSET"]), tensors)

    def average(self, kind, number):
        cfg = self.cfg(kind, number)
        attributes = {
            "kernel": (cfg["FILTER_Y"], cfg["FILTER_X"]),
            "strides": (cfg["STRIDE_Y"], cfg["STRIDE_X"]),
            "pads": (cfg["PAD_Y"], cfg["PAD_X"], cfg["PAD_Y"], cfg["PAD_X"]),
            "dilations": (1, 1),
            "ceil_mode": 0,
            "count_include_pad": 0,
        }
        self.add("AveragePool", attributes, self.grid)

    def softmax(self, kind, number):
        """The operand's scale from the multiplier: ``scale * 2^26 = multiplier * 2^(shift - 31)``."""
        cfg = self.cfg(kind, number)
        scale = cfg["MULT"] * 2.0 ** (cfg["SHIFT"] - 31 - 26)
        self.meet(grid("int8", scale, self.grid.zero_point[0]))
        self.add("Softmax", {"axis": 1}, grid("int8", 2.0**-8, -128))

    def graph(self):
        kinds = {"AVERAGE_POOL_2D": self.average, "SOFTMAX": self.softmax}
        for number, kind in layers_of(self.defines):
            kinds.get(kind, self.product)(kind, number)
        return Graph(
            name=self.name,
            nodes=tuple(self.nodes),
            tensors=self.tensors,
            inputs=("x",),
            outputs=(self.last,),
            code_inputs=("x",),
        )


def test_whole_networks(machine):
    """A trained network with its softmax."""
    for path in files("arithmetic/ds_cnn_*.npz"):
        with np.load(path) as data:
            arrays = {key: data[key] for key in data.files if not key.startswith("__")}
            defines = json.loads(bytes(data["__defines__"]).decode())
        (given,), (expected,) = (
            [value for key, value in arrays.items() if key.endswith(end)] for end in ("_input", "_output_ref")
        )
        graph = Network(defines, arrays, path.stem).graph()
        shape = graph.tensors["x"].shape
        x = np.ascontiguousarray(given.reshape(1, *shape[2:], shape[1]).transpose(FIRST))
        got = execute(machine, graph, {"x": x}).reshape(-1)
        assert got.tolist() == expected.tolist(), path.name
