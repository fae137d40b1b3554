import numpy as np
import pytest
from onnx import helper

from hwsim.errors import GraphError
from hwsim.interchange.onnx import read_onnx


def message(model, **options):
    with pytest.raises(GraphError) as caught:
        read_onnx(model, **options)
    return str(caught.value)


def test_unsupported_operator(build):
    node = helper.make_node("Elu", ["x"], ["y"], name="act")
    assert message(build([node], {"x": [1, 4]})) == (
        "small: node 'act': operator 'Elu' is not supported; use LeakyRelu or HardSwish"
    )


def test_unsupported_operator_has_a_close_alternative(build):
    assert message(build([("ReduceSum", ["x"], ["y"])], {"x": [1, 4]})) == (
        "small: node 'ReduceSum_y': operator 'ReduceSum' is not supported; did you mean 'ReduceMean'? "
        "use ReduceMean and Mul"
    )


def test_default_way_out(build):
    assert message(build([("Cosh", ["x"], ["y"])], {"x": [1, 4]})) == (
        "small: node 'Cosh_y': operator 'Cosh' is not supported; rewrite it with supported operators, or cut the model "
        "before it with onnx.utils.extract_model"
    )


def test_all_problems_at_once(build):
    model = build(
        [
            ("Elu", ["x"], ["a"]),
            ("Relu", ["a"], ["b"]),
            ("Shape", ["b"], ["s"]),
            ("Cosh", ["b"], ["c"]),
            ("Resize", ["x", "", "scales"], ["d"], {"mode": "cubic"}),
            ("Add", ["c", "d"], ["y"]),
        ],
        {"x": [1, 2, 4, 4]},
        constants={"scales": np.array([1, 1, 2, 2], np.float32)},
    )
    assert message(model) == (
        "small: 3 problems:\n"
        "  node 'Elu_a': operator 'Elu' is not supported; use LeakyRelu or HardSwish\n"
        "  node 'Cosh_c': operator 'Cosh' is not supported; rewrite it with supported operators, or cut the model before "
        "it with onnx.utils.extract_model\n"
        "  node 'Resize_d' (Resize): mode 'cubic' is not supported; use nearest or linear"
    )


def test_weights_must_be_finite(build):
    weight = np.ones((4, 3), np.float32)
    weight[0, 0], weight[1, :2] = np.nan, np.inf
    assert message(build([("MatMul", ["x", "w"], ["y"])], {"x": [1, 4]}, constants={"w": weight})) == (
        "small: constant 'w' holds 1 NaN and 2 infinite values among 12; weights must be finite: train or export the model "
        "again (an attention mask may use -20: a wider one would swallow the grid of the scores)"
    )


def test_computed_weight(build):
    model = build([("Conv", ["x", "w"], ["y"])], {"x": [1, 2, 4, 4], "w": [2, 2, 3, 3]})
    assert message(model) == (
        "small: node 'Conv_y' (Conv): weight 'w' is not constant; store it as an initializer, or export the model with it "
        "folded"
    )


def test_three_spatial_dimensions(build, weights):
    model = build([("Conv", ["x", "w"], ["y"])], {"x": [1, 2, 4, 4, 4]}, constants={"w": weights(2, 2, 3, 3, 3)})
    assert message(model) == (
        "small: node 'Conv_y' (Conv): 3-D operators are not supported, its input is [1, 2, 4, 4, 4]; use 1-D or 2-D "
        "operators"
    )


@pytest.mark.parametrize(("shape", "weight", "reason"), [
    ((1, 3, 4, 4), (2, 2, 3, 3),
     "the weight [2, 2, 3, 3] reads 2 channels in each of 1 groups, the input [1, 3, 4, 4] has 3"),
    ((1, 2, 2, 2), (2, 2, 3, 3),
     "a window of 3 (kernel 3, dilation 1) does not fit 2 elements padded by 0 and 0"),
    ((1, 2, 4), (2, 2, 3, 3), "the weight [2, 2, 3, 3] has another rank than the input"),
])  # fmt: skip
def test_shapes_that_do_not_fit(build, weights, shape, weight, reason):
    model = build([("Conv", ["x", "w"], ["y"])], {"x": shape}, constants={"w": weights(*weight)})
    assert message(model) == f"small: node 'Conv_y' (Conv): {reason}"


def test_training_forms(build, weights):
    ones = {name: np.ones(2, np.float32) for name in "sbmv"}
    node = ("BatchNormalization", ["x", *"sbmv"], ["y", "a", "c"], {"training_mode": 1})
    assert message(build([node], {"x": [1, 2, 4, 4]}, constants=ones)) == (
        "small: node 'BatchNormalization_y' (BatchNormalization): it normalizes with the statistics of the batch, as in "
        "training; export the model in inference mode (model.eval())"
    )


def test_batch_fixed_inside(build):
    """The Slice takes the second row: with one row there is none."""
    constants = {"starts": np.array([1]), "ends": np.array([2])}
    model = build([("Slice", ["x", "starts", "ends"], ["y"])], {"x": [2, 4]}, constants=constants)
    assert read_onnx(model, batch=2).tensors["y"].shape == (1, 4)
    assert message(model, batch=1) == (
        "small: node 'Slice_y' holds only for the batch of the file; read it with batch=2 (--batch 2), or export it with a "
        "symbolic batch"
    )
