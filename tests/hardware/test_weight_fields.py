"""Formats and granularities of weights: the loader and the editor's pattern accept the same texts."""

import re

import pytest

from hwsim.hardware import LayerPrecision, PrecisionPlan
from hwsim.hardware.weight_fields import (
    EXAMPLES,
    FLOATS,
    GRANULARITY_PATTERN,
    WEIGHT_PATTERN,
    group_size,
    read_weight_format,
)
from hwsim.numerics.formats import IntFormat, LearnedTable, parse_format

TEXTS = [
    *EXAMPLES, *FLOATS, "pot1", "pot9", "pot10", "power1:0.5", "power16:0.5", "power17:0.5", "power4:", "power4@8", "power9",
    "power4:nearest", "power4:0.7:nearest", "power4@0", "codebook1", "codebook8", "codebook9", "codebook4@12", "codebook4:nearest",
    "int0", "int32", "int33", "uint4n", "fp32", "e8m0", "fp4", "fixed<8,3>", "Ternary", "ternary ", "", "4",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_the_loader_accepts_what_the_pattern_matches(text):
    matches = bool(re.fullmatch(WEIGHT_PATTERN, text))
    try:
        number = read_weight_format(text)
    except ValueError:
        assert not matches
    else:
        assert matches
        assert read_weight_format(str(number)) == number
        assert read_weight_format(number) is number
        assert PrecisionPlan(default={"weights": text}).model_dump(mode="json")["default"]["weights"] == str(number)


def test_texts_mean_what_formats_mean():
    assert read_weight_format("pot4") == parse_format("pot4")
    assert read_weight_format("int8n") == IntFormat(bits=8, narrow=True)
    assert read_weight_format("power4") == LearnedTable.parse("power4@8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ternery", "did you mean 'ternary'"),
        ("codebok4", "did you mean 'codebook4'"),
        ("power4:0", "is no format of weights: number format: a power-exponent grid has"),
        ("codebook4@3", "is no format of weights: number format: a learned table has 2 to 8 bits"),
        (4, "must be an integer format of 1 to 32 bits .* not '4'$"),
        (IntFormat(bits=33), "must be an integer format of 1 to 32 bits .* not 'int33'$"),
    ],
)
def test_what_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_weight_format(text)


@pytest.mark.parametrize(
    ("text", "size"), [("tensor", None), ("channel", None), ("group:1", 1), ("group:128", 128)]
)  # fmt: skip
def test_granularities(text, size):
    assert re.fullmatch(GRANULARITY_PATTERN, text)
    assert group_size(text) == size
    assert PrecisionPlan(default={"weight_granularity": text}).for_layer("a").group_size == size


@pytest.mark.parametrize("text", ["group", "group:0", "group:-1", "group:x", "groups:8", "chanel", 8])
def test_granularities_that_are_none(text):
    with pytest.raises(ValueError, match="must be 'tensor', 'channel' or a group of input channels such as 'group:32'"):
        PrecisionPlan(default={"weight_granularity": text})


def test_what_holds_where_nothing_is_stated():
    assert (LayerPrecision().weights, LayerPrecision().group_size) == (IntFormat(bits=8), None)
