"""Text forms of single keys: the loader and the editor's pattern accept the same texts."""

import itertools
import re

import pytest
from pydantic import ValidationError

from hwsim.errors import HwsimError
from hwsim.hardware.fields import FORMAT_PATTERN, REGISTER_PATTERN, read_format, read_register
from hwsim.hardware.requantizer import RequantizerPart, read_requantizer
from hwsim.numerics.accumulator import Accumulator
from hwsim.numerics.code_overflow import CodeOverflow
from hwsim.numerics.formats import IntFormat
from hwsim.numerics.requantizer import Requantizer
from hwsim.numerics.requantizers import definition, names
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


VALUES = {
    "multiplier_bits": [None, 16],
    "rounding": [None, *Rounding],
    "overflow": [None, *CodeOverflow],
    "saturated_bits": [None, 0, 2],
}


@pytest.mark.parametrize("scheme", names())
def test_requantizers_read_what_numerics_writes(scheme):
    """Every combination of the keys that a scheme reads; a record, its text and its table are one unit."""
    made = 0
    for values in itertools.product(*(VALUES[key] for key in definition(scheme).KEYS)):
        stated = {key: v for key, v in zip(definition(scheme).KEYS, values, strict=True) if v is not None}
        try:
            unit = Requantizer(scheme=scheme, **stated)
        except HwsimError:
            assert scheme in ("ap_fixed", "vta_shift")  # saturated bits where nothing wraps; an overflow that VTA lacks
            continue
        made += 1
        assert RequantizerPart.model_validate(read_requantizer(str(unit))).unit == unit
        assert RequantizerPart.model_validate({"scheme": scheme, **stated}).unit == unit
        assert (
            RequantizerPart.model_validate(read_requantizer(":".join([scheme, *map(str, stated.values())]))).unit
            == unit
        )
    assert made


@pytest.mark.parametrize("scheme", names())
@pytest.mark.parametrize("key", VALUES)
def test_a_key_that_a_scheme_does_not_read_is_refused(scheme, key):
    if key in definition(scheme).KEYS:
        return
    value = VALUES[key][1]
    with pytest.raises(HwsimError, match=f"requantizer: {key} = {value} is stated, but {scheme} does not read it"):
        Requantizer(scheme=scheme, **{key: value})
    text = f"{scheme}:{value}"
    texts = (
        [] if key == "saturated_bits" or scheme == "ap_fixed" else [text]
    )  # a number is the width, or ap_fixed's bits
    for attempt in [{"scheme": scheme, key: value}, *texts]:
        with pytest.raises(ValidationError, match=f"states {key} = {value}, but {scheme} does not read it"):
            RequantizerPart.model_validate(read_requantizer(attempt))


def test_requantizers_that_cannot_be():
    for text, message in (
        ("ap_fixed:saturate:2", "is refused: saturated_bits = 2 belongs to wrap and wrap_sign_magnitude"),
        ("vta_shift:saturate_zero", "is refused: vta_shift wraps, or saturates with MIN and MAX"),
        ("power_of_two:floorr", "Input should be 'half_even'"),
    ):
        with pytest.raises(ValidationError, match=message):
            RequantizerPart.model_validate(read_requantizer(text))
    with pytest.raises(ValueError, match="which states rounding twice"):
        read_requantizer("power_of_two:floor:ceil")
