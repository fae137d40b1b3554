"""Every operator against onnx's backend node cases: all pass that the reader takes; the rest have a known reason."""

import re

import pytest

from hwsim.graph import OPS

REASONS = (
    r"only float inputs and integers", r"3-D operators are not supported", r"as in training", r"'cubic' is not supported",
    r"antialias is not supported", r"'tf_crop_and_resize' is not supported", r"the slice .* is empty",
    r"it must be positive", r"is not a tensor", r"'wrap' is not supported", r"it computes with the integers", r"its tensors have grids",
)  # fmt: skip

# at least so many cases of each operator pass (onnx 1.16 to 1.23; later versions only add cases)
LEAST = {
    "Conv": 6, "ConvTranspose": 10, "Gemm": 11, "MatMul": 3, "Add": 2, "Sub": 2, "Mul": 2, "Div": 2, "Sum": 3, "Pow": 4,
    "Concat": 12, "MaxPool": 14, "AveragePool": 12, "GlobalAveragePool": 2, "GlobalMaxPool": 2, "ReduceMean": 8, "Relu": 1,
    "Clip": 5, "LeakyRelu": 3, "PRelu": 2, "Sigmoid": 2, "HardSigmoid": 3, "HardSwish": 1, "Tanh": 2, "Gelu": 4, "Erf": 1,
    "Sqrt": 2, "Exp": 2, "Neg": 2, "Softmax": 7, "LayerNormalization": 19, "BatchNormalization": 2, "LRN": 2, "Resize": 22,
    "DepthToSpace": 2, "Pad": 3, "Reshape": 8, "Flatten": 9, "Squeeze": 2, "Unsqueeze": 5, "Transpose": 7, "Slice": 7,
    "Split": 12, "Where": 1, "Gather": 3, "Identity": 1, "Dropout": 5, "Upsample": 1,
}  # fmt: skip


@pytest.mark.parametrize("operator", [*LEAST])
def test_operator(operator, node_outcomes):
    outcomes = node_outcomes[operator]
    assert [outcome.failed for outcome in outcomes if outcome.failed] == []
    skipped = [outcome.skipped for outcome in outcomes if outcome.skipped]
    assert [reason for reason in skipped if not any(re.search(known, reason) for known in REASONS)] == []
    assert sum(outcome.passed for outcome in outcomes) >= LEAST[operator]


def test_every_operator_of_onnx_has_cases():
    ours = {"Quantize", "Reinterpret", "MultiThreshold", "DynamicQuantize", "Rescale"}  # not of ONNX
    coded = {"DynamicQuantizeLinear"}  # see tests/oracles/test_onnx_nodes.py
    assert set(OPS) - ours - coded <= set(LEAST)


def test_operators_outside_the_table_fold_or_are_refused(node_outcomes):
    failed = [
        o.failed for operator, outcomes in node_outcomes.items() if operator not in OPS for o in outcomes if o.failed
    ]
    assert failed == []
