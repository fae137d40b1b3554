"""A network bound to arrays of its own: the integers and the counters of the run layer by layer, image after image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hwsim
from hwsim.errors import ExecutionError
from hwsim.execute.integer import program, run_integer
from hwsim.execute.integer.run import encode_constants
from hwsim.graph import Graph, Node, Tensor
from tests.execute.integer.networks import grid, network
from tests.integers import layers_of

ONNXRUNTIME = ("psum=exact", "accumulator=int32:wrap", "requantizer=float32", "arithmetic=onnxruntime")


def machine_of(*keys):
    return hwsim.accelerator("edge_16x16", overrides=[f"datapath.{key}" for key in keys])


def programs_of(layers):
    return next(iter(layers.values())).memory.get("programs", {})


def check_runs(graph, machine, feeds):
    """Compare runs with the same run observed, which goes layer by layer; return the layers of the programs."""
    bound, plain, constants = layers_of(graph, machine), layers_of(graph, machine), encode_constants(graph)
    for feed in feeds:
        found = run_integer(graph, bound, feed, constants=constants)
        wanted = run_integer(graph, plain, feed, constants=constants, observe=lambda *_: None)
        assert list(found) == list(wanted)
        for name, codes in wanted.items():
            assert found[name].dtype == codes.dtype
            assert np.array_equal(found[name], codes, equal_nan=codes.dtype.kind == "f")
    assert {name: layer.counters for name, layer in bound.items()} == {
        name: layer.counters for name, layer in plain.items()
    }
    return bound


@pytest.mark.parametrize("name", ["digits_mobilenet", "digits_resnet"])
@pytest.mark.parametrize(
    "keys", [(), ONNXRUNTIME, ("psum=int14:saturate",)], ids=["native", "onnxruntime", "saturating"]
)
def test_whole_networks(name, keys):
    images = hwsim.dataset(name, "test")["image"]
    graph = hwsim.quantize(hwsim.load(name), calibration=hwsim.dataset(name, "calibration"))
    feeds = [{graph.inputs[0]: images[first : first + 3]} for first in range(0, 12, 3)]
    layers = check_runs(graph, machine_of(*keys), feeds)
    (kept,) = programs_of(layers).values()
    assert (len(kept.counted) > 8) == (keys != ("psum=int14:saturate",))


POOL = {"kernel": (2, 2), "strides": (2, 2), "pads": (0, 0, 0, 0), "dilations": (1, 1)}
MEAN = POOL | {"count_include_pad": 0, "ceil_mode": 0}
UNARY = {
    "Sigmoid": {},
    "Softmax": {"axis": 1},
    "Transpose": {"permutation": (0, 2, 3, 1)},
    "Flatten": {"axis": 1},
    "MaxPool": POOL | {"ceil_mode": 0},
    "AveragePool": MEAN,
    "GlobalAveragePool": {},
    "GlobalMaxPool": {},
}
BINARY = {"Add": {}, "Mul": {}, "Concat": {"axis": 1}}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    op=st.sampled_from([*UNARY, *BINARY]),
    arithmetic=st.sampled_from(["native", "onnxruntime"]),
    text=st.sampled_from(["int8", "uint8", "int4"]),
)
def test_operators(seed, op, arithmetic, text):
    rng = np.random.default_rng(seed)
    attributes = {**UNARY, **BINARY}[op]
    shape = (2, 4, 6, 6)
    operands = [(shape, grid(rng, text), None)] * (2 if op in BINARY else 1)
    output = operands[0][1] if op in ("Transpose", "Flatten", "MaxPool", "GlobalMaxPool") else grid(rng, text)
    graph = network(op, attributes, operands, output)
    feeds = [{name: rng.normal(0, 3, shape).astype(np.float32) for name in graph.inputs} for _ in range(3)]
    check_runs(graph, machine_of(f"arithmetic={arithmetic}"), feeds)


def residual():
    """Return ``y = x.reshape(...) + sigmoid(x.reshape(...))``, of which the reshaped codes are ``x`` itself."""
    rng = np.random.default_rng(0)
    x, y = grid(rng, "int8"), grid(rng, "int8")
    tensors = [
        Tensor(name="x", shape=(1, 2, 6), quant=x),
        Tensor(name="shape", shape=(2,), data=np.array([0, 12])),
        Tensor(name="seen", shape=(1, 12), quant=x),
        Tensor(name="bent", shape=(1, 12), quant=y),
        Tensor(name="y", shape=(1, 12), quant=y),
    ]
    nodes = (
        Node(name="flatten", op="Flatten", inputs=("x",), outputs=("seen",), attributes={"axis": 1}),
        Node(name="bend", op="Sigmoid", inputs=("seen",), outputs=("bent",)),
        Node(name="add", op="Add", inputs=("seen", "bent"), outputs=("y",)),
    )
    tensors = {tensor.name: tensor for tensor in tensors if tensor.name != "shape"}
    return Graph(name="residual", nodes=nodes, tensors=tensors, inputs=("x",), outputs=("y", "seen"))


def images(count=1, seed=0):
    return {"x": np.random.default_rng(seed).normal(0, 4, (count, 2, 6)).astype(np.float32)}


def test_codes_that_are_only_looked_at_from_another_side_take_no_step():
    graph = residual()
    layers = check_runs(graph, machine_of(), [images(seed=seed) for seed in range(4)])
    (kept,) = programs_of(layers).values()
    assert len(kept.steps) == 2
    assert kept.outputs["seen"].base is not None


def test_results_stay_what_they_were():
    graph, machine = residual(), machine_of()
    layers, constants = layers_of(graph, machine), encode_constants(graph)
    first = [run_integer(graph, layers, images(seed=seed), constants=constants) for seed in range(4)]
    again = [run_integer(graph, layers, images(seed=seed), constants=constants) for seed in range(4)]
    for found, wanted in zip(first, again, strict=True):
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_values_are_checked_in_every_run():
    graph, machine = residual(), machine_of()
    layers, constants = layers_of(graph, machine), encode_constants(graph)
    wanted = [run_integer(graph, layers, images(), constants=constants)["y"] for _ in range(2)][1]
    feed = images()
    feed["x"][0, 1, 2] = np.nan
    with pytest.raises(ExecutionError, match="holds 1 NaN among 12 values"):
        run_integer(graph, layers, feed, constants=constants)
    assert np.array_equal(run_integer(graph, layers, images(), constants=constants)["y"], wanted)
    feed["x"][0, 1, 2] = np.inf  # the largest code
    plain = run_integer(graph, layers, feed, constants=constants, observe=lambda *_: None)
    assert np.array_equal(run_integer(graph, layers, feed, constants=constants)["y"], plain["y"])


@pytest.mark.parametrize(
    "as_given",
    [
        lambda x: x.tolist(),
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=2)[:, :, ::2],
        lambda x: x.astype(np.int32),
    ],
    ids=["list", "float64", "columns first", "strided", "integers"],
)
def test_inputs_of_any_type_and_layout(as_given):
    graph = residual()
    check_runs(graph, machine_of(), [{"x": as_given(images(2, seed)["x"])} for seed in range(3)])


def test_few_programs_are_kept_and_each_is_of_its_shape():
    graph, machine = residual(), machine_of()
    layers = check_runs(graph, machine, [images(count, count) for count in (1, 7, 2, 3, 1, 4, 5, 6, 1, 7)])
    assert len(programs_of(layers)) == program.PROGRAMS


def test_a_program_is_of_one_graph_one_set_of_constants_and_its_layers():
    graph, machine = residual(), machine_of()
    layers, constants = layers_of(graph, machine), encode_constants(graph)
    run_integer(graph, layers, images(), constants=constants)
    (kept,) = programs_of(layers).values()
    assert kept.is_of(graph, layers, constants)
    assert not kept.is_of(residual(), layers, constants)
    assert not kept.is_of(graph, layers, dict(constants))
    assert not kept.is_of(graph, layers_of(graph, machine), constants)
    other = dict(constants)
    run_integer(graph, layers, images(), constants=other)
    assert [found.constants is other for found in programs_of(layers).values()] == [True]


def test_a_program_that_runs_is_nobody_elses():
    graph, machine = residual(), machine_of()
    layers, constants = layers_of(graph, machine), encode_constants(graph)
    run_integer(graph, layers, images(), constants=constants)
    assert program.take(graph, layers, constants, images()) is not None
    assert program.take(graph, layers, constants, images()) is None


def test_arrays_are_not_shared_where_somebody_keeps_them(monkeypatch):
    graph, machine = residual(), machine_of()
    constants = encode_constants(graph)
    watched = layers_of(graph, machine, on_product=lambda *_: None)
    observed, large = layers_of(graph, machine), layers_of(graph, machine)
    for _ in range(2):
        run_integer(graph, watched, images(), constants=constants)
        run_integer(graph, observed, images(), constants=constants, observe=lambda *_: None)
    monkeypatch.setattr(program, "LARGEST_BYTES", 47)  # of 48 codes
    run_integer(graph, large, images(), constants=constants)
    assert [programs_of(layers) for layers in (watched, observed, large)] == [{}, {}, {}]
    monkeypatch.setattr(program, "LARGEST_BYTES", 48)
    run_integer(graph, large, images(), constants=constants)
    assert len(programs_of(large)) == 1
