"""Random models of operators on codes: ONNX's QLinear and Integer operators, those of com.microsoft, and moves of integers."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SHAPE = (2, 6, 9, 7)
KINDS = {"uint8": (TensorProto.UINT8, 0, 255), "int8": (TensorProto.INT8, -128, 127)}


class Builder:
    """One chain of operators that keeps every tensor for later additions and concatenations.

    Args:
        seed: of everything drawn.
        kind: element type of the activations.
        weights: element type of the weights; int8 under uint8 has 7 bits, see the module that compares.
    """

    def __init__(self, seed, kind, weights):
        self.rng = np.random.default_rng(seed)
        self.kind, self.weights = kind, weights
        self.nodes, self.constants, self.infos = [], [], []
        self.tensors = []  # name, shape, (scale, zero point)

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def grid(self, scale=None):
        _, low, high = KINDS[self.kind]
        drawn = float(np.exp2(self.rng.uniform(-6, -3))) if self.rng.integers(2) else 2.0 ** -self.rng.integers(3, 7)
        return np.float32(drawn if scale is None else scale), int(self.rng.integers(low, high + 1))

    def named(self, grid):
        """Two constants; some readers see another scale than the writer wrote, which runtimes allow."""
        count = len(self.constants)
        zero = np.array(grid[1], self.kind)
        return [self.constant(f"scale{count}", np.float32(grid[0])), self.constant(f"zero{count}", zero)]

    def operand(self, tensor):
        name, _, grid = tensor
        if self.rng.integers(6) == 0:
            grid = self.grid()
        return [name, *self.named(grid)]

    def emit(self, op, inputs, shape, grid, domain="com.microsoft", **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op, inputs, [name], name=f"{op}{len(self.nodes)}", domain=domain, **attributes)
        )
        integers = {"MatMulInteger": TensorProto.INT32}.get(op, TensorProto.FLOAT)
        kind = KINDS[self.kind][0] if grid is not None else integers
        self.infos.append(helper.make_tensor_value_info(name, kind, shape))
        self.tensors.append((name, tuple(shape), grid))
        return self.tensors[-1]

    def weight(self, shape, axis):
        """Return name, scale and zero point of a drawn weight, per channel if ``axis`` says so."""
        count = len(self.constants)
        low, high = KINDS[self.weights][1:]
        if self.kind == "uint8" and self.weights == "int8":
            low, high = -64, 63
        zero = 0 if axis is not None else int(self.rng.integers(low, high + 1))
        size = 1 if axis is None else shape[axis]
        scales = np.exp2(self.rng.uniform(-8, -6, size)).astype(np.float32)
        zeros = np.full(size, zero, self.weights)
        if axis is None:
            scales, zeros = scales[0], zeros[0]
        codes = self.rng.integers(low, high + 1, shape).astype(self.weights)
        return [
            self.constant(f"weight{count}", codes),
            self.constant(f"weight_scale{count}", scales),
            self.constant(f"weight_zero{count}", zeros),
        ]

    def bias(self, count):
        return self.constant(f"bias{len(self.constants)}", self.rng.integers(-3000, 3000, count).astype(np.int32))

    # operators on [batch, channels, height, width]

    def conv(self, x):
        channels = x[1][1]
        groups = int(self.rng.choice([1, channels]))
        out = channels if groups > 1 else int(self.rng.integers(2, 9))
        weight = self.weight((out, channels // groups, 3, 3), self.rng.choice([None, 0]))
        grid = self.grid(0.25)
        inputs = [*self.operand(x), *weight, *self.named(grid)]
        if self.rng.integers(2):
            inputs.append(self.bias(out))
        shape = (x[1][0], out, *x[1][2:])
        self.emit("QLinearConv", inputs, shape, grid, domain="", pads=[1, 1, 1, 1], group=groups)

    def arithmetic(self, x):
        same = [tensor for tensor in self.tensors if tensor[1] == x[1]]
        other = same[self.rng.integers(len(same))]
        op = str(self.rng.choice(["QLinearAdd", "QLinearMul"]))
        grid = self.grid()
        self.emit(op, [*self.operand(x), *self.operand(other), *self.named(grid)], x[1], grid)

    def with_constant(self, x):
        low, high = KINDS[self.kind][1:]
        value = self.rng.integers(low, high + 1, (x[1][1], 1, 1)).astype(self.kind)
        other = [self.constant(f"operand{len(self.constants)}", value), *self.named(self.grid())]
        op, grid = str(self.rng.choice(["QLinearAdd", "QLinearMul"])), self.grid()
        self.emit(op, [*self.operand(x), *other, *self.named(grid)], x[1], grid)

    def unary(self, x):
        op = str(self.rng.choice(["QLinearSigmoid", "QLinearLeakyRelu"]))
        attributes = {"alpha": 0.2} if op == "QLinearLeakyRelu" else {}
        grid = self.grid(1 / 128)
        self.emit(op, [*self.operand(x), *self.named(grid)], x[1], grid, **attributes)

    def concat(self, x):
        same = [tensor for tensor in self.tensors if tensor[1] == x[1]]
        other, grid = same[self.rng.integers(len(same))], self.grid()
        shape = (x[1][0], 2 * x[1][1], *x[1][2:])
        self.emit("QLinearConcat", [*self.named(grid), *self.operand(x), *self.operand(other)], shape, grid, axis=1)

    def where(self, x):
        """A mask for every element, or one for each channel and row."""
        same = [tensor for tensor in self.tensors if tensor[1] == x[1]]
        other, grid = same[self.rng.integers(len(same))], self.grid()
        shape = x[1] if self.rng.integers(2) else (x[1][1], 1, 1)
        mask = self.constant(f"mask{len(self.constants)}", self.rng.integers(0, 2, shape).astype(bool))
        self.emit("QLinearWhere", [mask, *self.operand(x), *self.operand(other), *self.named(grid)], x[1], grid)

    def interpolation(self, x):
        """Resize of the integers themselves."""
        factors = self.rng.choice([0.5, 1.5, 2.0], 2)
        sizes = tuple(int(np.floor(size * factor)) for size, factor in zip(x[1][2:], factors, strict=True))
        if max(sizes) > 40 or min(sizes) < 2:
            return
        scales = self.constant(f"scales{len(self.constants)}", np.array([1, 1, *factors], np.float32))
        mode = str(self.rng.choice(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]))
        self.emit(
            "Resize", [x[0], "", scales], (*x[1][:2], *sizes), x[2], domain="", mode="linear",
            coordinate_transformation_mode=mode,
        )  # fmt: skip

    def average(self, x):
        grid = self.grid()
        self.emit(
            "QLinearAveragePool", [*self.operand(x), *self.named(grid)], x[1], grid,
            kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=int(self.rng.integers(2)),
        )  # fmt: skip

    def maximum(self, x):
        self.emit("MaxPool", [x[0]], x[1], x[2], domain="", kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def turn(self, x):
        shape = tuple(x[1][axis] for axis in (0, 1, 3, 2))
        self.emit("Transpose", [x[0]], shape, x[2], domain="", perm=[0, 1, 3, 2])

    def join(self, x):
        """Concat of the integers themselves, which are then read on one grid."""
        same = [tensor for tensor in self.tensors if tensor[1] == x[1]]
        other = same[self.rng.integers(len(same))]
        shape = (x[1][0], 2 * x[1][1], *x[1][2:])
        self.emit("Concat", [x[0], other[0]], shape, x[2], domain="", axis=1)

    def pad(self, x):
        count = len(self.constants)
        low, high = KINDS[self.kind][1:]
        pads = self.constant(f"pads{count}", np.array([0, 0, 1, 0, 0, 0, 0, 2], np.int64))
        fill = self.constant(f"fill{count}", np.array(self.rng.integers(low, high + 1), self.kind))
        shape = (*x[1][:2], x[1][2] + 1, x[1][3] + 2)
        self.emit("Pad", [x[0], pads, fill], shape, x[2], domain="")

    def head(self, x):
        """Average over the image, a product, and a Softmax or real numbers."""
        grid = self.grid()
        x = self.emit(
            "QLinearGlobalAveragePool", [*self.operand(x), *self.named(grid)], (*x[1][:2], 1, 1), grid, channels_last=0
        )
        x = self.emit("Flatten", [x[0]], x[1][:2], x[2], domain="", axis=1)
        grid = self.grid(0.25)
        if self.rng.integers(2):
            weight = self.weight((x[1][1], 5), self.rng.choice([None, 1]))
            y = self.emit(
                "QLinearMatMul", [*self.operand(x), *weight, *self.named(grid)], (x[1][0], 5), grid, domain=""
            )
        else:
            self.emit(
                "QGemm", [*self.operand(x), *self.weight((5, x[1][1]), None), self.bias(5)], (x[1][0], 5), None,
                transB=1, alpha=float(self.rng.choice([1.0, 0.7])),
            )  # fmt: skip
            weight = self.weight((x[1][1], 5), self.rng.choice([None, 1]))
            y = self.emit(
                "QGemm", [*self.operand(x), *weight, self.bias(5), *self.named(grid)], (x[1][0], 5), grid,
                alpha=float(self.rng.choice([1.0, 0.7])),
            )  # fmt: skip
        result = (np.float32(1 / 256), KINDS[self.kind][1])
        self.emit("QLinearSoftmax", [*self.operand(y), *self.named(result)], y[1], result, axis=1, opset=13)
        self.integer_product(x)

    def integer_product(self, x):
        weight, _, zero = self.weight((x[1][1], 4), None)
        inputs = [x[0], weight, self.named(x[2])[1], zero]
        y = self.emit("MatMulInteger", inputs, (x[1][0], 4), None, domain="")
        self.emit("Cast", [y[0]], y[1], None, domain="", to=TensorProto.FLOAT)

    OPERATORS = (
        conv, arithmetic, with_constant, unary, concat, average, maximum, turn, join, pad, where, interpolation,
    )  # fmt: skip

    def model(self, length):
        """Return a model of ``length`` operators and a head; every tensor is a result of the chain or of a branch."""
        element_type = KINDS[self.kind][0]
        self.tensors.append(("x", SHAPE, self.grid()))
        for _ in range(length):
            x = self.tensors[-1] if self.rng.integers(3) else self.tensors[self.rng.integers(len(self.tensors))]
            step = self.OPERATORS[self.rng.integers(len(self.OPERATORS))]
            step(self, x)
        self.head(self.tensors[-1])
        graph = helper.make_graph(
            self.nodes, "random", [helper.make_tensor_value_info("x", element_type, SHAPE)], self.infos, self.constants
        )
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=imports, ir_version=9)
        low, high = KINDS[self.kind][1:]
        return model, {"x": self.rng.integers(low, high + 1, SHAPE).astype(self.kind)}
