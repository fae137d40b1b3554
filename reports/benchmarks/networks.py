"""Whole int8 networks, one image, one thread: hwsim's exact integers against ONNX Runtime on the same QOperator file.

Run ``python reports/benchmarks/networks.py`` (needs ``pip install '.[oracle]'``); it writes ``networks.csv`` beside this file.
Files are made by ``onnxruntime.quantization`` from the bundled topologies: uint8 activations, 7-bit weights per channel, so
that ONNX Runtime is exact on every processor; the outputs are compared before anything is timed. Times are medians of runs
that take turns, in milliseconds of the thread's processor time; weights are packed before, as they are in ONNX Runtime's
session. What is timed is ``run_integer``, with the checks and the encoding of the real-valued images, as ONNX Runtime's
``run`` takes them too; ``hwsim.simulate`` adds the float32 network and its comparison. Small networks run often enough for a
steady median.
"""

from __future__ import annotations

import csv
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization

import hwsim
from hwsim.execute.integer import Layer, run_integer
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Graph
from hwsim.quantization import prepare
from hwsim.schedule import schedule
from hwsim.zoo import load_model, natural_images

RUNS = 15
LEAST_SECONDS = 0.5
GOALS = {
    ("resnet50", 1): 1.25,
    ("squeezenet", 1): 2.0,
    ("digits_mobilenet", 1): 3.0,
    ("digits_mobilenet", 100): 2.0,
    ("shufflenet", 1): 3.0,
}
MACHINE = ("psum=exact", "accumulator=int32:wrap", "requantizer=float32", "arithmetic=onnxruntime")


class Reader(quantization.CalibrationDataReader):
    """The calibration images, one at a time."""

    def __init__(self, name: str, images: np.ndarray) -> None:
        self.feeds = iter([{name: images[i : i + 1]} for i in range(len(images))])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.feeds, None)


def drawn(name: str, shape: list[int], count: int) -> np.ndarray:
    """Return images that the network knows, or drawn ones."""
    if name.startswith("digits"):
        return hwsim.dataset(name, "test")["image"][:count]
    return natural_images(count, *shape, seed=0)


def quantized(folder: str, name: str, count: int = 1) -> tuple[str, dict[str, np.ndarray]]:
    """Return the path of the int8 file and ``count`` images for it."""
    model = onnx.ModelProto.FromString(load_model(name, 0).SerializeToString())
    for node in model.graph.node:
        if node.op_type == "Sum" and len(node.input) == 2:
            node.op_type = "Add"
    plain, ready, path = (str(Path(folder) / f"{name}.{stage}.onnx") for stage in ("float", "ready", "int8"))
    onnx.save(model, plain)
    quantization.quant_pre_process(plain, ready, skip_symbolic_shape=True)
    feed = model.graph.input[0]
    images = drawn(name, [dim.dim_value for dim in feed.type.tensor_type.shape.dim][1:], 2 + count)
    kinds = {"activation_type": quantization.QuantType.QUInt8, "weight_type": quantization.QuantType.QInt8}
    style = quantization.QuantFormat.QOperator
    reader = Reader(feed.name, images[:2])
    quantization.quantize_static(ready, path, reader, quant_format=style, per_channel=True, reduce_range=True, **kinds)
    return path, {feed.name: images[2:]}


def runner(graph: Graph, image: dict[str, np.ndarray]) -> Callable[[], dict[str, np.ndarray]]:
    """Return a call that computes all integers of one image."""
    machine = hwsim.accelerator("edge_16x16", overrides=[f"datapath.{key}" for key in MACHINE])
    mappings = schedule(graph, machine).mappings
    layers = {node.name: Layer.of(graph, node, machine, mappings.get(node.name)) for node in graph.nodes}
    constants = encode_constants(graph)
    return lambda: run_integer(graph, layers, image, constants=constants)


def measure(name: str, count: int, folder: str) -> dict[str, object]:
    """Return the row of one network and number of images."""
    path, image = quantized(folder, name, count)
    graph = prepare(hwsim.load(path))
    ours = runner(graph, image)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    start = time.thread_time()
    found = ours()
    first = time.thread_time() - start
    for result, output in zip(session.run(None, image), session.get_outputs(), strict=True):
        grid, value = graph.tensors[output.name].quant, found[output.name]
        assert np.array_equal(result, value if grid is None or result.dtype == value.dtype else grid.decode(value)), (
            name
        )
    times: dict[str, list[float]] = {"hwsim": [], "onnxruntime": []}
    began = time.thread_time()
    while len(times["hwsim"]) < RUNS or time.thread_time() - began < LEAST_SECONDS:
        for who, call in (("hwsim", ours), ("onnxruntime", lambda: session.run(None, image))):
            start = time.thread_time()
            call()
            times[who].append(time.thread_time() - start)
    mine, peer = (statistics.median(times[who]) for who in ("hwsim", "onnxruntime"))
    macs = sum(row["macs"] for row in hwsim.simulate(graph, hwsim.accelerator("edge_16x16")).layers.rows())
    return {
        "network": name,
        "images": count,
        "gmac": round(count * macs / 1e9, 4),
        "hwsim_ms": round(mine * 1e3, 2),
        "onnxruntime_ms": round(peer * 1e3, 2),
        "ratio": round(mine / peer, 2),
        "goal_ratio": GOALS[name, count],
        "verdict": "met" if mine / peer <= GOALS[name, count] else "missed",
        "first_call_s": round(first, 2),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, count in GOALS:
            rows.append(measure(name, count, folder))
            print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    with (Path(__file__).parent / "networks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
