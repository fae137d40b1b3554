"""Small float networks, drawn or by hand, and the comparison of their functions."""

import numpy as np

from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor

SIDE, CHANNELS, CLASSES = 6, 4, 3


class Builder:
    """Appends operators; every method returns the name of the tensor it made."""

    def __init__(self, seed=0, shape=(1, 3, SIDE, SIDE)):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.tensors = [], {"x": Tensor(name="x", shape=shape)}

    def constant(self, name, data):
        self.tensors[name] = Tensor(name=name, shape=data.shape, data=np.asarray(data, dtype=np.float32))
        return name

    def add(self, op, inputs, shape, **attributes):
        name = f"{op.lower()}{len(self.nodes)}"
        self.tensors[name] = Tensor(name=name, shape=tuple(shape))
        node = Node(name=f"n_{name}", op=op, inputs=tuple(inputs), outputs=(name,), attributes=attributes)
        self.nodes.append(node)
        return name

    def conv(self, x, out=CHANNELS, kernel=3, groups=1, pad=1, clamp=(None, None), bias=True, **more):
        n, c, h, w = self.tensors[x].shape
        count = len(self.nodes)
        shape = (out, c // groups, kernel, kernel)
        inputs = [x, self.constant(f"w{count}", self.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) / 2))]
        if bias:
            inputs.append(self.constant(f"b{count}", self.rng.normal(size=out)))
        shape = (n, out, h + 2 * pad - kernel + 1, w + 2 * pad - kernel + 1)
        attributes = {"kernel": (kernel, kernel), "strides": (1, 1), "pads": (pad,) * 4, "dilations": (1, 1)}
        return self.add("Conv", inputs, shape, **attributes, groups=groups, clamp=clamp, **more)

    def depthwise(self, x, **options):
        channels = self.tensors[x].shape[1]
        return self.conv(x, out=channels, groups=channels, **options)

    def gemm(self, x, out=CLASSES, clamp=(None, None)):
        n, k = self.tensors[x].shape
        count = len(self.nodes)
        weight = self.constant(f"w{count}", self.rng.normal(size=(k, out)))
        return self.add(
            "Gemm", (x, weight, self.constant(f"b{count}", self.rng.normal(size=out))), (n, out), clamp=clamp
        )

    def linear(self, x, out):
        """A transformer's layer: MatMul, then Add."""
        shape = self.tensors[x].shape
        count = len(self.nodes)
        y = self.add(
            "MatMul", (x, self.constant(f"w{count}", self.rng.normal(size=(shape[-1], out)))), (*shape[:-1], out)
        )
        return self.add("Add", (self.constant(f"c{count}", self.rng.normal(size=out)), y), (*shape[:-1], out))

    def norm(self, x):
        shape = self.tensors[x].shape
        count = len(self.nodes)
        parts = [self.constant(f"{word}{count}", self.rng.normal(1, 0.5, size=shape[-1])) for word in ("gamma", "beta")]
        return self.add("LayerNormalization", (x, *parts), shape, axis=len(shape) - 1, epsilon=1e-5)

    def same(self, op, *inputs, **attributes):
        return self.add(op, inputs, self.tensors[inputs[0]].shape, **attributes)

    def pool(self, x, op="MaxPool"):
        n, c, h, w = self.tensors[x].shape
        attributes = {"kernel": (2, 2), "strides": (1, 1), "pads": (0, 0, 0, 0), "ceil_mode": False}
        extra = {"dilations": (1, 1)} if op == "MaxPool" else {"dilations": (1, 1), "count_include_pad": False}
        return self.add(op, (x,), (n, c, h - 1, w - 1), **attributes, **extra)

    def flat(self, x):
        shape = self.tensors[x].shape
        return self.add("Flatten", (x,), (shape[0], int(np.prod(shape[1:]))), axis=1)

    def head(self, x):
        n, c = self.tensors[x].shape[:2]
        return self.gemm(self.flat(self.add("GlobalAveragePool", (x,), (n, c, 1, 1))))

    def graph(self, *outputs):
        return Graph(name="net", nodes=tuple(self.nodes), tensors=self.tensors, inputs=("x",), outputs=outputs)


def drawn_network(seed, length):
    """Return a chain of drawn operators with some residual sums, each with ReLU, no clamp or ReLU6, and a classifier."""
    b = Builder(seed)
    x = b.conv("x", clamp=(0.0, None))
    for _ in range(length):
        clamp = [(None, None), (0.0, None), (0.0, 6.0)][b.rng.choice(3, p=[0.3, 0.5, 0.2])]
        kind = b.rng.choice(
            ["conv", "wide", "depthwise", "residual", "maxpool", "averagepool", "relu", "addend", "factor"]
        )
        shape = b.tensors[x].shape
        if kind == "conv":
            x = b.conv(x, pad=int(b.rng.integers(2)) if shape[2] > 3 else 1, clamp=clamp, bias=bool(b.rng.integers(2)))
        elif kind == "wide":
            x = b.conv(b.conv(x, out=2 * CHANNELS, kernel=1, pad=0, clamp=clamp), groups=2, clamp=clamp)
        elif kind == "depthwise":
            x = b.depthwise(x, clamp=clamp)
        elif kind == "residual":
            x = b.same("Add", b.conv(b.conv(x, clamp=clamp)), x, clamp=clamp)
        elif kind == "relu":
            x = b.same("Relu", x)
        elif kind in ("addend", "factor"):
            constant = b.constant(f"k{len(b.nodes)}", b.rng.normal(size=(1, shape[1], 1, 1)))
            op = "Mul" if kind == "factor" else "Add" if b.rng.integers(2) else "Sub"
            place = int(b.rng.integers(2))
            inputs = (x, constant) if place else (constant, x)
            x = b.add(op, inputs, shape, clamp=clamp)
        elif shape[2] > 2:
            x = b.pool(x, "MaxPool" if kind == "maxpool" else "AveragePool")
    return b.graph(b.head(x))


def assert_same_function(before, after, tolerance=1e-5, seed=5, images=4):
    """Compare outputs, relative to the largest one."""
    shape = (images, *before.tensors["x"].shape[1:])
    x = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    first, second = run_float(before, {"x": x}), run_float(after, {"x": x})
    assert list(first) == list(second)
    for name, values in first.items():
        np.testing.assert_allclose(second[name], values, rtol=0, atol=tolerance * np.abs(values).max())
