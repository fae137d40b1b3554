"""Drawn MatMuls whose scales change from row to row, head to head and column to column, and their results one by one."""

import numpy as np

from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition
from hwsim.schedule import schedule
from tests.execute.integer.independent import multiplier, scaled
from tests.execute.integer.segmented import drawn_groups

HIGHEST = 7.0  # of the fused clamp
# shapes of a, b and y after the images; b without images is a constant
FORMS = {
    "tokens": lambda h, m, k, n: ((m, k), None, (m, n)),
    "heads": lambda h, m, k, n: ((h, m, k), (h, k, n), (h, m, n)),
    "heads of heads": lambda h, m, k, n: ((3, h, m, k), (3, h, k, n), (3, h, m, n)),
    "constant heads": lambda h, m, k, n: ((h, m, k), None, (h, m, n)),
    "heads of one matrix": lambda h, m, k, n: ((h, m, k), None, (h, m, n)),
}


def shapes_of(form, h, m, k, n):
    x, w, y = FORMS[form](h, m, k, n)
    constant = (h, k, n) if form == "constant heads" else (k, n)
    return (2, *x), constant if w is None else (2, *w), (2, *y)


def granularity(rng, axes, shape):
    """A partition along none, one or two of ``axes``, in runs or in groups."""
    count = int(rng.integers(0, min(2, len(axes)) + 1))
    chosen = [int(axis) for axis in rng.permutation(axes)[:count]]
    if not chosen:
        return PER_TENSOR, 1
    axis, *by = chosen
    if not by and rng.integers(2):
        return Granularity(axis=axis), shape[axis]
    groups = drawn_groups(rng, shape[axis])
    return Granularity(axis=axis, groups=groups, by=by[0] if by else None), (max(groups) + 1) * (
        shape[by[0]] if by else 1
    )


def grid(rng, bits, axes, shape, *, zero_points="one", factor=1.0):
    found, count = granularity(rng, axes, shape)
    scales = np.float32(rng.uniform(0.01, 0.05, count) * factor)
    zeros = rng.integers(-5, 6, count) if zero_points == "own" else np.full(count, rng.integers(-5, 6))
    return QuantParams(
        format=IntFormat(bits=bits), granularity=found, scale=tuple(map(float, scales)), zero_point=tuple(zeros.tolist())
    )  # fmt: skip


def matmul(a, b, y, b_codes=None):
    """Return the graph of one MatMul of tensors given as (shape, grid)."""
    weight = Tensor(name="b", shape=b[0], quant=b[1]) if b_codes is None else Tensor.of_codes("b", b_codes, b[1])
    tensors = (Tensor(name="a", shape=a[0], quant=a[1]), weight, Tensor(name="y", shape=y[0], quant=y[1]))
    node = Node(name="mm", op="MatMul", inputs=("a", "b"), outputs=("y",), attributes={"clamp": (None, HIGHEST)})
    inputs = ("a",) if b_codes is not None else ("a", "b")
    return Graph(name="one", nodes=(node,), tensors={t.name: t for t in tensors}, inputs=inputs, outputs=("y",))


def network(rng, form, *, coded=True):
    """Return a graph of drawn sizes and granularities."""
    h, m, k, n = (int(rng.integers(1, most)) for most in (4, 5, 6, 5))
    a, b, y = shapes_of(form, h, m, k, n)
    rank, is_constant = len(a), b[0] != 2 or len(b) != len(a)
    b_axes = [axis for axis in range(0 if is_constant else 1, len(b)) if axis != len(b) - 2]
    a_grid = grid(rng, 8, range(1, rank - 1), a)
    b_grid = grid(rng, 8, b_axes, b, zero_points="own")
    if len(b) == 2:
        along = bool(rng.integers(2))
        zeros = tuple(int(zero) for zero in rng.integers(-5, 6, n if along else 1))
        b_grid = QuantParams(
            format=b_grid.format, granularity=Granularity(axis=1) if along else PER_TENSOR, zero_point=zeros,
            scale=tuple(map(float, np.float32(rng.uniform(0.01, 0.05, len(zeros))))),
        )  # fmt: skip
    y_grid = grid(rng, 8, range(1, rank), y, zero_points="own", factor=8.0) if coded else None
    return matmul((a, a_grid), (b, b_grid), (y, y_grid), rng.integers(-90, 91, b) if is_constant else None)


def computed(graph, accelerator, images):
    plan = schedule(graph, accelerator)
    layer = Layer.of(graph, graph.nodes[0], accelerator, plan.mappings["mm"])
    return run_integer(graph, {"mm": layer}, images)["y"], layer


def drawn_codes(rng, graph, images):
    """Return codes of the inputs by name, and the real values that they stand for."""
    codes = {name: rng.integers(-90, 91, (images, *graph.tensors[name].shape[1:])) for name in graph.inputs}
    real = {name: graph.tensors[name].quant.decode(part) for name, part in codes.items()}
    return codes, real


def which(quant, index):
    """Return the number of the scale of the element at ``index``."""
    grid = quant.granularity
    if grid.axis is None:
        return 0
    own = index[grid.axis] if grid.groups is None else grid.groups[index[grid.axis]]
    return own if grid.by is None else index[grid.by] * (max(grid.groups) + 1) + own


def at(quant, index):
    """Return scale and zero point of the element at ``index``."""
    number = which(quant, index)
    return np.float32(quant.scale[number]), quant.zero_point[number]


def elements(graph, codes):
    """Yield the index of every result with its sum of centred products and the scales that it meets."""
    a, b, y = (graph.tensors[name] for name in "aby")
    left, right = codes["a"], codes["b"] if "b" in codes else b.encoded()
    for index in np.ndindex(len(left), *y.shape[1:]):
        *lead, row, column = index
        b_lead = tuple(lead[len(lead) - (right.ndim - 2) :])
        total = 0
        for k in range(a.shape[-1]):
            i, j = (*lead, row, k), (*b_lead, k, column)
            total += (int(left[i]) - at(a.quant, i)[1]) * (int(right[j]) - at(b.quant, j)[1])
        yield index, total, at(a.quant, (*lead, row, 0))[0], at(b.quant, (*b_lead, 0, column))[0]


def reference(graph, codes, unit):
    """Return the codes of every result: one multiplication of every sum, rounded, offset and clamped."""
    found, quant = np.empty((len(codes["a"]), *graph.tensors["y"].shape[1:]), np.int64), graph.tensors["y"].quant
    for index, total, first, second in elements(graph, codes):
        scale, zero = at(quant, index)
        high = min(127, round(float(np.float32(HIGHEST) / scale)) + zero)
        found[index] = min(max(unit(total, first, second, scale) + zero, -128), high)
    return found


def plain(scheme, bits=32):
    """The requantizers of ``independent``: no function of hwsim has a part in them."""
    return lambda total, first, second, output: scaled(total, multiplier(first, second, output, (scheme, bits)))


def tflite(by_column):
    """TensorFlow Lite's MatMul: the operands' scales meet in float32, of scales per column in float64."""
    scheme, unit = definition("tflite_double"), Requantizer(scheme="tflite_double")

    def code(total, first, second, output):
        product = float(first) * float(second) if by_column else float(np.float32(first * second))
        made = scheme.constants(np.array([product / float(output)]), unit)
        return scheme.requantize_one(
            total, int(made.multiplier[0]), int(made.shift[0]), unit, 0, -(1 << 40), 1 << 40
        )  # fmt: skip

    return code
