import numpy as np
import pytest

from hwsim.errors import ExecutionError
from hwsim.execute.float32 import run_float
from hwsim.graph import Graph, Node, Tensor


def network(**first):
    """image [1, 2] -> Gemm -> h -> Relu -> r -> Neg -> y."""
    shapes = {"image": (1, 2), "h": (1, 3), "r": (1, 3), "y": (1, 3)}
    weight = np.array([[1, -1, 2], [0, 1, -3]], np.float32)
    return Graph(
        name="net",
        nodes=(
            Node(name="fc", op="Gemm", inputs=("image", "w"), outputs=("h",), attributes=first),
            Node(name="act", op="Relu", inputs=("h",), outputs=("r",)),
            Node(name="neg", op="Neg", inputs=("r",), outputs=("y",)),
        ),
        tensors={
            **{name: Tensor(name=name, shape=shape) for name, shape in shapes.items()},
            "w": Tensor(name="w", shape=(2, 3), data=weight),
        },
        inputs=("image",),
        outputs=("y",),
    )


X = np.array([[1, 2], [3, -1], [0, 0]], np.float32)


def test_any_batch():
    assert run_float(network(), {"image": X})["y"].tolist() == [[-1, -1, 0], [-3, 0, -9], [0, 0, 0]]


def test_keep_returns_more_tensors():
    result = run_float(network(), {"image": X}, keep=["h", "image", "w"])
    assert list(result) == ["y", "h", "image", "w"]
    assert result["h"].tolist() == [[1, 1, -4], [3, -4, 9], [0, 0, 0]]


def test_observe_sees_every_tensor_once_in_order():
    seen = []
    run_float(network(), {"image": X}, observe=lambda name, value: seen.append((name, value.shape, value.dtype)))
    assert seen == [
        ("image", (3, 2), np.float32), ("h", (3, 3), np.float32), ("r", (3, 3), np.float32), ("y", (3, 3), np.float32),
    ]  # fmt: skip


def test_fused_clamp():
    assert run_float(network(clamp=(0.0, 2.0)), {"image": X}, keep=["h"])["h"].tolist() == [
        [1, 1, 0],
        [2, 0, 2],
        [0, 0, 0],
    ]
    assert run_float(network(clamp=(None, 2.0)), {"image": X}, keep=["h"])["h"].min() == -4


def test_inputs_are_not_changed():
    x = X.copy()
    x.flags.writeable = False
    run_float(network(), {"image": x})
    assert np.array_equal(x, X)


@pytest.mark.parametrize(("inputs", "reason"), [
    ({}, "input 'image' is missing; give an array of shape [batch, 2]"),
    ({"imge": X}, "there is no input 'imge'; did you mean 'image'?"),
    ({"image": X[0]}, "input 'image' must have shape [batch, 2], with any batch, not [2]"),
    ({"image": X.T}, "input 'image' must have shape [batch, 2], with any batch, not [2, 3]"),
    ({"image": X[:0]}, "input 'image' is empty; give at least one row"),
    ({"image": [["a", "b"]]}, "input 'image' must hold real numbers, not <U1"),
    ({"image": [[np.nan, 1]]}, "input 'image' holds 1 NaN among 2 values; give finite numbers"),
    ({"image": [[1e300, 1]]}, "input 'image' holds 1 values beyond float32 among 2; scale the input"),
])  # fmt: skip
def test_inputs_that_do_not_fit(inputs, reason):
    with pytest.raises(ExecutionError) as caught:
        run_float(network(), inputs)
    assert str(caught.value) == f"net: {reason}"


def test_unknown_tensor_to_keep():
    with pytest.raises(ExecutionError) as caught:
        run_float(network(), {"image": X}, keep=["hh"])
    assert str(caught.value) == "net: there is no tensor 'hh' to keep; did you mean 'h'?"


def test_tensors_are_freed_after_their_last_use():
    import weakref

    alive = {}

    def observe(name, value):
        alive[name] = weakref.ref(value)
        if name == "y":
            assert alive["h"]() is None

    run_float(network(), {"image": X}, observe=observe)


def test_a_network_that_fixes_its_batch():
    graph = Graph(
        name="net",
        nodes=(Node(name="flat", op="Reshape", inputs=("x",), outputs=("y",), attributes={"shape": (4,)}),),
        tensors={"x": Tensor(name="x", shape=(2, 2)), "y": Tensor(name="y", shape=(4,))},
        inputs=("x",),
        outputs=("y",),
    )
    with pytest.raises(ExecutionError) as caught:
        run_float(graph, {"x": X})
    assert str(caught.value) == (
        "net: node 'flat' (Reshape) fails on 'x' [3, 2]: cannot reshape array of size 6 into shape (4,); if the network "
        "fixes its batch inside, run it with batch 2"
    )
