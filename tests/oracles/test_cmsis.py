"""CMSIS-NN's own test data through the product: graphs of its layers on a machine with its arithmetic, every code equal."""

import json

import numpy as np
import pytest

from hwsim.hardware import load_accelerator
from tests.oracles.cmsis_layers import FIRST, execute, outputs
from tests.oracles.cmsis_networks import Network
from tests.oracles.reference_data import absent, each_file, found

pytestmark = pytest.mark.oracle
LAYERS = "arithmetic/cmsis_nn_cases*.npz"


@pytest.fixture(scope="module")
def machine():
    keys = {"accumulator": "exact", "psum": "exact", "requantizer": "cmsis_nn", "arithmetic": "tflite"}
    return load_accelerator("edge_16x16", overrides=[f"datapath.{key}={value}" for key, value in keys.items()])


def meta(path):
    with np.load(path) as data:
        return json.loads(bytes(data["__meta__"]).decode())


CASES = [(path, name, record) for path in found(LAYERS) for name, record in meta(path).items()]
BIASES_OF_64_BITS = [case for case in CASES if (case[2]["in_t"], case[2]["bias_t"]) == ("int16", "int64")]


def each_layer(cases, kind=""):
    """Run a test on each case; where there is none, skip it and say of which kind."""
    named = [pytest.param(*case, id=f"{case[0].stem}-{case[1]}") for case in cases]
    return pytest.mark.parametrize(("path", "name", "record"), named or [absent(f"{LAYERS}{kind}", values=3)])


def arrays_of(path, name):
    with np.load(path) as data:
        return {key.removeprefix(f"{name}/"): data[key] for key in data.files if key.startswith(f"{name}/")}


@each_layer(CASES)
def test_every_layer(machine, path, name, record):
    arrays = arrays_of(path, name)
    got = outputs(machine, record, arrays).reshape(-1)
    assert got.shape == arrays["ref"].shape
    wrong = int((got != arrays["ref"]).sum())
    assert not wrong, f"{wrong} of {got.size} codes differ"


@each_layer(BIASES_OF_64_BITS, " with an int16 layer of an int64 bias")
def test_the_bias_chooses_the_requantizer(machine, path, name, record):
    """With the same bias in 32 bits, the other requantizer gives other codes, in the layers where the two differ."""
    arrays = arrays_of(path, name)
    if np.abs(arrays["b"]).max() >= 1 << 31:
        pytest.skip(f"the bias of {name} does not fit 32 bits")
    got = outputs(machine, record | {"bias_t": "int32"}, arrays).reshape(-1)
    if np.array_equal(got, arrays["ref"]):
        pytest.skip(f"both requantizers give the same codes in {name}")
    assert np.abs(got.astype(np.int64) - arrays["ref"]).max() <= 2  # the narrower multiplier, relative to 2^15 codes


@each_file("arithmetic/ds_cnn_*.npz")
def test_whole_networks(machine, path):
    """A trained network with its softmax."""
    with np.load(path) as data:
        arrays = {key: data[key] for key in data.files if not key.startswith("__")}
        defines = json.loads(bytes(data["__defines__"]).decode())
    (given,), (expected,) = (
        [value for key, value in arrays.items() if key.endswith(end)] for end in ("_input", "_output_ref")
    )
    graph = Network(defines, arrays, path.stem).graph()
    shape = graph.tensors["x"].shape
    x = np.ascontiguousarray(given.reshape(1, *shape[2:], shape[1]).transpose(FIRST))
    got = execute(machine, graph, {"x": x}).reshape(-1)
    assert got.tolist() == expected.tolist()
