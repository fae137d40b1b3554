"""Text forms of single keys: the loader and the editor's pattern accept the same texts."""

import itertools
import re

import pytest

from hwsim.hardware.datapath import RequantizerPart, read_requantizer
from hwsim.hardware.fields import FORMAT_PATTERN, REGISTER_PATTERN, read_format, read_register
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.rounding import Rounding


def accepts(read, text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


HEADS = [
    "exact",
    "",
    "int",
    "int8x",
    "uint8",
    "int8n",
    *(f"int{bits:0{width}}" for bits in range(70) for width in (1, 3)),
]
MODES = ["", ":", ":exact", ":wrap", ":saturate", ":rap", ":WRAP", "wrap", ":wrap:wrap", ":wrap "]


def test_registers_exhaustively():
    for head, mode in itertools.product(HEADS, MODES):
        text = head + mode
        assert accepts(read_register, text) == bool(re.fullmatch(REGISTER_PATTERN, text)), text
        if accepts(read_register, text):
            assert read_register(str(read_register(text))) == read_register(text)


def test_formats_exhaustively():
    for prefix, bits, suffix in itertools.product(("", "u", "i"), range(36), ("", "n", "x")):
        text = f"{prefix}int{bits}{suffix}"
        assert accepts(read_format, text) == bool(re.fullmatch(FORMAT_PATTERN, text)), text
        if accepts(read_format, text):
            assert str(read_format(text)) == text


def test_records_pass_and_wide_ones_do_not():
    register, number = Accumulator.parse("int9:wrap"), IntFormat(bits=9)
    assert (read_register(register), read_format(number)) == (register, number)
    with pytest.raises(ValueError, match=r"^must be an integer format of 1 to 32 bits .* not 'int33'$"):
        read_format(IntFormat(bits=33))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("scheme", ["float32", "fixed_point", "power_of_two"])
def test_requantizers_read_what_numerics_writes(scheme, rounding):
    unit = Requantizer(scheme=scheme, multiplier_bits=16 if scheme == "fixed_point" else 32, rounding=rounding)
    part = RequantizerPart.model_validate(read_requantizer(str(unit)))
    assert str(part.unit) == str(unit)
    if scheme != "float32":
        assert part.unit == unit
