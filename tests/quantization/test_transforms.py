"""Folding and fusing leave the function of a network unchanged."""

import numpy as np
import pytest

import hwsim
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization import prepare

RNG = np.random.default_rng(11)
CONV = {"kernel": (3, 3), "strides": (1, 1), "pads": (1, 1, 1, 1), "dilations": (1, 1), "groups": 1}


def build(nodes, constants, shapes, outputs=("y",)):
    tensors = [Tensor(name=name, shape=data.shape, data=data.astype(np.float32)) for name, data in constants.items()]
    tensors += [Tensor(name=name, shape=shape) for name, shape in shapes.items()]
    return Graph(name="net", nodes=tuple(nodes), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=outputs)


def norm(name, source, target, prefix="bn"):
    return Node(
        name=name,
        op="BatchNormalization",
        inputs=(source, *(f"{prefix}.{part}" for part in ("gamma", "beta", "mean", "var"))),
        outputs=(target,),
        attributes={"epsilon": 1e-5},
    )


def norm_constants(channels, prefix="bn"):
    return {
        f"{prefix}.gamma": RNG.normal(1, 0.5, channels),
        f"{prefix}.beta": RNG.normal(size=channels),
        f"{prefix}.mean": RNG.normal(size=channels),
        f"{prefix}.var": RNG.uniform(0.1, 2, channels),
    }


def assert_same(before, after, shape=(5, 3, 6, 6)):
    x = RNG.normal(size=shape).astype(np.float32)
    first, second = run_float(before, {"x": x}), run_float(after, {"x": x})
    for name in before.outputs:
        np.testing.assert_allclose(second[name], first[name], rtol=1e-4, atol=1e-4)


def test_a_chain_of_affines_folds_into_one_convolution():
    nodes = [
        Node(name="conv", op="Conv", inputs=("x", "w"), outputs=("a",), attributes=CONV),
        norm("bn", "a", "b"),
        Node(name="mul", op="Mul", inputs=("b", "m"), outputs=("c",)),
        Node(name="sub", op="Sub", inputs=("s", "c"), outputs=("d",)),
        Node(name="relu", op="Relu", inputs=("d",), outputs=("y",)),
    ]
    constants = {"w": RNG.normal(size=(4, 3, 3, 3)), "m": RNG.normal(size=(4, 1, 1)), "s": RNG.normal(size=(4, 1, 1))}
    shapes = {"x": (1, 3, 6, 6), **dict.fromkeys("abcdy", (1, 4, 6, 6))}
    before = build(nodes, {**constants, **norm_constants(4)}, shapes)
    after = prepare(before)
    assert [node.op for node in after.nodes] == ["Conv"]
    assert after.nodes[0].clamp == (0.0, None)
    assert_same(before, after)


def test_a_batch_normalization_before_a_convolution_becomes_a_depthwise_one():
    nodes = [norm("bn", "x", "a"), Node(name="conv", op="Conv", inputs=("a", "w"), outputs=("y",), attributes=CONV)]
    shapes = {"x": (1, 3, 6, 6), "a": (1, 3, 6, 6), "y": (1, 4, 6, 6)}
    before = build(nodes, {"w": RNG.normal(size=(4, 3, 3, 3)), **norm_constants(3)}, shapes)
    after = prepare(before)
    assert [(node.op, node.attributes["groups"]) for node in after.nodes] == [("Conv", 3), ("Conv", 1)]
    assert_same(before, after)


def test_what_a_second_reader_needs_is_not_folded():
    nodes = [
        Node(name="conv", op="Conv", inputs=("x", "w"), outputs=("a",), attributes=CONV),
        norm("bn", "a", "b"),
        Node(name="add", op="Add", inputs=("a", "b"), outputs=("y",)),
    ]
    shapes = {"x": (1, 3, 6, 6), "a": (1, 4, 6, 6), "b": (1, 4, 6, 6), "y": (1, 4, 6, 6)}
    before = build(nodes, {"w": RNG.normal(size=(4, 3, 3, 3)), **norm_constants(4)}, shapes)
    after = prepare(before)
    assert [node.name for node in after.nodes] == ["conv", "bn", "add"]
    assert_same(before, after)


def test_a_result_of_the_network_is_not_fused_away():
    nodes = [
        Node(name="conv", op="Conv", inputs=("x", "w"), outputs=("a",), attributes=CONV),
        Node(name="relu", op="Relu", inputs=("a",), outputs=("y",)),
    ]
    shapes = {"x": (1, 3, 6, 6), "a": (1, 4, 6, 6), "y": (1, 4, 6, 6)}
    before = build(nodes, {"w": RNG.normal(size=(4, 3, 3, 3))}, shapes, outputs=("y", "a"))
    after = prepare(before)
    assert [node.op for node in after.nodes] == ["Conv", "Relu"]
    assert_same(before, after)


@pytest.mark.parametrize(
    ("chain", "merged"),
    [
        ([(0.0, None), (None, 6.0)], (0.0, 6.0)),
        ([(0.0, 4.0), (1.0, 6.0)], (1.0, 4.0)),
        ([(-1.0, 1.0), (2.0, 3.0)], (2.0, 2.0)),
    ],
)
def test_clamps_merge_as_their_composition(chain, merged):
    nodes = [Node(name="conv", op="Conv", inputs=("x", "w"), outputs=("t0",), attributes=CONV)]
    for index, (low, high) in enumerate(chain):
        target = "y" if index == len(chain) - 1 else f"t{index + 1}"
        nodes.append(
            Node(
                name=f"clip{index}",
                op="Clip",
                inputs=(f"t{index}",),
                outputs=(target,),
                attributes={"minimum": low, "maximum": high},
            )
        )
    shapes = {"x": (1, 3, 6, 6), "y": (1, 4, 6, 6), **{f"t{i}": (1, 4, 6, 6) for i in range(len(chain))}}
    before = build(nodes, {"w": RNG.normal(size=(4, 3, 3, 3))}, shapes)
    after = prepare(before)
    assert after.nodes[0].clamp == merged
    assert_same(before, after)


@pytest.mark.parametrize("network", ["digits_resnet", "digits_mobilenet"])
def test_digit_networks_keep_their_function_and_lose_every_normalization(network):
    graph = hwsim.load(network)
    ready = prepare(graph)
    assert not {"BatchNormalization", "Relu", "Clip"} & {node.op for node in ready.nodes}
    image = hwsim.dataset(network, "test")["image"][:32]
    np.testing.assert_allclose(
        run_float(ready, {"image": image})["logits"], run_float(graph, {"image": image})["logits"], rtol=1e-3, atol=1e-4
    )
    assert prepare(ready).nodes == ready.nodes
