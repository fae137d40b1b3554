"""Speed of exact integer products on one thread, with goals and peers of the same run; writes ``gemm.csv`` beside this file.

Run ``python reports/benchmarks/gemm.py`` (needs ``pip install '.[oracle]'`` for the peers). Rows are medians of calls that
take turns with their peers, in billions of multiply-accumulates per second of the thread's processor time; a ratio below 1 misses the goal or is slower
than the peer. Results are compared before they are timed; weights have 7 bits, so that ONNX Runtime's kernels for
processors without VNNI, which saturate pairs of products, are exact, too.
"""

from __future__ import annotations

import csv
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from hwsim.kernels import cpu
from hwsim.kernels.gemm import (
    PackedWeights,
    Window,
    conv_packed,
    conv_requantized,
    gemm_packed,
    make_epilogue,
    pack_kernels,
    pack_weights,
)
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition

RUNS = 15
GOAL, GOAL_WITH_VNNI = 60.0, 400.0
GOAL_TO_PEER = 0.8
# channels, outputs, height = width, kernel, stride: every shape of ResNet-50 once
LAYERS = (
    (3, 64, 224, 7, 2),
    (64, 64, 56, 1, 1),
    (64, 64, 56, 3, 1),
    (64, 256, 56, 1, 1),
    (256, 64, 56, 1, 1),
    (256, 128, 56, 1, 1),
    (128, 128, 56, 3, 2),
    (128, 512, 28, 1, 1),
    (256, 512, 56, 1, 2),
    (512, 128, 28, 1, 1),
    (128, 128, 28, 3, 1),
    (256, 256, 14, 3, 1),
    (256, 1024, 14, 1, 1),
    (1024, 256, 14, 1, 1),
    (512, 512, 7, 3, 1),
    (512, 2048, 7, 1, 1),
    (2048, 512, 7, 1, 1),
)
TYPES = {np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}
Row = tuple[str, str, float, float, str, float]


def medians(*actions: Callable[[], object]) -> list[float]:
    """Return the median processor seconds of each action; they take turns, after one call each that is not counted."""
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(RUNS + 1):
        for action, taken in zip(actions, times, strict=True):
            start = time.thread_time()
            action()
            if turn:
                taken.append(time.thread_time() - start)
    return [statistics.median(taken) for taken in times]


def route_of(packed: PackedWeights) -> str:
    """Return the name of the route that the weights took."""
    return packed.route.name if packed.route else "blas"


