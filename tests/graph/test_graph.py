"""Facts that a graph derives from its operators."""

from hwsim.graph import Graph, Node, Tensor


def test_a_tensor_is_released_once_after_its_last_reader():
    """A result that nobody reads goes at once; outputs, constants and absent operands never do."""
    names = ("x", "a", "b", "unread", "y")
    tensors = {name: Tensor(name=name, shape=(1, 4)) for name in names}
    nodes = (
        Node(name="first", op="Relu", inputs=("x",), outputs=("a",)),
        Node(name="second", op="Add", inputs=("a", "a"), outputs=("b",)),
        Node(name="third", op="Relu", inputs=("a",), outputs=("unread",)),
        Node(name="fourth", op="Add", inputs=("x", "b"), outputs=("y",)),
        Node(name="fifth", op="Relu", inputs=("y",), outputs=("z",)),
    )
    tensors["z"] = Tensor(name="z", shape=(1, 4))
    graph = Graph(name="g", nodes=nodes, tensors=tensors, inputs=("x",), outputs=("y",))
    released = {node.name: names for node, names in zip(graph.nodes, graph.released, strict=True)}
    assert sorted(released) == ["fifth", "first", "fourth", "second", "third"]
    assert released["first"] == ()
    assert set(released["second"]) | set(released["third"]) == {"a", "unread"}
    assert set(released["fourth"]) == {"x", "b"}
    assert released["fifth"] == ("z",)
