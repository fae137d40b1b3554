"""Scopes are found in the graph alone and need no PyTorch."""

import networkx as nx
import numpy as np
import pytest

import hwsim
from hwsim.graph import Graph, Node, Tensor
from hwsim.quantization.prepare import prepare
from hwsim.quantization.reconstruct.scopes import Scope, blocks, layers, net, weights_of

CUTS = (layers, blocks, net)
MOBILENET, RESNET = (prepare(hwsim.load(name)) for name in ("digits_mobilenet", "digits_resnet"))
NETWORKS = {"mobilenet": MOBILENET, "resnet": RESNET, "inception": prepare(hwsim.load("inception_v1"))}


def names(scopes):
    return [tuple(node.name for node in scope.nodes) for scope in scopes]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_operator_is_in_one_scope_and_inputs_come_first(cut, network):
    graph = NETWORKS[network]
    scopes = cut(graph)
    assert sorted(node.name for scope in scopes for node in scope.nodes) == sorted(node.name for node in graph.nodes)
    known = set(graph.inputs)
    for scope in scopes:
        assert known.issuperset(scope.inputs)
        known.update(scope.outputs)
    assert known.issuperset(graph.outputs)


def test_residual_blocks_of_a_resnet():
    """Two basic blocks with an identity and one with a convolution in the shortcut."""
    assert names(blocks(RESNET)) == [
        ("stem.conv",),
        ("block1.conv1", "block1.conv2", "block1.add"),
        ("block2.conv1", "block2.conv2", "block2.shortcut.conv", "block2.add"),
        ("block3.conv1", "block3.conv2", "block3.add"),
        ("head.pool",),
        ("head.flatten",),
        ("head.fc",),
    ]


def test_inverted_residuals_with_and_without_a_sum():
    assert names(blocks(MOBILENET))[:5] == [
        ("stem.conv",),
        ("block1.depthwise.conv", "block1.pointwise.conv"),
        ("block2.expand.conv", "block2.depthwise.conv", "block2.project.conv", "block2.add"),
        ("block3.expand.conv", "block3.depthwise.conv", "block3.project.conv"),
        ("block4.expand.conv", "block4.depthwise.conv", "block4.project.conv", "block4.add"),
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_residual_blocks_have_one_entry_and_one_exit(network):
    """All paths into the block pass its input: without that tensor's producer nothing reaches it."""
    graph = NETWORKS[network]
    for scope in blocks(graph):
        if len(scope.nodes) == 1:
            continue
        assert len(scope.inputs) == len(scope.outputs) == 1
        inside = {node.name for node in scope.nodes}
        entries = [(a, b) for a, b in nx.DiGraph(graph.network).edges if a not in inside and b in inside]
        assert len({a for a, _ in entries}) <= 1


def unary_chain(*ops):
    """A convolution, some operators of one element, another reader of the last result."""
    shape = (1, 2, 4, 4)
    tensors = [
        Tensor(name="x", shape=shape),
        Tensor(name="w", shape=(2, 2, 1, 1), data=np.ones((2, 2, 1, 1), np.float32)),
    ]
    attributes = {"kernel": (1, 1), "strides": (1, 1), "pads": (0,) * 4, "dilations": (1, 1), "groups": 1}
    nodes = [Node(name="conv", op="Conv", inputs=("x", "w"), outputs=("conv",), attributes=attributes)]
    for index, op in enumerate(ops):
        nodes.append(Node(name=f"{op}{index}", op=op, inputs=(nodes[-1].name,), outputs=(f"{op}{index}",)))
    nodes.append(Node(name="sum", op="Add", inputs=(nodes[-1].name, "x"), outputs=("sum",)))
    tensors += [Tensor(name=node.name, shape=shape) for node in nodes]
    return Graph(name="g", nodes=tuple(nodes), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("sum",))


def test_a_layer_takes_the_functions_behind_it_along():
    assert names(layers(unary_chain("HardSwish", "Sigmoid"))) == [("conv", "HardSwish0", "Sigmoid1"), ("sum",)]


def test_a_layer_stops_where_somebody_else_reads():
    graph = unary_chain("HardSwish")
    other = Node(name="other", op="Neg", inputs=("conv",), outputs=("other",))
    graph = graph.with_changes(
        nodes=[*graph.nodes, other], tensors=[Tensor(name="other", shape=(1, 2, 4, 4))], outputs=("sum", "other")
    )
    assert names(layers(graph))[0] == ("conv",)
    assert layers(graph)[0].outputs == ("conv",)


def test_of_nested_sums_the_inner_ones_are_blocks():
    """A skip over the whole body, as in super-resolution, does not make one block of it."""
    nodes, tensors = [], [Tensor(name="x", shape=(1, 2))]
    for name, inputs in (
        ("a", ("x",)),
        ("b", ("a",)),
        ("s", ("b", "a")),
        ("c", ("s",)),
        ("t", ("c", "s")),
        ("all", ("t", "x")),
    ):
        op = "Neg" if len(inputs) == 1 else "Add"
        nodes.append(Node(name=name, op=op, inputs=inputs, outputs=(name,)))
        tensors.append(Tensor(name=name, shape=(1, 2)))
    graph = Graph(name="g", nodes=tuple(nodes), tensors={t.name: t for t in tensors}, inputs=("x",), outputs=("all",))
    assert names(blocks(graph)) == [("a",), ("b", "s"), ("c", "t"), ("all",)]


def test_a_sum_with_two_ways_in_is_no_block():
    nodes = [
        Node(name="p", op="Neg", inputs=("x",), outputs=("p",)),
        Node(name="s", op="Add", inputs=("p", "y"), outputs=("s",)),
    ]
    tensors = {name: Tensor(name=name, shape=(1, 2)) for name in "xyps"}
    graph = Graph(name="g", nodes=tuple(nodes), tensors=tensors, inputs=("x", "y"), outputs=("s",))
    assert names(blocks(graph)) == [("p",), ("s",)]


def test_weights_are_those_on_grids():
    images = {"image": hwsim.dataset("digits_resnet", "calibration")["image"][:4]}
    graph = hwsim.quantize(RESNET, calibration=images)
    scope = Scope.of(graph, graph.nodes)
    assert len(weights_of(graph, scope)) == 9
    assert weights_of(RESNET, Scope.of(RESNET, RESNET.nodes)) == []
