"""Texts of tables that are learned on each layer's weights."""

import pytest

from hwsim.errors import HwsimError
from hwsim.numerics.formats import LearnedTable


@pytest.mark.parametrize("text", ["power4@8", "power2@8:nearest", "codebook4@8", "codebook8@16"])
def test_text_is_read_back(text):
    assert str(LearnedTable.parse(text)) == text
    assert LearnedTable.named(text) == LearnedTable.parse(text)


def test_widths_that_are_left_out():
    assert LearnedTable.parse("power4") == LearnedTable(kind="power", bits=4, decode_bits=8)
    assert LearnedTable.parse("codebook3") == LearnedTable(kind="codebook", bits=3, decode_bits=8)


@pytest.mark.parametrize("text", ["power4:0.5", "codebook9", "codebook1", "pot4", "int4", "codebook"])
def test_other_texts_are_not_tables_to_learn(text):
    assert LearnedTable.named(text) is None
    with pytest.raises(HwsimError, match="is no learned table; write for example power4 or codebook4@8"):
        LearnedTable.parse(text)


def test_widths_that_cannot_be():
    with pytest.raises(HwsimError, match="decodes to as many up to 16, not 4 and 3"):
        LearnedTable.parse("codebook4@3")
    with pytest.raises(HwsimError, match="always takes the nearest value"):
        LearnedTable.parse("codebook4:nearest")
