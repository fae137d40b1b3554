"""Random small networks of one operator each, for every element type that a runtime computes it in.

A case is a function ``(draw, kind) -> bytes``. ``CASES`` gives for each operator the element types.
"""

import numpy as np
import tflite

from tests.interchange.tflite.builder import File

RANGES = {"INT8": (-128, 127), "UINT8": (0, 255), "INT16": (-32768, 32767)}
REAL = "FLOAT32"


class Draw:
    """Random parameters of one case."""

    def __init__(self, seed, kind):
        self.random = np.random.default_rng(seed)
        self.kind = kind
        self.file = File()

    def integer(self, low, high):
        return int(self.random.integers(low, high + 1))

    def chance(self):
        return bool(self.random.random() < 0.5)

    def pick(self, *options):
        return options[self.random.integers(len(options))]

    def grid(self, *, like=None, spread=1.0):
        """Scale and zero point as keywords; none for real-valued tensors."""
        if self.kind == REAL:
            return {}
        low, high = RANGES[self.kind]
        largest = 4 * spread * self.random.uniform(0.7, 1.5)
        zero = 0 if self.kind == "INT16" else self.integer(low, high)
        return like or {"scale": np.float32(largest * 2 / (high - low)), "zero_point": zero}

    def input(self, shape, grid=None, name="x"):
        return self.file.input(name, shape, self.kind, **(self.grid() if grid is None else grid))

    def output(self, shape, grid=None, name="y"):
        return self.file.tensor(name, shape, self.kind, **(self.grid() if grid is None else grid))

    def grid_of(self, number):
        row = self.file.tensors[number]
        return {} if row["scale"] is None else {"scale": row["scale"], "zero_point": row["zero_point"]}

    def codes(self, shape):
        """Random elements of the type of the activations."""
        if self.kind == REAL:
            return self.random.standard_normal(shape).astype(np.float32)
        low, high = RANGES[self.kind]
        return self.random.integers(low, high + 1, shape)

    def constant(self, name, shape):
        return self.file.constant(name, self.codes(shape), self.kind, **self.grid())

    def index(self, name, values, kind="INT32"):
        return self.file.constant(name, values, kind)

    def weight(self, shape, axis, *, four_bits=False):
        """A weight on the grid that goes with the activations: symmetric per channel, or (uint8) one with a zero point."""
        if self.kind == REAL:
            return self.file.constant("w", self.random.standard_normal(shape) * 0.3, REAL)
        if self.kind == "UINT8":
            return self.file.constant("w", self.codes(shape), "UINT8", scale=0.01, zero_point=self.integer(0, 255))
        channels = shape[axis] if self.chance() else 1
        scales = self.random.uniform(0.002, 0.02, channels).astype(np.float32)
        low, high = (-7, 7) if four_bits else (-127, 127)
        values = self.random.integers(low, high + 1, shape)
        return self.file.constant("w", values, "INT4" if four_bits else "INT8", scale=scales, axis=axis)

    def bias(self, count, x, w, *, bits=None, always=False):
        """A bias of the type that goes with the activations; none (-1) now and then."""
        if self.random.random() < 0.2 and not always:
            return -1
        if self.kind == REAL:
            return self.file.constant("b", self.random.standard_normal(count), REAL)
        scale = np.asarray(self.file.tensors[x]["scale"] * self.file.tensors[w]["scale"], np.float32)
        kind = f"INT{bits}" if bits else "INT64" if self.kind == "INT16" else "INT32"
        limit = 40000 if self.kind == "INT16" else 4000
        return self.file.constant("b", self.random.integers(-limit, limit, count), kind, scale=scale)

    def activation(self):
        return {"FusedActivationFunction": self.pick(0, 1, 2, 3)}

    def build(self, *outputs):
        return self.file.build(list(outputs))


