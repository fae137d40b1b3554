"""Networks of CMSIS-NN's test data as one graph of this library."""

import re

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.shapes import output_shapes
from tests.oracles.cmsis_layers import grid, weights_of
from tests.oracles.scales import scales_of


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
        found = scales_of(*constants)
        assert found is not None, f"no float32 scales give the multipliers of all channels of layer {number}"
        own, of_weight, output = found
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
