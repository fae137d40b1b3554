"""TensorFlow Lite models against LiteRT's reference kernels (``OpResolverType.BUILTIN_REF``), every integer of every tensor.

* ``arithmetic/*.tflite`` of the reference data: whole trained networks on the recorded inputs, by CRC. What a MEAN or a
  SOFTMAX has a part in is left out, as the data's README asks: its kernels differ between releases.
* Where the package ``ai-edge-litert`` is installed: random networks of one operator each, for every element type that
  LiteRT computes the operator in.

Both run the product's own path: ``read_tflite``, ``adopt``, ``schedule`` and ``run_integer`` on a machine with
``--runtime tflite``.
"""

import json
import zlib

import networkx as nx
import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph.fusion import adopt
from hwsim.hardware.runtimes import RUNTIMES
from hwsim.interchange.tflite import placed_tensors, read_tflite
from tests.integers import every_tensor
from tests.interchange.tflite import cases
from tests.oracles.reference_data import each_file

NOT_COMPARED = {"ReduceMean", "Softmax"}
SEEDS = 25


def machine(accumulator):
    """An array that sums exactly into ``accumulator``, with LiteRT's arithmetic behind it."""
    runtime = [f"datapath.{key}={value}" for key, value in RUNTIMES["tflite"].items()]
    return hwsim.accelerator(
        "edge_16x16", overrides=["datapath.psum=exact", f"datapath.accumulator={accumulator}", *runtime]
    )


def behind(graph, operators):
    """The tensors in which an operator of ``operators`` has a part."""
    starts = {node.name for node in graph.nodes if node.op in operators}
    reached = starts.union(*(nx.descendants(graph.network, start) for start in starts))
    return {name for node in graph.nodes if node.name in reached for name in node.outputs}


@each_file("arithmetic/*.tflite")
def test_trained_networks(path):
    recorded = json.loads(path.with_name(f"{path.stem}_tensor_crc32.json").read_text("utf-8"))["inputs"]
    graph, placed = hwsim.load(path), placed_tensors(path)
    (source,) = (at for at in placed.values() if at.name == graph.inputs[0])
    skipped, compared = behind(graph, NOT_COMPARED), 0
    with np.load(path.with_name(f"{path.stem}_inputs.npz")) as arrays:
        inputs = {name: arrays[name] for name in arrays}
    assert inputs.keys() == recorded.keys()
    for name, array in inputs.items():
        seen = every_tensor(graph, machine("int32:wrap"), {source.name: source.in_graph_layout(array)})
        for index, (shape, dtype, crc) in recorded[name].items():
            at = placed[int(index)]
            if at.name in skipped:
                continue
            got = at.in_file_layout(seen[at.name])
            assert (list(got.shape), got.dtype.name) == (shape, dtype), f"{name}: {at.name}"
            assert zlib.crc32(got.tobytes()) == crc, f"{name}: {at.name} differs"
            compared += 1
    assert compared


def litert(data, feeds, numbers):
    """What LiteRT's reference kernels compute: the arrays of ``numbers``, in the file's layout."""
    interpreter = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="ai-edge-litert is not installed (pip install .[oracle])"
    )
    runner = interpreter.Interpreter(
        model_content=data,
        experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    runner.allocate_tensors()
    for number, array in feeds.items():
        runner.set_tensor(number, array)
    runner.invoke()
    return {number: runner.get_tensor(number) for number in numbers}


def both(case, kind, seed):
    """Arrays of every computed tensor by name: ours and LiteRT's."""
    data, draw = cases.model(case, kind, seed)
    feeds, batch = cases.feeds(draw), draw.file.tensors[draw.file.inputs[0]]["shape"][0]
    graph, placed = read_tflite(data, batch=batch), placed_tensors(data, batch=batch)
    given = {placed[number].name: placed[number].in_graph_layout(array) for number, array in feeds.items()}
    if kind == cases.REAL:
        seen = {}
        run_float(graph, given, observe=seen.__setitem__)
    else:
        seen = every_tensor(adopt(graph), machine("exact" if kind == "INT16" else "int32:wrap"), given)
    numbers = [number for number, at in placed.items() if number not in feeds and at.name in seen]
    assert draw.file.operators[-1][2][-1] in numbers
    expected = litert(data, feeds, numbers)
    return {
        placed[number].name: (placed[number].in_file_layout(seen[placed[number].name]), expected[number])
        for number in numbers
    }


INTEGER = [(case, kind) for case, kinds in cases.CASES.items() for kind in kinds]
FLOAT = [case for case in cases.CASES if case not in cases.ONLY_INTEGER]


@pytest.mark.oracle
@pytest.mark.parametrize(("case", "kind"), INTEGER, ids=[f"{case.__name__}-{kind}" for case, kind in INTEGER])
def test_operators_in_integers(case, kind):
    for seed in range(SEEDS):
        for name, (got, expected) in both(case, kind, seed).items():
            assert (got.shape, got.dtype) == (expected.shape, expected.dtype), f"seed {seed}: {name}"
            np.testing.assert_array_equal(got, expected, err_msg=f"seed {seed}: {name}")


@pytest.mark.oracle
@pytest.mark.parametrize("case", FLOAT, ids=lambda case: case.__name__)
def test_operators_in_float32(case):
    for seed in range(SEEDS):
        for name, (got, expected) in both(case, cases.REAL, seed).items():
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}: {name}")
