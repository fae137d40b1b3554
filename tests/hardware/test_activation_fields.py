"""The key ``activations``: integers as before, and floating-point numbers."""

import json
import re

import pytest

from hwsim.hardware.activation_fields import ACTIVATION_PATTERN, FLOATS, read_activations
from hwsim.hardware.precision import PrecisionPlan
from hwsim.numerics.formats import parse_format


@pytest.mark.parametrize("text", [*FLOATS, "uint8", "int4", "int8n"])
def test_texts_are_read_and_written(text):
    plan = PrecisionPlan(default={"activations": text})
    assert plan.for_layer("any").activations == parse_format(text) == read_activations(parse_format(text))
    assert json.loads(plan.model_dump_json(exclude_none=True))["default"]["activations"] == text
    assert re.fullmatch(ACTIVATION_PATTERN, text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("pf16", "must be an integer format of 1 to 32 bits such as int8, uint4 or int8n, or one of fp16, bf16, "),
        ("fp17", "not 'fp17'; did you mean 'fp16'?"),
        ("int33", "not 'int33'$"),
        ("e8m0", "not 'e8m0'"),
    ],
)
def test_what_is_no_format(value, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        read_activations(value)