def session(
    operator: str,
    inputs: dict[str, np.ndarray],
    constants: dict[str, np.ndarray],
    order: list[str],
    output: int,
    **attributes: object,
) -> onnxruntime.InferenceSession:
    """Return ONNX Runtime's session of one operator on one thread."""
    graph = helper.make_graph(
        [helper.make_node(operator, order, ["y"], **attributes)],
        "one_operator",
        [helper.make_tensor_value_info(name, TYPES[value.dtype], value.shape) for name, value in inputs.items()],
        [helper.make_tensor_value_info("y", output, None)],
        [
            helper.make_tensor(
                name,
                helper.np_dtype_to_tensor_dtype(value.dtype),
                value.shape,
                value.tobytes(),
                raw=True,
            )
            for name, value in constants.items()
        ],
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def squares(goal: float) -> Iterator[Row]:
    """Yield products of 1024 x 1024 matrices, against MatMulInteger and numpy's float32 product."""
    size, random = 1024, np.random.default_rng(1)
    macs = size**3
    for a_type, w_type in ((np.uint8, np.int8), (np.uint8, np.uint8), (np.int8, np.int8)):
        a_low, a_high = np.iinfo(a_type).min, np.iinfo(a_type).max
        a = random.integers(a_low, a_high + 1, (size, size)).astype(a_type)
        w = random.integers(-64 if w_type is np.int8 else 0, 64, (size, size)).astype(w_type)
        packed = pack_weights(w, (int(a_low), int(a_high)))
        out = np.empty((size, size), np.int32)
        peer = session("MatMulInteger", {"a": a}, {"w": w}, ["a", "w"], TensorProto.INT32)
        assert (gemm_packed(a, packed) == peer.run(None, {"a": a})[0]).all()
        ours, theirs = medians(
            lambda a=a, packed=packed, out=out: gemm_packed(a, packed, out),
            lambda a=a, peer=peer: peer.run(None, {"a": a}),
        )
        name = f"{a.dtype} x {w.dtype}, 1024 x 1024 x 1024"
        yield name, route_of(packed), macs / ours / 1e9, goal, "ONNX Runtime MatMulInteger", macs / theirs / 1e9
    x, y, b = a.astype(np.float32), w.astype(np.float32), (a.astype(np.int16) + 128).astype(np.uint8)
    ours, theirs = medians(lambda: gemm_packed(a, packed, out), lambda: np.matmul(x, y))
    yield name, route_of(packed), macs / ours / 1e9, goal, "numpy float32 matmul", macs / theirs / 1e9
    packed = pack_weights(random.integers(-128, 128, (size, size)), (0, 255))
    ours, theirs = medians(lambda: gemm_packed(b, packed, out), lambda: np.matmul(x, y))
    name = "uint8 x int8 of all 8 bits, 1024 x 1024 x 1024"
    yield name, route_of(packed), macs / ours / 1e9, goal, "numpy float32 matmul", macs / theirs / 1e9
    centred = random.integers(-255, 256, (size, size)).astype(np.int16)
    packed = pack_weights(random.integers(-127, 128, (size, size)), (-255, 255))
    ours, theirs = medians(lambda: gemm_packed(centred, packed, out), lambda: np.matmul(x, y))
    yield (
        "int16 x int8, 1024 x 1024 x 1024",
        route_of(packed),
        macs / ours / 1e9,
        goal,
        "numpy float32 matmul",
        macs / theirs / 1e9,
    )


def convolutions(goal: float) -> Iterator[Row]:
    """Yield layers of ResNet-50 from codes to codes, against QLinearConv, both with their own layout in memory."""
    random, unit = np.random.default_rng(2), Requantizer(scheme="float32")
    for channels, outputs, size, kernel, stride in LAYERS:
        pad = kernel // 2
        window = Window(kernel=(kernel, kernel), strides=(stride, stride), pads=(pad,) * 4, pad_code=3)
        x = random.integers(0, 256, (1, channels, size, size)).astype(np.uint8)
        w = random.integers(-64, 64, (outputs, channels, kernel, kernel)).astype(np.int8)
        bias = random.integers(-9999, 9999, outputs).astype(np.int32)
        scale = np.float32(1e-3) * np.ones(outputs, np.float32)
        packed = pack_kernels(w, 1, (0, 255), 3)
        constants = definition("float32").constants(scale.astype(np.float64), unit)
        epilogue = make_epilogue(packed, constants, unit, bias, zero_point=9, low=0, high=255)
        tensors = {
            "x_scale": np.float32(1),
            "x_zero": np.uint8(3),
            "w": w,
            "w_scale": scale,
            "w_zero": np.zeros(outputs, np.int8),
            "y_scale": np.float32(1),
            "y_zero": np.uint8(9),
            "bias": bias,
        }
        peer = session(
            "QLinearConv",
            {"x": x},
            {name: np.asarray(value) for name, value in tensors.items()},
            ["x", *tensors],
            TensorProto.UINT8,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
        )
        inner = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
        codes = conv_requantized(inner, packed, window, epilogue).codes
        assert (codes == peer.run(None, {"x": x})[0]).all()
        macs = codes[0, 0].size * outputs * channels * kernel**2
        ours, theirs = medians(
            lambda x=inner, p=packed, v=window, e=epilogue: conv_requantized(x, p, v, e),
            lambda peer=peer, x=x: peer.run(None, {"x": x}),
        )
        name = f"{channels} to {outputs} channels at {size}, {kernel}x{kernel} / {stride}, to codes"
        yield name, route_of(packed), macs / ours / 1e9, goal, "ONNX Runtime QLinearConv", macs / theirs / 1e9


def depthwise() -> Iterator[Row]:
    """Yield depthwise layers of MobileNetV2, sums only, against what their bytes of input would take to copy."""
    random = np.random.default_rng(3)
    for channels, size, stride in ((32, 112, 1), (144, 56, 1), (384, 14, 1), (960, 7, 1)):
        window = Window(kernel=(3, 3), strides=(stride, stride), pads=(1, 1, 1, 1), pad_code=3)
        x = random.integers(0, 256, (1, size, size, channels)).astype(np.uint8).transpose(0, 3, 1, 2)
        packed = pack_kernels(random.integers(-64, 64, (channels, 1, 3, 3)), channels, (0, 255), 3)
        macs = conv_packed(x, packed, window).size * 9
        ours, theirs = medians(
            lambda x=x, packed=packed, window=window: conv_packed(x, packed, window),
            lambda x=x: x.astype(np.int32),
        )
        name = f"depthwise 3x3, {channels} channels at {size}"
        yield (
            name,
            route_of(packed),
            macs / ours / 1e9,
            8.0,
            "numpy: the input to int32, as if 9 MACs each",
            macs / theirs / 1e9,
        )


def main() -> None:
    """Print and write all rows."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    has_vnni = "avx512vnni" in cpu.features()
    goal = GOAL_WITH_VNNI if has_vnni else GOAL
    print(f"goal {goal:g} GMAC/s and {GOAL_TO_PEER:g} of ONNX Runtime")
    if not has_vnni:
        print(f"this processor has no AVX512-VNNI: the goal of {GOAL_WITH_VNNI:g} GMAC/s with it is not measured here")
    with (Path(__file__).parent / "gemm.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("what", "route", "gmac_per_s", "goal", "ratio_to_goal", "peer", "peer_gmac_per_s", "ratio_to_peer")
        )
        for rows in (squares(goal), convolutions(goal), depthwise()):
            for what, route, ours, wanted, peer, theirs in rows:
                writer.writerow(
                    (
                        what,
                        route,
                        f"{ours:.1f}",
                        f"{wanted:g}",
                        f"{ours / wanted:.2f}",
                        peer,
                        f"{theirs:.1f}",
                        f"{ours / theirs:.2f}",
                    )
                )
                print(
                    f"{what:46} {route:10} {ours:7.1f} GMAC/s  goal {wanted:g} ({ours / wanted:.2f})  {peer} {theirs:.1f} ({ours / theirs:.2f})"
                )


if __name__ == "__main__":
    main()
