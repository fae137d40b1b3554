import pytest
from onnx import TensorProto

from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx


def message(model, **options):
    with pytest.raises(GraphError) as caught:
        read_onnx(model, **options)
    return str(caught.value)


def relu(build, shape, **options):
    return build([("Relu", ["x"], ["y"])], {"x": shape}, **options)


@pytest.mark.parametrize("shape", [["batch", 4], [None, 4], [1, 4], [7, 4]])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batch_replaces_dimension_0(build, shape, batch):
    graph = read_onnx(relu(build, shape), batch=batch)
    assert graph.batch == batch
    assert graph.tensors["y"].shape == (batch, 4)


def test_the_batch_symbol_counts_everywhere(build):
    graph = read_onnx(build([("Add", ["x", "z"], ["y"])], {"x": ["n", 4], "z": ["n", 4]}), batch=3)
    assert graph.tensors["z"].shape == (3, 4)


def test_symbolic_size_is_given(build):
    assert read_onnx(relu(build, ["batch", "seq", 4]), dimensions={"seq": 128}).tensors["y"].shape == (1, 128, 4)
    assert read_onnx(relu(build, ["batch", None, 4]), dimensions={"x:1": 128}).tensors["y"].shape == (1, 128, 4)


def test_symbolic_size_is_missing(build):
    assert message(relu(build, ["batch", "seq", 4])) == (
        "small: input 'x' has the symbolic size 'seq' in dimension 1, and a simulation needs a number; "
        'give it, for example dimensions={"seq": 128} (--dimension seq=128)'
    )
    assert message(relu(build, ["batch", None])) == (
        "small: input 'x' has no size in dimension 1, and a simulation needs a number; "
        'give it, for example dimensions={"x:1": 128} (--dimension x:1=128)'
    )


def test_unknown_dimension(build):
    model = relu(build, ["batch", "sequence", 4])
    assert message(model, dimensions={"sequense": 3}) == (
        "small: no input has a dimension 'sequense'; did you mean 'sequence'?"
    )


def test_batch_given_as_dimension(build):
    assert message(relu(build, ["n", 4]), dimensions={"n": 8}) == (
        "small: dimension 'n' is the batch; give it as batch=8 (--batch 8), not as a dimension"
    )
    assert read_onnx(relu(build, ["n", 4]), batch=8, dimensions={"n": 8}).batch == 8


@pytest.mark.parametrize(("options", "reason"), [
    ({"batch": 0}, "batch must be a positive integer, not 0"),
    ({"batch": True}, "batch must be a positive integer, not True"),
    ({"dimensions": {"seq": 1.5}}, "seq must be a positive integer, not 1.5"),
])  # fmt: skip
def test_sizes_are_positive_integers(build, options, reason):
    assert message(relu(build, ["batch", "seq"]), **options) == f"small: {reason}"


def test_integer_input(build):
    model = build([("Identity", ["x"], ["y"])], {"x": [1, 4]}, kinds={"x": TensorProto.INT64})
    assert message(model) == (
        "small: input 'x' is int64, and only float inputs and integers of up to 32 bits, and truth values, are supported; "
        "cut the model behind the embedding or the cast with onnx.utils.extract_model"
    )


def test_no_shape(build):
    assert message(relu(build, None)) == "small: input 'x' declares no shape; export the model with one"


def test_no_input(build):
    model = build([("Relu", ["c"], ["y"])], {}, constants={"c": [1.0]})
    assert message(model) == "small: the model has no input; a network needs one"
