"""Drawn products whose scales change along k, and a reference that reads scales element by element."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

import hwsim
from hwsim.execute.integer import Layer, run_integer
from hwsim.graph import Graph, Node, Tensor
from hwsim.graph.fusion import bias_params
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams
from hwsim.numerics.rounding import Rounding
from hwsim.numerics.scaled_sums import accumulate_real, accumulate_scaled
from hwsim.schedule import schedule


def machine(*changes, base="edge_16x16"):
    return hwsim.accelerator(base, overrides=["array.rows=4", "array.columns=4", *changes])


def drawn_groups(rng, size, most=4):
    """Return a group of each channel, numbered without a gap, in no order."""
    count = int(rng.integers(1, min(size, most) + 1))
    groups = np.concatenate([np.arange(count), rng.integers(0, count, size - count)])
    return tuple(int(group) for group in rng.permutation(groups))


def grid(rng, number, count, granularity, *, symmetric=False, power_of_two=False):
    number = IntFormat.parse(number)
    scales = 2.0 ** rng.integers(-9, -3, count) if power_of_two else np.float32(rng.uniform(0.004, 0.1, count))
    low, high = max(number.minimum, -20), min(number.maximum, 20)
    zeros = np.zeros(count, int) if symmetric else rng.integers(low, high + 1, count)
    return QuantParams(
        format=number, scale=tuple(map(float, scales)), zero_point=tuple(map(int, zeros)), granularity=granularity
    )


def network(
    rng, op, *, x_format="uint8", w_format="int4", by_channel=True, symmetric=False, power_of_two=False, output=True
):
    """Return a graph of one product with drawn groups along k of either operand."""
    channels, out = int(rng.integers(2, 8)), int(rng.integers(1, 6))
    kernel = (3, 3) if op == "Conv3" else (1, 1)
    is_window = op in ("Conv1", "Conv3", "ConvTranspose")
    x_shape = (2, channels, 4, 3) if is_window else (3, channels)
    along, across = (1, 0) if op in ("Conv1", "Conv3") else (0, 1)
    shape = {along: channels, across: out}
    w_shape = (shape[0], shape[1], *kernel) if is_window else (shape[0], shape[1])
    keys = {"symmetric": symmetric, "power_of_two": power_of_two}
    x_groups = drawn_groups(rng, channels)
    x_grid = grid(rng, x_format, max(x_groups) + 1, Granularity(axis=1, groups=x_groups), **keys)
    w_groups = (0,) * channels if op == "ConvTranspose" else drawn_groups(rng, channels)
    count, by = max(w_groups) + 1, across if by_channel else None
    w_granularity = Granularity(axis=along, groups=w_groups, by=by)
    if op == "ConvTranspose":
        count, w_granularity = 1, Granularity(axis=1) if by_channel else PER_TENSOR
    w_grid = grid(rng, w_format, count * (out if by_channel else 1), w_granularity, **keys)
    low, high = w_grid.integers.minimum, w_grid.integers.maximum
    codes = rng.integers(low, high + 1, w_shape)
    if rng.integers(2):
        codes[(slice(None),) * along + (slice(0, 1),)] = w_grid.zero_point[0]  # a channel that may be dead
    weight = Tensor.of_codes("w", codes, w_grid)
    bias = Tensor(name="b", shape=(out,), data=rng.normal(size=out).astype(np.float32))
    bias = replace(bias, quant=bias_params(x_grid, w_grid, bias))
    operands = [Tensor(name="x", shape=x_shape, quant=x_grid), weight, bias]
    inputs = ["x", "w", "b"] if op != "MatMul" else ["x", "w"]
    y_axis = 1
    y_groups = drawn_groups(rng, out)
    y_grid = grid(rng, "int8", max(y_groups) + 1, Granularity(axis=y_axis, groups=y_groups))
    y_grid = replace(y_grid, scale=tuple(scale * 20 for scale in y_grid.scale)) if output else None
    pads = (1, 1, 1, 1) if op == "Conv3" else (0, 0, 0, 0)
    attributes = (
        {"kernel": kernel, "strides": (1, 1), "pads": pads, "dilations": (1, 1), "groups": 1} if is_window else {}
    )
    if op == "ConvTranspose":
        attributes |= {"output_padding": (0, 0), "strides": (2, 2)}
    height, width = (7, 5) if op == "ConvTranspose" else (4, 3)
    result = Tensor(name="y", shape=(2, out, height, width) if is_window else (3, out), quant=y_grid)
    name = "Conv" if op in ("Conv1", "Conv3") else op
    node = Node(name="fc", op=name, inputs=tuple(inputs), outputs=("y",), attributes=attributes)
    tensors = {tensor.name: tensor for tensor in (*operands, result) if tensor.name in (*inputs, "y")}
    return Graph(name="one", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))


def spread(graph, name, values):
    tensor = graph.tensors[name]
    return np.broadcast_to(tensor.quant.granularity.spread(np.asarray(values), tensor.shape), tensor.shape)


def matrices(graph, codes, of_scales=lambda quant: quant.scale):
    """Return rows of x, their scales and zero points ``[rows, k]``, and those of w ``[k, n]``, by loops over windows."""
    node, x, w = graph.nodes[0], graph.tensors["x"], graph.tensors["w"]
    planes = [codes.astype(np.int64), spread(graph, "x", of_scales(x.quant)), spread(graph, "x", x.quant.zero_point)]
    kernels = [
        w.encoded().astype(np.int64),
        spread(graph, "w", of_scales(w.quant)),
        spread(graph, "w", w.quant.zero_point),
    ]
    if node.op in ("Gemm", "MatMul"):
        return planes, kernels
    if node.op == "ConvTranspose":
        planes = [zero_inserted(plane, planes[2] if index == 0 else plane) for index, plane in enumerate(planes)]
        kernels = [kernel.transpose(1, 0, 2, 3) for kernel in kernels]
    high, wide = kernels[0].shape[2:]
    top = node.attributes["pads"][0]
    rows = [[], [], []]
    padded = [np.pad(plane, ((0, 0), (0, 0), (top, top), (top, top)), mode="edge") for plane in planes]
    inner = np.pad(np.ones(planes[0].shape, bool), ((0, 0), (0, 0), (top, top), (top, top)))
    padded[0] = np.where(inner, padded[0], padded[2])  # padding is real 0: each channel's own zero point
    for image in range(len(codes)):
        for i in range(padded[0].shape[2] - high + 1):
            for j in range(padded[0].shape[3] - wide + 1):
                for rest, plane in zip(rows, padded, strict=True):
                    rest.append(plane[image, :, i : i + high, j : j + wide].reshape(-1))
    return [np.array(part) for part in rows], [kernel.reshape(len(kernel), -1).T for kernel in kernels]


def zero_inserted(plane, fill):
    batch, channels, height, width = plane.shape
    spread_out = np.broadcast_to(fill[:, :, :1, :1], (batch, channels, 2 * height - 1, 2 * width - 1)).copy()
    spread_out[:, :, ::2, ::2] = plane
    return spread_out


def reference(graph, accelerator, mapping, codes):
    """Return what the accumulators hold, their unit per column, and the overflow events: one output at a time."""
    datapath = accelerator.datapath
    scaling = datapath.segment_scaling
    (x, sx, zx), (w, sw, zw) = matrices(graph, codes)
    order = np.arange(x.shape[1]) if mapping.k_permutation is None else mapping.k_permutation
    folds = np.split(order, np.cumsum(mapping.k_segments)[:-1])
    n = w.shape[1]
    bias = np.zeros(n, object)
    if "b" in graph.tensors:
        coded = graph.tensors["b"]
        steps = np.broadcast_to(np.array(coded.quant.scale), n)
        bias = [int(code) * Fraction(float(step)) for code, step in zip(coded.encoded(), steps, strict=True)]
    ids = matrices(graph, codes, lambda quant: range(len(quant.scale)))
    ids = ids[0][1], ids[1][1]
    shares = graph.tensors["w"].quant.granularity.by is None or (sw == sw[:1]).all()
    values, events, units = np.zeros((len(x), n), object), 0, np.ones(n)
    for j in range(n):
        scales = [float(np.float32(sx[0, fold[0]])) * float(np.float32(sw[fold[0], j])) for fold in folds]
        for fold in folds:
            assert len(set(sx[0, fold])) == len(set(sw[fold, j])) == 1, "a fold lies within one segment"
        columns = slice(None) if shares else slice(j, j + 1)  # those of which all segments have the same constants
        same = [segment_of(ids, fold) for fold in folds]
        live = [(w[part, columns] != zw[part, columns]).any() for part in same]
        live = live if any(live) else [True] * len(folds)
        unit = max(scale for scale, used in zip(scales, live, strict=True) if used)
        if scaling.is_real:
            constants = [(1, 0)] * len(folds)
        else:
            ratios = [scale / unit if used else 1.0 for scale, used in zip(scales, live, strict=True)]
            constants = [tuple(int(part[0]) for part in scaling.constants(np.array([r]))) for r in ratios]
        units[j] = unit * 2.0**-scaling.fraction if not scaling.is_real else 1
        is_centred = datapath.zero_point == "subtracted"
        constant = Fraction(bias[j]) / (1 if scaling.is_real else Fraction(float(units[j])))
        for fold, (m, s), scale in zip(folds, constants, real_scales(sx, sw, folds, j), strict=True):
            if not is_centred:
                static = sum(-int(zx[0, i]) * int(w[i, j]) + int(zx[0, i]) * int(zw[i, j]) for i in fold)
                constant += static * (Fraction(float(scale)) if scaling.is_real else Fraction(m) / Fraction(2) ** s)
        constant = np.float32(float(constant)) if scaling.is_real else round(constant)
        at_start = datapath.bias == "start"
        for row in range(len(x)):
            products = [int(x[row, i] - is_centred * zx[row, i]) * int(w[i, j] - is_centred * zw[i, j]) for i in order]
            beside = [0 if is_centred else -sum(int(x[row, i]) * int(zw[i, j]) for i in fold) for fold in folds]
            registers = {"psum": datapath.psum, "accumulator": datapath.accumulator}
            if scaling.is_real:
                sums, position = [], 0
                for fold, more in zip(folds, beside, strict=True):
                    part, missed, _ = accumulate_scaled(
                        products[position : position + len(fold)], folds=[len(fold)], constants=[(1, 0)],
                        rounding=Rounding.FLOOR, psum=datapath.psum, accumulator=Accumulator(), beside=[more],
                    )  # fmt: skip
                    events += missed
                    position += len(fold)
                    sums.append(part)
                total = accumulate_real(sums, real_scales(sx, sw, folds, j), *([constant] if at_start else []))
                values[row, j] = total if at_start else np.float32(total + constant)
                continue
            value, missed, _ = accumulate_scaled(
                products, folds=[len(fold) for fold in folds], constants=constants, rounding=scaling.rounding,
                start=constant if at_start else 0, beside=beside, **registers,
            )  # fmt: skip
            values[row, j] = value if at_start else value + constant
            events += missed
    return values, units, events


def segment_of(ids, fold):
    """Return all k with the groups that a fold has, of the ifmap and, in every column, of the weight."""
    x, w = ids
    return np.flatnonzero((x[0] == x[0, fold[0]]) & (w == w[fold[0]]).all(axis=1))


def real_scales(sx, sw, folds, j):
    return [np.float32(sx[0, fold[0]]) * np.float32(sw[fold[0], j]) for fold in folds]


def computed(graph, accelerator, codes):
    plan = schedule(graph, accelerator).mappings
    layer = Layer.of(graph, graph.nodes[0], accelerator, plan["fc"])
    found = run_integer(graph, {"fc": layer}, {"x": graph.tensors["x"].quant.decode(codes)})["y"]
    return found, layer


def as_rows(graph, y):
    return y.transpose(0, 2, 3, 1).reshape(-1, y.shape[1]) if y.ndim == 4 else y
