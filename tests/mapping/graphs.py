"""One-operator graphs with grids of known width and no scales."""

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.quant_params import QuantParams

UINT8 = QuantParams(format=IntFormat(bits=8, signed=False))
INT8 = QuantParams(format=IntFormat(bits=8))
INT32 = QuantParams(format=IntFormat(bits=32))
CONV = {"kernel": (1, 1), "strides": (1, 1), "pads": (0, 0, 0, 0), "dilations": (1, 1), "groups": 1}


def one(op, shapes, outputs, *, constants=(), grids=None, **attributes):
    """Return a graph of one node; inputs ``x0, x1, ...`` and outputs ``y0, ...``; grids by name (default uint8)."""
    grids = grids or {}
    names = [f"x{i}" for i in range(len(shapes))]
    results = [f"y{i}" for i in range(len(outputs))]
    tensors = {
        name: Tensor(
            name=name,
            shape=shape,
            data=np.zeros(shape, dtype=np.float32) if name in constants else None,
            quant=grids.get(name, UINT8),
        )
        for name, shape in zip(names + results, [*shapes, *outputs], strict=True)
    }
    node = Node(name="node", op=op, inputs=tuple(names), outputs=tuple(results), attributes=attributes)
    inputs = tuple(name for name in names if name not in constants)
    return Graph(name="one", nodes=(node,), tensors=tensors, inputs=inputs, outputs=tuple(results))


def conv(x, weight, y, op="Conv", bias=False, **attributes):
    """Return a graph of one convolution with constant weights."""
    shapes = [x, weight, (y[1],)] if bias else [x, weight]
    grids = {"x1": INT8, "x2": INT32}
    constants = ("x1", "x2") if bias else ("x1",)
    return one(op, shapes, [y], constants=constants, grids=grids, **(CONV | attributes))
