"""Weights on tables: what the writer puts down and what others write alike is read as codes; what differs stays real."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import hwsim
from hwsim.graph import Graph, Node, Tensor
from hwsim.interchange.onnx import read_onnx, write_qdq
from hwsim.interchange.qonnx import write_qonnx
from hwsim.numerics.formats import Codebook, parse_format
from hwsim.numerics.granularity import PER_TENSOR, Granularity
from hwsim.numerics.quant_params import QuantParams

NETWORK = "digits_mobilenet"
IMAGES = {"image": hwsim.dataset(NETWORK, "test")["image"][:3]}
SHOWN = {"image": hwsim.dataset(NETWORK, "calibration")["image"][:16]}
FORMATS = (
    "ternary",
    "bipolar",
    "pot3",
    "power4:0.5",
    "power4:0.7@8",
    "codebook",
    "fp6e2m3",
    "fp6e3m2",
    "fp5e2m2",
    "fp8e3m4",
)


def weight_on(text, granularity, shape, generator):
    number = Codebook(name="codebook2@4", values=(-7, 1, 2, 5)) if text == "codebook" else parse_format(text)
    count = int(np.prod(granularity.scale_shape(shape)))
    scale = tuple(generator.uniform(0.1, 2.0, count).astype(np.float32).tolist())
    grid = QuantParams(format=number, scale=scale, zero_point=(0,) * count, granularity=granularity)
    return Tensor.of_codes("w", grid.encode(generator.normal(0, 2, shape)), grid)


def there_and_back(weight, path):
    """Return the weight of a graph of one product, written and read."""
    if len(weight.shape) == 4:
        attributes = {
            "kernel": weight.shape[2:],
            "strides": (1, 1),
            "pads": (0, 0, 0, 0),
            "dilations": (1, 1),
            "groups": 1,
        }
        node = Node(name="layer", op="Conv", inputs=("x", "w"), outputs=("y",), attributes=attributes)
        shapes = (1, weight.shape[1], *weight.shape[2:]), (1, weight.shape[0], 1, 1)
    else:
        node = Node(name="layer", op="MatMul", inputs=("x", "w"), outputs=("y",), attributes={})
        shapes = (3, weight.shape[0]), (3, weight.shape[1])
    tensors = {name: Tensor(name=name, shape=shape) for name, shape in zip("xy", shapes, strict=True)} | {"w": weight}
    graph = Graph(name="one", nodes=(node,), tensors=tensors, inputs=("x",), outputs=("y",))
    write_qdq(graph, path)
    back = read_onnx(path)
    return back.tensors[back.node_of["layer"].inputs[1]]


@st.composite
def granularities(draw):
    shape = draw(st.sampled_from([(3, 6, 2, 2), (4, 5, 1, 3), (6, 4), (7, 3)]))
    out, along = (0, 1) if len(shape) == 4 else (1, 0)
    run = draw(st.integers(1, 4))
    members = draw(st.permutations([index // run for index in range(shape[along])]))
    choices = [
        PER_TENSOR,
        Granularity(axis=out),
        Granularity(axis=along),
        Granularity.of_runs(along, shape[along], run),
        Granularity.of_runs(along, shape[along], run, by=out),
        Granularity(axis=along, groups=tuple(members), by=out),
    ]
    if len(shape) == 4:
        choices.append(Granularity(axis=along, block=run))
    return shape, draw(st.sampled_from(choices))


@given(text=st.sampled_from(FORMATS), case=granularities(), seed=st.integers(0, 99))
def test_every_format_comes_back_on_every_granularity(text, case, seed, tmp_path_factory):
    shape, granularity = case
    weight = weight_on(text, granularity, shape, np.random.default_rng(seed))
    found = there_and_back(weight, tmp_path_factory.getbasetemp() / "one.onnx")
    np.testing.assert_array_equal(found.encoded(), weight.encoded())
    np.testing.assert_array_equal(found.data, weight.data)
    assert found.quant == weight.quant


@pytest.mark.parametrize("recipe", ["codebook", "ternary", "nupes"])
@pytest.mark.parametrize(("write", "granularity"), [(write_qdq, None), (write_qdq, "group:8"), (write_qonnx, None)])
def test_a_recipe_of_tables_costs_the_same_when_read_back(recipe, write, granularity, tmp_path):
    stated = {} if granularity is None else {"weight_granularity": granularity}
    same_when_read_back(tmp_path, write, recipe=recipe, weights="int4", **stated)


@pytest.mark.parametrize("weights", ["pot4", "fp6e2m3", "power4:0.5", "power4:0.7@8:nearest"])
def test_a_named_grid_costs_the_same_when_read_back(weights, tmp_path):
    same_when_read_back(tmp_path, write_qdq, weights=weights)


def same_when_read_back(folder, write, **stated):
    machine = hwsim.accelerator("edge_16x16", overrides=["datapath.accumulator=exact"])
    network = hwsim.load(NETWORK)
    made = hwsim.quantize(network, activations="uint8", calibration=SHOWN, **stated)
    notes = write(made, folder / "q.onnx")
    assert any("are read from a table by Gather" in note for note in notes)
    back = hwsim.load(folder / "q.onnx")
    for ours, theirs in zip(made.nodes, back.nodes, strict=True):
        for mine, other in zip(ours.inputs, theirs.inputs, strict=True):
            mine, other = made.tensors[mine], back.tensors[other]
            assert (mine.quant is None) == (other.quant is None), ours.name
            if mine.is_constant and mine.quant is not None:
                np.testing.assert_array_equal(other.encoded(), mine.encoded())
                assert other.quant.scale == mine.quant.scale
                assert getattr(other.quant.format, "values", 0) == getattr(mine.quant.format, "values", 0)
    expected, found = (hwsim.simulate(graph, machine, IMAGES, compare=False) for graph in (made, back))
    for key in ("cycles", "energy_pj", "dram_bytes"):
        assert found.summary[key] == expected.summary[key], key
    for name, values in expected.outputs.items():
        np.testing.assert_array_equal(found.outputs[name], values)


def foreign(*, codes=None, table=None, scale=None, to=TensorProto.INT64, table_axis=0, scaled_twice=False):
    """Return a file of another hand: a table of 4 values, scales per output channel, and a convolution."""
    constants = {
        "c": np.arange(12, dtype=np.uint8).reshape(3, 4, 1, 1) % 4 if codes is None else codes,
        "t": np.array([-3.5, -1, 0, 2], np.float32) if table is None else table,
        "s": np.array([1, 2, 4], np.float32).reshape(3, 1, 1, 1) if scale is None else scale,
    }
    nodes = [
        helper.make_node("Cast", ["c"], ["i"], to=to),
        helper.make_node("Gather", ["t", "i"], ["u"], axis=table_axis),
        helper.make_node("Mul", ["s", "u"], ["v"]),
        helper.make_node("Mul", ["v", "s"], ["w"]) if scaled_twice else helper.make_node("Identity", ["v"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["y"], name="layer"),
    ]
    sides = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size, 2, 2]) for name, size in (("x", 4), ("y", 3))
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "foreign", sides[:1], sides[1:], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), constants


def read_weight(model):
    graph = read_onnx(onnx.ModelProto.FromString(model.SerializeToString()))
    return graph.tensors[graph.node_of["layer"].inputs[1]]


@pytest.mark.parametrize("to", [TensorProto.INT64, TensorProto.INT32])
def test_files_of_others_keep_their_tables(to):
    model, constants = foreign(to=to)
    weight = read_weight(model)
    assert [float(value) for value in weight.quant.format.values] == [-3.5, -1, 0, 2]
    assert weight.quant.scale == (1.0, 2.0, 4.0)
    assert weight.quant.granularity == Granularity(axis=0)
    np.testing.assert_array_equal(weight.codes, constants["c"])
    np.testing.assert_array_equal(weight.data, constants["t"][constants["c"]] * constants["s"])


@pytest.mark.parametrize(
    "changes",
    [
        {"codes": np.arange(12, dtype=np.int64).reshape(3, 4, 1, 1) % 4},
        {"codes": np.arange(12, dtype=np.int8).reshape(3, 4, 1, 1) % 4 - 4},
        {"table": np.array([1, 1, 0, 2], np.float32)},
        {"table": np.array([-3.5, -1, 0, 2], np.float64), "scale": np.ones((3, 1, 1, 1), np.float64)},
        {"scale": np.array([1, -2, 4], np.float32).reshape(3, 1, 1, 1)},
        {"scale": np.arange(1, 13, dtype=np.float32).reshape(3, 4, 1, 1)},
        {"scaled_twice": True},
    ],
)
def test_what_fits_only_in_part_is_real_as_ever(changes):
    model, constants = foreign(**changes)
    weight = read_weight(model)
    assert weight.quant is None
    expected = (constants["t"][constants["c"]] * constants["s"]).astype(np.float32)
    np.testing.assert_array_equal(weight.data, expected * constants["s"] if "scaled_twice" in changes else expected)