def _windows(draw, size, dilated=True):
    kernel = [draw.integer(1, 3) for _ in range(2)]
    stride = [draw.integer(1, 3) for _ in range(2)]
    spread = [draw.integer(1, 2) if dilated and one == 1 else 1 for one in stride]
    same = draw.chance()
    out = []
    for length, k, s, d in zip(size, kernel, stride, spread, strict=True):
        extent = d * (k - 1) + 1
        out.append(-(-length // s) if same else (length - extent) // s + 1)
    options = {"Padding": 0 if same else 1, "StrideH": stride[0], "StrideW": stride[1]}
    if dilated:
        options |= {"DilationHFactor": spread[0], "DilationWFactor": spread[1]}
    return kernel, options, out


def _given(*numbers):
    """The operands without an absent bias."""
    return [number for number in numbers if number >= 0]


def _sums(draw, bits):
    """The option by which an operator on 16-bit activations sums in 32 bits."""
    return {"QuantizedBiasType": tflite.TensorType.INT32} if draw.kind == "INT16" and bits == 32 else {}


def conv(draw, *, bits=None, four_bits=False):
    size = [draw.integer(5, 9), draw.integer(5, 9)]
    groups = draw.pick(1, 1, 2) if draw.kind in ("INT8", REAL) else 1
    channels, outs = groups * draw.integer(1, 3), groups * draw.integer(1, 4)
    kernel, options, out = _windows(draw, size)
    x = draw.input((1, *size, channels))
    w = draw.weight((outs, *kernel, channels // groups), 0, four_bits=four_bits)
    b = draw.bias(outs, x, w, bits=bits, always=True)
    y = draw.output((1, *out, outs))
    fields = {**options, **draw.activation(), **_sums(draw, bits)}
    draw.file.operator("CONV_2D", _given(x, w, b), [y], "Conv2DOptions", **fields)
    return draw.build(y)


def conv_int32_bias(draw):
    return conv(draw, bits=32)


def conv_int4(draw):
    return conv(draw, four_bits=True)


def depthwise(draw, *, bits=None, four_bits=False):
    size = [draw.integer(5, 9), draw.integer(5, 9)]
    channels, multiplier = draw.integer(1, 4), draw.integer(1, 3)
    kernel, options, out = _windows(draw, size)
    x = draw.input((1, *size, channels))
    w = draw.weight((1, *kernel, channels * multiplier), 3, four_bits=four_bits)
    b = draw.bias(channels * multiplier, x, w, bits=bits)
    y = draw.output((1, *out, channels * multiplier))
    draw.file.operator(
        "DEPTHWISE_CONV_2D", _given(x, w, b), [y], "DepthwiseConv2DOptions",
        DepthMultiplier=multiplier, **options, **draw.activation(),
    )  # fmt: skip
    return draw.build(y)


def depthwise_int4(draw):
    return depthwise(draw, four_bits=True)


def fully_connected(draw, *, bits=None, four_bits=False):
    rows, k, n = draw.integer(1, 3), draw.integer(2, 12), draw.integer(1, 6)
    kept = draw.chance()
    x = draw.input((1, 2, rows, k) if kept else (rows, k))
    w = draw.weight((n, k), 0, four_bits=four_bits)
    b = draw.bias(n, x, w, bits=bits)
    y = draw.output((1, 2, rows, n) if kept else (rows, n))
    fields = {"KeepNumDims": kept, **draw.activation(), **_sums(draw, bits)}
    draw.file.operator("FULLY_CONNECTED", [x, w, b], [y], "FullyConnectedOptions", **fields)
    return draw.build(y)


def fully_connected_int32_bias(draw):
    return fully_connected(draw, bits=32)


def fully_connected_int4(draw):
    return fully_connected(draw, four_bits=True)


def transpose_conv(draw):
    size = [draw.integer(2, 5), draw.integer(2, 5)]
    channels, outs = draw.integer(1, 3), draw.integer(1, 3)
    kernel, stride = [draw.integer(1, 4) for _ in range(2)], [draw.integer(1, 3) for _ in range(2)]
    same = draw.chance()
    pairs = list(zip(size, kernel, stride, strict=True))
    out = [(n - 1) * s + draw.integer(1, s) if same else (n - 1) * s + k + draw.integer(0, s - 1) for n, k, s in pairs]
    x = draw.input((1, *size, channels))
    w = draw.weight((outs, *kernel, channels), 0)
    shape = draw.index("shape", [1, *out, outs])
    b = draw.bias(outs, x, w)
    y = draw.output((1, *out, outs))
    draw.file.operator(
        "TRANSPOSE_CONV", _given(shape, w, x, b), [y], "TransposeConvOptions",
        Padding=0 if same else 1, StrideH=stride[0], StrideW=stride[1],
    )  # fmt: skip
    return draw.build(y)


def _binary(draw, code, options):
    rank = draw.pick(2, 4)
    shape = tuple(draw.integer(1, 5) for _ in range(rank))
    other = draw.pick(shape, (1,) * (rank - 1) + shape[-1:], shape[-1:], (*shape[:-1], 1))
    operands = [draw.input(shape)]
    operands.append(draw.constant("c", other) if draw.chance() else draw.input(other, name="x2"))
    if draw.chance():
        operands.reverse()
    y = draw.output(shape)
    fields = draw.activation() | ({} if code == "MUL" else {"PotScaleInt16": False})
    draw.file.operator(code, operands, [y], options, **fields)
    return draw.build(y)


def add(draw):
    return _binary(draw, "ADD", "AddOptions")


def sub(draw):
    return _binary(draw, "SUB", "SubOptions")


def mul(draw):
    return _binary(draw, "MUL", "MulOptions")


def concatenation(draw):
    shape = [draw.integer(1, 4) for _ in range(4)]
    axis = draw.integer(1, 3)
    grid = draw.grid()
    sizes = [draw.integer(1, 3) for _ in range(draw.integer(2, 3))]
    operands = []
    for number, size in enumerate(sizes):
        shape[axis] = size
        own = draw.grid() if draw.kind == "UINT8" and draw.chance() else grid
        operands.append(draw.input(shape, own, name=f"x{number}"))
    shape[axis] = sum(sizes)
    y = draw.output(shape, grid)
    draw.file.operator("CONCATENATION", operands, [y], "ConcatenationOptions", Axis=draw.pick(axis, axis - 4))
    return draw.build(y)


def _pool(draw, code):
    size = [draw.integer(4, 9), draw.integer(4, 9)]
    kernel, options, out = _windows(draw, size, dilated=False)
    channels, grid = draw.integer(1, 4), draw.grid()
    x, y = draw.input((1, *size, channels), grid), draw.output((1, *out, channels), grid)
    options |= {"FilterHeight": kernel[0], "FilterWidth": kernel[1]}
    draw.file.operator(code, [x], [y], "Pool2DOptions", **options, **draw.activation())
    return draw.build(y)


def average_pool(draw):
    return _pool(draw, "AVERAGE_POOL_2D")


def max_pool(draw):
    return _pool(draw, "MAX_POOL_2D")


def mean(draw):
    shape = tuple(draw.integer(2, 5) for _ in range(4))
    axes = draw.pick((1, 2), (1, 2), (3,), (1,), (2, 3))
    kept = draw.chance()
    x = draw.input(shape)
    result = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if kept or axis not in axes)
    y = draw.output(result, draw.pick(draw.grid(), draw.grid_of(x)))
    draw.file.operator("MEAN", [x, draw.index("axes", axes)], [y], "ReducerOptions", KeepDims=kept)
    return draw.build(y)


def _unary(draw, code, options=None, grid=None, **fields):
    shape = tuple(draw.integer(1, 6) for _ in range(draw.pick(2, 4)))
    x = draw.input(shape)
    y = draw.output(shape, grid)
    draw.file.operator(code, [x], [y], options, **fields)
    return draw.build(y)


def relu(draw):
    return _unary(draw, "RELU")


def relu6(draw):
    return _unary(draw, "RELU6")


def relu_n1_to_1(draw):
    return _unary(draw, "RELU_N1_TO_1")


def leaky_relu(draw):
    return _unary(draw, "LEAKY_RELU", "LeakyReluOptions", Alpha=float(np.float32(draw.random.uniform(0.01, 0.5))))


def hard_swish(draw):
    return _unary(draw, "HARD_SWISH")


def gelu(draw):
    return _unary(draw, "GELU", "GeluOptions", Approximate=draw.chance())


def prelu(draw):
    shape = (1, draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4))
    x = draw.input(shape)
    y = draw.output(shape)
    draw.file.operator("PRELU", [x, draw.constant("alpha", draw.pick((1, 1, shape[3]), shape[1:]))], [y])
    return draw.build(y)


_UNIT = {  # grids that the runtime demands of functions between 0 and 1
    "INT8": {"scale": 1 / 256, "zero_point": -128},
    "UINT8": {"scale": 1 / 256, "zero_point": 0},
    "INT16": {"scale": 1 / 32768, "zero_point": 0},
    REAL: {},
}
_SIGNED_UNIT = {
    "INT8": {"scale": 1 / 128, "zero_point": 0},
    "UINT8": {"scale": 1 / 128, "zero_point": 128},
    "INT16": {"scale": 1 / 32768, "zero_point": 0},
    REAL: {},
}


def logistic(draw):
    return _unary(draw, "LOGISTIC", grid=_UNIT[draw.kind])


def tanh(draw):
    return _unary(draw, "TANH", grid=_SIGNED_UNIT[draw.kind])


def softmax(draw):
    shape = tuple(draw.integer(1, 6) for _ in range(draw.pick(2, 4)))
    x, y = draw.input(shape), draw.output(shape, _UNIT[draw.kind])
    draw.file.operator("SOFTMAX", [x], [y], "SoftmaxOptions", Beta=draw.pick(1.0, 1.0, 0.5))
    return draw.build(y)


def quantize(draw):
    """From real values, and from one grid to another."""
    shape = (2, 3, 4)
    x = draw.file.input("x", shape, REAL)
    y = draw.output(shape)
    z = draw.output(shape, name="z")
    draw.file.operator("QUANTIZE", [x], [y], "QuantizeOptions")
    draw.file.operator("QUANTIZE", [y], [z], "QuantizeOptions")
    return draw.build(z)


def dequantize(draw):
    shape = (2, 3, 4)
    x = draw.input(shape)
    y = draw.file.tensor("y", shape, REAL)
    draw.file.operator("DEQUANTIZE", [x], [y], "DequantizeOptions")
    return draw.build(y)


def _move(draw, code, shape, result, extra=(), options=None, **fields):
    grid = draw.grid()
    x, y = draw.input(shape, grid), draw.output(result, grid)
    draw.file.operator(code, [x, *extra], [y], options, **fields)
    return draw.build(y)


def _behind_pool(draw, shape):
    """A tensor that the reader keeps with channels first, and its grid."""
    grid = draw.grid()
    x, y = draw.input(shape, grid), draw.output(shape, grid, name="pooled")
    draw.file.operator(
        "MAX_POOL_2D", [x], [y], "Pool2DOptions",
        Padding=0, StrideH=1, StrideW=1, FilterHeight=2, FilterWidth=1,
    )  # fmt: skip
    return y, grid


def reshape(draw):
    shape = (1, draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 4))
    source, grid = _behind_pool(draw, shape)
    target = draw.pick((1, -1), (1, shape[1] * shape[2], shape[3]), (shape[3], -1))
    total = int(np.prod(shape))
    known = -int(np.prod(target)) if -1 in target else 1
    y = draw.output(tuple(total // known if size == -1 else size for size in target), grid)
    if draw.chance():
        draw.file.operator("RESHAPE", [source, draw.index("shape", target)], [y])
    else:
        draw.file.operator("RESHAPE", [source], [y], "ReshapeOptions", NewShape=target)
    return draw.build(y)


def squeeze(draw):
    shape = (1, 1, draw.integer(2, 4), draw.integer(2, 4))
    source, grid = _behind_pool(draw, shape)
    y = draw.output(shape[2:] if draw.chance() else (1, *shape[2:]), grid)
    axes = (0, 1) if len(draw.file.tensors[y]["shape"]) == 2 else (1,)
    draw.file.operator("SQUEEZE", [source], [y], "SqueezeOptions", SqueezeDims=axes)
    return draw.build(y)


def expand_dims(draw):
    """And a convolution along one dimension behind it."""
    length, channels = draw.integer(4, 8), draw.integer(1, 3)
    x = draw.input((1, length, channels))
    grid = draw.grid_of(x)
    wide = draw.output((1, length, 1, channels), grid, name="wide")
    draw.file.operator("EXPAND_DIMS", [x, draw.index("axis", [2])], [wide])
    pooled = draw.output((1, length // 2, 1, channels), grid, name="pooled")
    draw.file.operator(
        "MAX_POOL_2D", [wide], [pooled], "Pool2DOptions",
        Padding=1, StrideH=2, StrideW=1, FilterHeight=2, FilterWidth=1,
    )  # fmt: skip
    y = draw.output((1, length // 2, channels), grid)
    draw.file.operator("SQUEEZE", [pooled], [y], "SqueezeOptions", SqueezeDims=(2,))
    return draw.build(y)


def transpose(draw):
    shape = tuple(draw.integer(1, 4) for _ in range(4))
    source, grid = _behind_pool(draw, shape)
    order = tuple(int(axis) for axis in draw.random.permutation(4))
    y = draw.output(tuple(shape[axis] for axis in order), grid)
    draw.file.operator("TRANSPOSE", [source, draw.index("perm", order)], [y], "TransposeOptions")
    return draw.build(y)


def pad(draw):
    shape = (1, draw.integer(2, 4), draw.integer(2, 4), draw.integer(1, 3))
    pads = [(0, 0), *((draw.integer(0, 2), draw.integer(0, 2)) for _ in range(3))]
    source, grid = _behind_pool(draw, shape)
    y = draw.output([size + sum(ends) for size, ends in zip(shape, pads, strict=True)], grid)
    draw.file.operator("PAD", [source, draw.index("pads", pads)], [y], "PadOptions")
    return draw.build(y)


def padv2(draw):
    shape = (1, draw.integer(2, 4), draw.integer(2, 4), draw.integer(1, 3))
    pads = [(0, 0), *((draw.integer(0, 2), draw.integer(0, 2)) for _ in range(3))]
    source, grid = _behind_pool(draw, shape)
    fill = draw.file.constant("fill", draw.codes((1,)), draw.kind, **grid)
    y = draw.output([size + sum(ends) for size, ends in zip(shape, pads, strict=True)], grid)
    draw.file.operator("PADV2", [source, draw.index("pads", pads), fill], [y], "PadV2Options")
    return draw.build(y)


def mirror_pad(draw):
    shape = (1, draw.integer(3, 5), draw.integer(3, 5), draw.integer(1, 3))
    symmetric = draw.chance()
    most = 1 if symmetric else 2
    pads = [(0, 0), *((draw.integer(0, most), draw.integer(0, most)) for _ in range(2)), (0, 0)]
    source, grid = _behind_pool(draw, shape)
    y = draw.output([size + sum(ends) for size, ends in zip(shape, pads, strict=True)], grid)
    mode = {"Mode": int(symmetric)}
    draw.file.operator("MIRROR_PAD", [source, draw.index("pads", pads)], [y], "MirrorPadOptions", **mode)
    return draw.build(y)


def slice_(draw):
    shape = (1, *(draw.integer(2, 5) for _ in range(3)))
    starts = [draw.integer(0, size - 1) for size in shape]
    sizes = [draw.pick(-1, draw.integer(1, size - start)) for size, start in zip(shape, starts, strict=True)]
    kept = [size - start if n == -1 else n for size, start, n in zip(shape, starts, sizes, strict=True)]
    source, grid = _behind_pool(draw, shape)
    y = draw.output(kept, grid)
    draw.file.operator("SLICE", [source, draw.index("begin", starts), draw.index("size", sizes)], [y], "SliceOptions")
    return draw.build(y)


def strided_slice(draw):
    shape = (1, *(draw.integer(2, 6) for _ in range(3)))
    source, grid = _behind_pool(draw, shape)
    begin, end, step = [0], [1], [1]
    for size in shape[1:]:
        first, last = sorted(draw.random.choice(size + 1, 2, replace=False).tolist())
        stride = draw.pick(1, 1, 2)
        if draw.chance() and last < size:
            first, last, stride = last, first, -stride
        begin.append(first)
        end.append(last)
        step.append(stride)
    shrink = draw.pick(0, 0, 2, 4)
    masks = {"BeginMask": draw.pick(0, 2, 8), "EndMask": draw.pick(0, 4), "ShrinkAxisMask": shrink}
    result = []
    for axis, size in enumerate(shape):
        bit = 1 << axis
        if shrink & bit:
            begin[axis] = min(begin[axis], size - 1)
            end[axis], step[axis] = begin[axis] + 1, 1
            masks["BeginMask"] &= ~bit
            masks["EndMask"] &= ~bit
            continue
        first = None if masks["BeginMask"] & bit else begin[axis]
        last = None if masks["EndMask"] & bit else end[axis]
        result.append(len(range(*slice(first, last, step[axis]).indices(size))))
    if 0 in result:
        return strided_slice(Draw(draw.integer(0, 1 << 30), draw.kind))
    y = draw.output(result, grid)
    bounds = [draw.index(name, values) for name, values in (("begin", begin), ("end", end), ("strides", step))]
    draw.file.operator("STRIDED_SLICE", [source, *bounds], [y], "StridedSliceOptions", **masks)
    return draw.build(y)


def split(draw):
    shape, axis, parts = [1, 2, 3, 4], draw.integer(1, 3), draw.integer(2, 3)
    each = draw.integer(1, 3)
    shape[axis] = each * parts
    source, grid = _behind_pool(draw, shape)
    shape[axis] = each
    ys = [draw.output(shape, grid, name=f"y{number}") for number in range(parts)]
    draw.file.operator("SPLIT", [draw.index("axis", axis), source], ys, "SplitOptions", NumSplits=parts)
    return draw.build(*ys)


def split_v(draw):
    shape, axis = [1, 2, 3, 4], draw.integer(1, 3)
    sizes = [draw.integer(1, 3) for _ in range(3)]
    shape[axis] = sum(sizes)
    source, grid = _behind_pool(draw, shape)
    ys = []
    for number, size in enumerate(sizes):
        shape[axis] = size
        ys.append(draw.output(shape, grid, name=f"y{number}"))
    written = draw.index("sizes", [sizes[0], -1, sizes[2]])
    draw.file.operator("SPLIT_V", [source, written, draw.index("axis", axis)], ys, "SplitVOptions", NumSplits=3)
    return draw.build(*ys)


def pack(draw):
    shape, grid, axis = (2, 3), draw.grid(), draw.integer(0, 2)
    operands = [draw.input(shape, grid, name=f"x{number}") for number in range(3)]
    y = draw.output(np.insert(shape, axis, 3).tolist(), grid)
    draw.file.operator("PACK", operands, [y], "PackOptions", ValuesCount=3, Axis=axis)
    return draw.build(y)


def unpack(draw):
    shape, grid, axis = [2, 3, 4], draw.grid(), draw.integer(0, 2)
    x = draw.input(shape, grid)
    parts = shape.pop(axis)
    ys = [draw.output(shape, grid, name=f"y{number}") for number in range(parts)]
    draw.file.operator("UNPACK", [x], ys, "UnpackOptions", Num=parts, Axis=axis)
    return draw.build(*ys)


def gather(draw):
    shape = (2, 3, 4)
    grid, axis = draw.grid(), draw.integer(0, 2)
    count = draw.integer(1, 4)
    x = draw.input(shape, grid)
    y = draw.output([count if dim == axis else size for dim, size in enumerate(shape)], grid)
    indices = draw.index("indices", draw.random.integers(0, shape[axis], count))
    draw.file.operator("GATHER", [x, indices], [y], "GatherOptions", Axis=axis)
    return draw.build(y)


def _resize(draw, code, options):
    shape = (1, draw.integer(1, 7), draw.integer(1, 7), draw.integer(1, 3))
    size = [draw.integer(1, draw.pick(12, 120)), draw.integer(1, 12)]
    mode = draw.pick({}, {"AlignCorners": True}, {"HalfPixelCenters": True})
    return _move(draw, code, shape, (1, *size, shape[3]), [draw.index("size", size)], options, **mode)


def resize_bilinear(draw):
    return _resize(draw, "RESIZE_BILINEAR", "ResizeBilinearOptions")


def resize_nearest(draw):
    return _resize(draw, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def batch_matmul(draw):
    batch, m, k, n = (draw.integer(1, 4) for _ in range(4))
    turned = [draw.chance(), draw.chance()]
    left, right = ((k, m) if turned[0] else (m, k)), ((n, k) if turned[1] else (k, n))
    grids = [draw.grid(), draw.grid()]
    x = draw.input((2, batch, *left), grids[0])
    shape = draw.pick((2, batch, *right), right)
    x2 = draw.constant("c", shape) if draw.chance() else draw.input(shape, grids[1], name="x2")
    y = draw.output((2, batch, m, n), draw.grid(spread=k))
    fields = {"AdjX": turned[0], "AdjY": turned[1]}
    draw.file.operator("BATCH_MATMUL", [x, x2], [y], "BatchMatMulOptions", **fields)
    return draw.build(y)


def depth_to_space(draw):
    block, channels = draw.integer(2, 3), draw.integer(1, 2)
    height, width = draw.integer(1, 3), draw.integer(1, 3)
    shape = (1, height, width, channels * block * block)
    result = (1, height * block, width * block, channels)
    return _move(draw, "DEPTH_TO_SPACE", shape, result, options="DepthToSpaceOptions", BlockSize=block)


def space_to_depth(draw):
    block, channels = draw.integer(2, 3), draw.integer(1, 2)
    height, width = draw.integer(1, 3), draw.integer(1, 3)
    shape = (1, height * block, width * block, channels)
    result = (1, height, width, channels * block * block)
    return _move(draw, "SPACE_TO_DEPTH", shape, result, options="SpaceToDepthOptions", BlockSize=block)


_EIGHT, _ALL = ("INT8", "UINT8"), ("INT8", "INT16", "UINT8")

CASES = {
    conv: _ALL,
    conv_int32_bias: ("INT16",),
    conv_int4: ("INT8",),
    depthwise: _ALL,
    depthwise_int4: ("INT8",),
    fully_connected: _ALL,
    fully_connected_int32_bias: ("INT16",),
    fully_connected_int4: ("INT8",),
    transpose_conv: _ALL,
    batch_matmul: ("INT8", "INT16"),
    add: _ALL,
    sub: _ALL,
    mul: _ALL,
    prelu: _EIGHT,
    concatenation: _ALL,
    average_pool: _ALL,
    max_pool: _ALL,
    mean: _ALL,
    relu: _ALL,
    relu6: _ALL,
    relu_n1_to_1: _EIGHT,
    leaky_relu: _ALL,
    hard_swish: _EIGHT,
    gelu: _EIGHT,
    logistic: _ALL,
    tanh: _ALL,
    softmax: _ALL,
    quantize: _ALL,
    dequantize: _ALL,
    reshape: _ALL,
    squeeze: _ALL,
    expand_dims: _ALL,
    transpose: _ALL,
    pad: _ALL,
    padv2: _EIGHT,
    mirror_pad: _EIGHT,
    slice_: _ALL,
    strided_slice: _ALL,
    split: _ALL,
    split_v: _ALL,
    pack: _ALL,
    unpack: _ALL,
    gather: _ALL,
    resize_bilinear: _ALL,
    resize_nearest: _ALL,
    depth_to_space: _EIGHT,
    space_to_depth: _EIGHT,
}

ONLY_INTEGER = {
    conv_int32_bias,
    conv_int4,
    depthwise_int4,
    fully_connected_int32_bias,
    fully_connected_int4,
    quantize,
    dequantize,
}


def model(case, kind, seed):
    """Return the bytes of one random file, and the generator of its inputs."""
    draw = Draw(seed, kind)
    return case(draw), draw


def feeds(draw, batch=None):
    """Return random arrays for the inputs of a built case, by tensor number in the file."""
    arrays = {}
    for number in draw.file.inputs:
        row = draw.file.tensors[number]
        if row["kind"] == REAL:
            arrays[number] = (draw.random.standard_normal(row["shape"]) * 3).astype(np.float32)
        else:
            low, high = RANGES[row["kind"]]
            arrays[number] = draw.random.integers(low, high + 1, row["shape"]).astype(row["kind"].lower())
    return arrays
