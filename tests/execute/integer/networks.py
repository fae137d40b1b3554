"""Small quantized networks of one operator, with random grids, for the tests beside."""

from __future__ import annotations

import numpy as np

from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.shapes import output_shapes
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams


def grid(rng, text, *, channels=None, axis=None, symmetric=False, scale=0.05):
    number = IntFormat.parse(text)
    count = channels or 1
    scales = tuple(float(np.float32(value)) for value in rng.uniform(0.5 * scale, 2 * scale, count))
    zeros = tuple(0 if symmetric else int(rng.integers(number.minimum, number.maximum + 1)) for _ in range(count))
    granularity = PER_TENSOR if axis is None else Granularity(axis=axis)
    return QuantParams(format=number, scale=scales, zero_point=zeros, granularity=granularity)


def on_grid(rng, shape, params):
    """Real values that lie on the grid, with their codes."""
    codes = rng.integers(params.format.minimum, params.format.maximum + 1, shape)
    return params.decode(codes).astype(np.float32), codes


def network(op, attributes, operands, output_grid, *, outputs=1):
    """Return a graph of one node; operands are (shape, grid, data or None) or constants without a grid."""
    tensors, names, inputs = [], [], []
    for index, (shape, params, data) in enumerate(operands):
        name = f"in{index}"
        tensors.append(Tensor(name=name, shape=tuple(shape), data=data, quant=params))
        names.append(name)
        if data is None:
            inputs.append(name)
    results = tuple(f"out{index}" for index in range(outputs))
    shapes = output_shapes(op, attributes, [tuple(shape) for shape, _, _ in operands])
    for name, shape in zip(results, shapes, strict=True):
        tensors.append(Tensor(name=name, shape=tuple(shape), quant=output_grid))
    node = Node(name="node", op=op, inputs=tuple(names), outputs=results, attributes=attributes)
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=tuple(inputs), outputs=results)
