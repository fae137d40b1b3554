"""Networks exported by PyTorch that ship with onnx: old operator sets end to end."""

import re

import pytest

REASONS = (
    r"3-D operators are not supported", r"operator '(Elu|LogSoftmax|Selu|Softplus|Abs|Max|Min|ReduceSum|Tile)' is not",
    r"operator 'InstanceNormalization' is not", r"only float inputs and integers", r"beyond float32",
)  # fmt: skip


@pytest.mark.parametrize(("suite", "least"), [("pytorch-converted", 60), ("pytorch-operator", 22)])
def test_suite(suite, least, disk_outcomes):
    outcomes = disk_outcomes[suite]
    assert [outcome.failed for outcome in outcomes if outcome.failed] == []
    skipped = [outcome.skipped for outcome in outcomes if outcome.skipped]
    assert [reason for reason in skipped if not any(re.search(known, reason) for known in REASONS)] == []
    assert sum(outcome.passed for outcome in outcomes) >= least
